//! A row that can not be read is told in its place, and costs no other row.

use futures::StreamExt;
use headcount::{Account, AnyPaginator, Completeness, Doubt, ErrorKind, Paginator};

use super::support::{Canned, answer, canned};

/// A provider's list, and how it writes a page of these rows, the last one or not.
struct Provider {
    list: fn(&Canned) -> AnyPaginator<Account>,
    page: fn(&str, bool) -> String,
    id: &'static str,
    /// Whether each page begins with the last row of the one before.
    by_offset: bool,
    /// Whether a page is asked for by the id of the row before it.
    by_id: bool,
    /// Pages that it asks for behind the last row.
    empty_end: bool,
}

impl Provider {
    /// A server of these rows, the first ones on one page and the rest, if there is any, on the next.
    fn served(&self, first: &[String], rest: &[String]) -> Canned {
        let page = self.page;
        let first_page = page(&first.join(","), rest.is_empty());
        let pages = [first_page, page(&rest.join(","), true), page("", true)];
        let (rows, cut, by_offset) = ([first, rest].concat(), first.len(), self.by_offset);
        let by_id = self.by_id;
        Canned::new(move |number, request| {
            if by_id {
                let query = request.uri().query().unwrap();
                let id = query.split('&').find_map(|pair| pair.strip_prefix("previous_id="));
                let from = id.map_or(0, |id| rows.iter().position(|row| row.contains(id)).unwrap() + 1);
                let to = if from == 0 { cut } else { rows.len() };
                return answer(200, page(&rows[from..to].join(","), true));
            }
            if !by_offset {
                return answer(200, pages[number.min(2)].clone());
            }
            let query = request.uri().query().unwrap();
            let offset = query.split('&').find_map(|pair| pair.strip_prefix("offset="));
            let offset: usize = offset.unwrap().parse().unwrap();
            let to = if offset == 0 { cut } else { rows.len() };
            let mut answer = answer(200, page(&rows[offset.min(to)..to].join(","), true));
            answer.headers_mut().insert("x-total-count", rows.len().into());
            answer
        })
    }
}

fn providers() -> [Provider; 4] {
    [
        Provider {
            list: |transport| canned::fortanix(transport).list_accounts().into_accounts(),
            page: |rows, _| format!(r#"{{"items":[{rows}]}}"#),
            id: "acct_id",
            empty_end: true,
            by_offset: false,
            by_id: true,
        },
        Provider {
            list: |transport| canned::huawei(transport).list_accounts().into_accounts(),
            page: |rows, last| {
                let marker = if last { "null" } else { "\"next\"" };
                format!(r#"{{"accounts":[{rows}],"page_info":{{"next_marker":{marker}}}}}"#)
            },
            id: "id",
            empty_end: false,
            by_offset: false,
            by_id: false,
        },
        Provider {
            list: |transport| canned::annature(transport).list_accounts().into_accounts(),
            page: |rows, last| format!(r#"{{"accounts":[{rows}],"cursor":"next","has_more":{}}}"#, !last),
            id: "id",
            empty_end: false,
            by_offset: false,
            by_id: false,
        },
        Provider {
            list: |transport| canned::sailpoint(transport).list_accounts().into_accounts(),
            page: |rows, _| format!("[{rows}]"),
            id: "id",
            empty_end: true,
            by_offset: true,
            by_id: false,
        },
    ]
}

/// Ids that every provider takes.
fn good(number: u8) -> String {
    format!("5e2b9f3a-4b1e-4c7e-9d55-0c1f7f4f0a{number:02x}")
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
    for provider in providers() {
        let row = |id: String| format!(r#"{{"{}":"{id}"}}"#, provider.id);
        // Page 1 is good; in page 2 a bad row stands between good ones, and one after the last.
        let mut rows = vec![row(good(0x10))];
        for (number, bad) in BAD.iter().enumerate() {
            rows.push(bad.replace("ID", provider.id));
            rows.push(row(good(0x20 + u8::try_from(number).unwrap())));
        }
        let transport = provider.served(&[row(good(1)), row(good(2))], &rows);
        let mut items = (provider.list)(&transport).items();
        let mut came = Vec::new();
        while let Some(next) = items.next().await {
            came.push(next.map(|account| account.id));
        }
        assert_eq!(came.len(), 2 + rows.len(), "{}", provider.id);
        for (index, came) in came[2..].iter().enumerate() {
            if index % 2 == 0 {
                let id = if index == 0 { 0x10 } else { 0x1f + u8::try_from(index / 2).unwrap() };
                assert_eq!(came.as_ref().unwrap(), &good(id));
                continue;
            }
            let error = came.as_ref().unwrap_err();
            let context = format!("{} {}: {error}", provider.id, rows[index]);
            assert_eq!(error.kind(), ErrorKind::Record, "{context}");
            assert!(error.message().starts_with(&format!("row {index} of page 2")), "{context}");
            let shown = format!("{error} {error:?} {error:#?}");
            for value in ["hunter2", "4711471147114711"] {
                assert!(!shown.contains(value), "{context}");
            }
        }
        let summary = items.summary();
        assert_eq!((summary.yielded, summary.rejected), (2 + 13, 12));
        let Completeness::Doubtful(doubts) = summary.completeness else {
            panic!("a list with rows that could not be read is not whole");
        };
        assert!(doubts.contains(&Doubt::Rejected { rows: 12 }), "{doubts:?}");
        assert_eq!(transport.seen().len(), if provider.empty_end { 3 } else { 2 });
    }
}

#[tokio::test]
async fn a_member_of_another_type_costs_only_its_row_and_does_not_show() {
    let member = [("name", "4711471147114711"), ("name", r#"{"hunter2":1}"#), ("name", r#"["hunter2"]"#)];
    for provider in providers() {
        for (name, value) in member {
            let bad = format!(r#"{{"{}":"{}","{name}":{value}}}"#, provider.id, good(1));
            let fine = format!(r#"{{"{}":"{}"}}"#, provider.id, good(2));
            let transport = provider.served(&[bad, fine], &[]);
            let came: Vec<_> = (provider.list)(&transport).items().collect().await;
            assert_eq!(came.len(), 2, "{came:?}");
            let error = came[0].as_ref().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Record);
            assert!(error.message().starts_with("row 0 of page 1"), "{error}");
            // The row's id may show: it says which account to look at.
            assert!(error.message().contains(&good(1)), "{error}");
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("hunter2") && !shown.contains("4711471147114711"), "{shown}");
            assert_eq!(came[1].as_ref().unwrap().id, good(2));
        }
    }
}
