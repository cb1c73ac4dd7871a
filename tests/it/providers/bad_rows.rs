//! A row that can not be read is told in its place, and costs no other row.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, future::BoxFuture};
use headcount::{
    Account, AnyPaginator, Completeness, ErrorKind, IncompleteReason, Paginator,
    http::{Transport, TransportError},
};
use headcount_sim::{InMemory, Settings, Simulator};
use serde_json::Value;

use crate::kit::{Habits, PROVIDERS, Provider, Setup};

/// A simulator whose pages have other rows in the place of some.
#[derive(Clone)]
struct Spoilt {
    server: InMemory,
    id_field: &'static str,
    /// By the ids of those that they stand for.
    rows: Arc<HashMap<String, Value>>,
}

impl Spoilt {
    fn spoil(&self, page: &mut Value) {
        let id = page.get(self.id_field).and_then(Value::as_str);
        if let Some(row) = id.and_then(|id| self.rows.get(id)) {
            *page = row.clone();
            return;
        }
        match page {
            Value::Array(rows) => rows.iter_mut().for_each(|row| self.spoil(row)),
            Value::Object(members) => members.values_mut().for_each(|member| self.spoil(member)),
            _ => {}
        }
    }
}

impl Transport for Spoilt {
    fn send(
        &self,
        request: http::Request<Bytes>,
        body_limit: usize,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let mut answer = self.server.send(request, body_limit).await?;
            let mut page: Value = serde_json::from_slice(answer.body()).unwrap();
            self.spoil(&mut page);
            *answer.body_mut() = page.to_string().into();
            Ok(answer)
        })
    }
}

/// So many accounts, the list of them on pages of so many, with these rows in the place of some.
async fn spoilt(
    provider: &dyn Provider,
    (accounts, limit): (usize, u32),
    rows: impl Fn(&[String]) -> HashMap<String, Value>,
) -> (Box<dyn Simulator>, AnyPaginator<Account>) {
    let habits = Habits::rows(limit as usize);
    let server = provider.start(Settings::new().accounts(accounts), habits).await;
    let rows = Arc::new(rows(&server.ids()));
    let transport = Spoilt { server: server.transport(), id_field: provider.sim().id_field(), rows };
    let list = provider.client(&*server, &Setup::over(transport)).list(limit);
    (server, list)
}

/// Rows of which none can be read; `ID` is the provider's member. None may show what it holds.
const BAD: [&str; 12] = [
    r#"{"name":"hunter2"}"#,
    r#"{"ID":null,"name":"hunter2"}"#,
    r#"{"ID":4711471147114711,"name":"hunter2"}"#,
    r#"{"ID":"","name":"hunter2"}"#,
    r#"{"ID":["hunter2"]}"#,
    r#"{"ID":{"hunter2":"hunter2"}}"#,
    r#"{"ID":true,"name":"hunter2"}"#,
    r#""hunter2""#,
    "4711471147114711",
    "null",
    r#"["hunter2"]"#,
    r#"[["hunter2"],{"x":4711471147114711}]"#,
];

#[tokio::test]
async fn a_bad_row_comes_out_in_its_place_and_shows_nothing_of_itself() {
    const PAGE: usize = 30;
    let bad = BAD.len();
    // Page 1 is good; in page 2 a bad row stands between good ones.
    let accounts = PAGE + 2 * bad + 1;
    let is_bad = |place: usize| place > PAGE && (place - PAGE) % 2 == 1;
    for &provider in PROVIDERS {
        let size = (accounts, u32::try_from(PAGE).unwrap());
        let (server, list) = spoilt(provider, size, |ids| {
            let places = (0..accounts).filter(|place| is_bad(*place));
            let row =
                |bad: &str| serde_json::from_str(&bad.replace("ID", provider.sim().id_field())).unwrap();
            places.zip(BAD).map(|(place, bad)| (ids[place].clone(), row(bad))).collect()
        })
        .await;
        let ids = server.ids();
        let mut items = list.items();
        let mut came = Vec::new();
        while let Some(next) = items.next().await {
            came.push(next.map(|account| account.id));
        }
        assert_eq!(came.len(), accounts, "{provider}");
        for (place, came) in came.iter().enumerate() {
            if !is_bad(place) {
                assert_eq!(came.as_ref().unwrap(), &ids[place], "{provider}");
                continue;
            }
            let error = came.as_ref().unwrap_err();
            let index = place - PAGE;
            let context = format!("{provider} {}: {error}", BAD[index / 2]);
            assert_eq!(error.kind(), ErrorKind::InvalidRecord, "{context}");
            assert!(error.message().starts_with(&format!("row {index} of page 2")), "{context}");
            let shown = format!("{error} {error:?} {error:#?}");
            for value in ["hunter2", "4711471147114711"] {
                assert!(!shown.contains(value), "{context}");
            }
        }
        let summary = items.summary();
        assert_eq!((summary.items, summary.rejected), ((accounts - bad) as u64, bad as u64));
        let Completeness::Uncertain(doubts) = summary.completeness else {
            panic!("a list with rows that could not be read is not whole");
        };
        assert!(doubts.contains(&IncompleteReason::Rejected { rows: bad as u64 }), "{doubts:?}");
        // It takes as many requests as if all were good.
        let requests = server.list_requests().len();
        server.clear_requests();
        let good = provider.client(&*server, &Setup::over(server.transport())).list(size.1);
        assert_eq!(good.items().try_collect::<Vec<_>>().await.unwrap().len(), accounts);
        assert_eq!(requests, server.list_requests().len(), "{provider}");
    }
}

#[tokio::test]
async fn a_member_of_another_type_costs_only_its_row_and_does_not_show() {
    let member = [("name", "4711471147114711"), ("name", r#"{"hunter2":1}"#), ("name", r#"["hunter2"]"#)];
    for &provider in PROVIDERS {
        for (name, value) in member {
            let (server, list) = spoilt(provider, (2, 10), |ids| {
                let row = format!(r#"{{"{}":"{}","{name}":{value}}}"#, provider.sim().id_field(), ids[0]);
                HashMap::from([(ids[0].clone(), serde_json::from_str(&row).unwrap())])
            })
            .await;
            let ids = server.ids();
            let came: Vec<_> = list.items().collect().await;
            assert_eq!(came.len(), 2, "{came:?}");
            let error = came[0].as_ref().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRecord);
            assert!(error.message().starts_with("row 0 of page 1"), "{error}");
            // The row's id may show: it says which account to look at.
            assert!(error.message().contains(&ids[0]), "{error}");
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("hunter2") && !shown.contains("4711471147114711"), "{shown}");
            assert_eq!(came[1].as_ref().unwrap().id, ids[1]);
        }
    }
}
