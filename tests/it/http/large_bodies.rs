//! Large response bodies within `body_limit`, which would take many times their size as a tree in memory.

use headcount::{Error, ErrorKind, http::RetryPolicy, sailpoint};

use super::scripted_transport::{ScriptedTransport, respond};

const MEGABYTE: usize = 1024 * 1024;

/// Returns an array of `count` zeros: `[0,0,…]`.
fn zeros(count: usize) -> String {
    format!("[{}0]", "0,".repeat(count - 1))
}

/// Lists a page with these rows at two providers, whose pages are an array and an object. Returns ids and
/// errors.
async fn list_rows(rows: &str) -> [(Vec<String>, Vec<Error>); 2] {
    let (array, object) = (rows.to_owned(), format!(r#"{{"accounts":{rows},"has_more":false}}"#));
    let sailpoint = sailpoint::Client::builder()
        .base_url("https://acme.example")
        .token("t")
        .transport(ScriptedTransport::new(move |sent| {
            let first = sent.uri.query().is_some_and(|query| query.contains("offset=0"));
            respond(200, &[], if first { &array } else { "[]" })
        }))
        .retry(RetryPolicy::none())
        .rate_limit(None)
        .build()
        .unwrap();
    let annature = ScriptedTransport::new(move |_| respond(200, &[], &object)).annature();
    let annature = annature.retry(RetryPolicy::none()).build().unwrap();
    let lists = [sailpoint.list_accounts().into_accounts(), annature.list_accounts().into_accounts()];
    let listings = lists.map(|list| async move {
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
    let [first, second] = listings;
    [first.await, second.await]
}

#[tokio::test]
async fn large_error_is_reported_by_status() {
    for (zeros, message) in [(self::zeros(1000), "no"), (self::zeros(4 * MEGABYTE), "Internal Server Error")]
    {
        for body in [format!(r#"{{"message":"no","of":{zeros}}}"#), zeros] {
            let transport = ScriptedTransport::new({
                let body = body.clone();
                move |_| respond(500, &[("x-request-id", "r-1")], &body)
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
async fn page_with_too_many_invalid_rows_fails() {
    let [at_limit, over_limit, many] =
        [10_000, 10_001, 4 * MEGABYTE].map(|count| zeros(count).replacen('[', r#"[{"id":"a"},"#, 1));
    for (ids, errors) in list_rows(&at_limit).await {
        assert_eq!(ids, ["a"]);
        assert_eq!(errors.len(), 10_000);
        assert!(errors.iter().all(|error| error.kind() == ErrorKind::InvalidRecord));
    }
    for (ids, errors) in list_rows(&over_limit).await.into_iter().chain(list_rows(&many).await) {
        let [error] = &errors[..] else { panic!("{} errors", errors.len()) };
        assert_eq!((error.kind(), ids.len()), (ErrorKind::Decode, 0));
        assert!(error.message().contains("more than 10000 rows of the page"), "{error}");
    }
}
