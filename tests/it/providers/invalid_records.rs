//! An invalid row is reported in place and does not affect other rows.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, future::BoxFuture};
use headcount::{
    Account, AnyPaginator, Completeness, ErrorKind, IncompleteReason,
    http::{Transport, TransportError},
};
use headcount_sim::{InMemory, SimConfig, Simulator};
use serde_json::Value;

use crate::kit::{PROVIDERS, Provider, ServerBehavior, Setup};

/// A transport that replaces some rows of a simulator's pages.
#[derive(Clone)]
struct RowReplacer {
    server: InMemory,
    id_field: &'static str,
    /// The replacements, by the id of the replaced row.
    rows: Arc<HashMap<String, Value>>,
}

impl RowReplacer {
    fn replace_rows(&self, page: &mut Value) {
        let id = page.get(self.id_field).and_then(Value::as_str);
        if let Some(row) = id.and_then(|id| self.rows.get(id)) {
            *page = row.clone();
            return;
        }
        match page {
            Value::Array(rows) => rows.iter_mut().for_each(|row| self.replace_rows(row)),
            Value::Object(members) => members.values_mut().for_each(|member| self.replace_rows(member)),
            _ => {}
        }
    }
}

impl Transport for RowReplacer {
    fn send(
        &self,
        request: http::Request<Bytes>,
        body_limit: usize,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let mut response = self.server.send(request, body_limit).await?;
            let mut page: Value = serde_json::from_slice(response.body()).unwrap();
            self.replace_rows(&mut page);
            *response.body_mut() = page.to_string().into();
            Ok(response)
        })
    }
}

/// Starts a server with `accounts` accounts, and lists them on pages of `limit` rows, some of them replaced.
async fn list_with_replaced_rows(
    provider: &dyn Provider,
    (accounts, limit): (usize, u32),
    rows: impl Fn(&[String]) -> HashMap<String, Value>,
) -> (Box<dyn Simulator>, AnyPaginator<Account>) {
    let behavior = ServerBehavior::with_page_size(limit as usize);
    let server = provider.start(SimConfig::new().accounts(accounts), behavior).await;
    let rows = Arc::new(rows(&server.ids()));
    let transport = RowReplacer { server: server.transport(), id_field: provider.sim().id_field(), rows };
    let list = provider.client(&*server, &Setup::over(transport)).list(limit);
    (server, list)
}

/// Invalid rows, in which `ID` stands for the provider's id member. Errors must not show their values.
const INVALID: [&str; 12] = [
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
async fn reported_in_place_without_values() {
    const PAGE: usize = 30;
    let invalid = INVALID.len();
    // Page 1 is valid; on page 2, valid and invalid rows alternate.
    let accounts = PAGE + 2 * invalid + 1;
    let is_invalid = |position: usize| position > PAGE && (position - PAGE) % 2 == 1;
    for &provider in PROVIDERS {
        let size = (accounts, u32::try_from(PAGE).unwrap());
        let (server, list) = list_with_replaced_rows(provider, size, |ids| {
            let positions = (0..accounts).filter(|position| is_invalid(*position));
            let row =
                |row: &str| serde_json::from_str(&row.replace("ID", provider.sim().id_field())).unwrap();
            positions.zip(INVALID).map(|(position, text)| (ids[position].clone(), row(text))).collect()
        })
        .await;
        let ids = server.ids();
        let mut items = list.items();
        let mut received = Vec::new();
        while let Some(next) = items.next().await {
            received.push(next.map(|account| account.id));
        }
        assert_eq!(received.len(), accounts, "{provider}");
        for (position, received) in received.iter().enumerate() {
            if !is_invalid(position) {
                assert_eq!(received.as_ref().unwrap(), &ids[position], "{provider}");
                continue;
            }
            let error = received.as_ref().unwrap_err();
            let index = position - PAGE;
            let context = format!("{provider} {}: {error}", INVALID[index / 2]);
            assert_eq!(error.kind(), ErrorKind::InvalidRecord, "{context}");
            assert!(
                error.message().starts_with(&format!("failed to decode row {index} of page 2")),
                "{context}"
            );
            let shown = format!("{error} {error:?} {error:#?}");
            for value in ["hunter2", "4711471147114711"] {
                assert!(!shown.contains(value), "{context}");
            }
        }
        let summary = items.summary();
        assert_eq!((summary.items, summary.rejected), ((accounts - invalid) as u64, invalid as u64));
        let Completeness::Uncertain(reasons) = summary.completeness else {
            panic!("a list with rejected rows is not complete");
        };
        assert!(reasons.contains(&IncompleteReason::Rejected { rows: invalid as u64 }), "{reasons:?}");
        // Invalid rows cause no additional requests.
        let requests = server.list_requests().len();
        server.clear_requests();
        let valid = provider.client(&*server, &Setup::over(server.transport())).list(size.1);
        assert_eq!(valid.items().try_collect::<Vec<_>>().await.unwrap().len(), accounts);
        assert_eq!(requests, server.list_requests().len(), "{provider}");
    }
}

#[tokio::test]
async fn wrong_member_type_rejects_one_row() {
    let member = [("name", "4711471147114711"), ("name", r#"{"hunter2":1}"#), ("name", r#"["hunter2"]"#)];
    for &provider in PROVIDERS {
        for (name, value) in member {
            let (server, list) = list_with_replaced_rows(provider, (2, 10), |ids| {
                let row = format!(r#"{{"{}":"{}","{name}":{value}}}"#, provider.sim().id_field(), ids[0]);
                HashMap::from([(ids[0].clone(), serde_json::from_str(&row).unwrap())])
            })
            .await;
            let ids = server.ids();
            let received: Vec<_> = list.items().collect().await;
            assert_eq!(received.len(), 2, "{received:?}");
            let error = received[0].as_ref().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRecord);
            assert!(error.message().starts_with("failed to decode row 0 of page 1"), "{error}");
            // The id of the row may be shown: it identifies the affected account.
            assert!(error.message().contains(&ids[0]), "{error}");
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("hunter2") && !shown.contains("4711471147114711"), "{shown}");
            assert_eq!(received[1].as_ref().unwrap().id, ids[1]);
        }
    }
}
