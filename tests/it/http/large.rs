//! Answers within the limit of their size, of which a tree in memory would be many times as large.

use futures::StreamExt;
use headcount::{Error, ErrorKind, Paginator, http::RetryPolicy, sailpoint};

use super::answers::{Scripted, answer};

const MEGABYTE: usize = 1024 * 1024;

/// `[0,0,…]` of so many zeros.
fn zeros(count: usize) -> String {
    format!("[{}0]", "0,".repeat(count - 1))
}

/// What lists at two providers give if the page has these rows.
async fn listed(rows: &str) -> [(Vec<String>, Vec<Error>); 2] {
    let (array, object) = (rows.to_owned(), format!(r#"{{"accounts":{rows},"has_more":false}}"#));
    let sailpoint = sailpoint::Client::builder("https://acme.example")
        .token("t")
        .transport(Scripted::new(move |sent| {
            let first = sent.uri.query().is_some_and(|query| query.contains("offset=0"));
            answer(200, &[], if first { &array } else { "[]" })
        }))
        .retry(RetryPolicy::none())
        .rate_limit(None)
        .build()
        .unwrap();
    let annature = Scripted::new(move |_| answer(200, &[], &object)).annature();
    let annature = annature.retry(RetryPolicy::none()).build().unwrap();
    let lists = [sailpoint.list_accounts().into_accounts(), annature.list_accounts().into_accounts()];
    let walks = lists.map(|list| async move {
        let (mut ids, mut errors) = (Vec::new(), Vec::new());
        let mut items = list.items();
        while let Some(item) = items.next().await {
            match item {
                Ok(account) => ids.push(account.id),
                Err(error) => errors.push(error),
            }
        }
        (ids, errors)
    });
    let [first, second] = walks;
    [first.await, second.await]
}

#[tokio::test]
async fn a_very_long_failure_is_told_by_its_status_and_headers() {
    for (zeros, message) in [(self::zeros(1000), "no"), (self::zeros(4 * MEGABYTE), "Internal Server Error")]
    {
        for body in [format!(r#"{{"message":"no","of":{zeros}}}"#), zeros] {
            let transport = Scripted::new({
                let body = body.clone();
                move |_| answer(500, &[("x-request-id", "r-1")], &body)
            });
            let client = transport.annature().retry(RetryPolicy::none()).build().unwrap();
            let error = client.list_accounts().items().next().await.unwrap().unwrap_err();
            let message = if body.starts_with('{') { message } else { "Internal Server Error" };
            assert_eq!((error.kind(), error.message()), (ErrorKind::Api, message));
            assert_eq!((error.status(), error.request_id()), (Some(500), Some("r-1")));
        }
    }
}

#[tokio::test]
async fn a_page_of_bad_rows_is_refused_and_none_is_kept_back_before() {
    let [bad, worse, many] =
        [10_000, 10_001, 4 * MEGABYTE].map(|count| zeros(count).replacen('[', r#"[{"id":"a"},"#, 1));
    for (ids, errors) in listed(&bad).await {
        assert_eq!(ids, ["a"]);
        assert_eq!(errors.len(), 10_000);
        assert!(errors.iter().all(|error| error.kind() == ErrorKind::InvalidRecord));
    }
    for (ids, errors) in listed(&worse).await.into_iter().chain(listed(&many).await) {
        let [error] = &errors[..] else { panic!("{} errors", errors.len()) };
        assert_eq!((error.kind(), ids.len()), (ErrorKind::Decode, 0));
        assert!(error.message().contains("more than 10000 of the page's rows"), "{error}");
    }
}
