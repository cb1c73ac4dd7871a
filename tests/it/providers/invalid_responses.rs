//! A response that is not a list is an error, never an empty list.

use headcount::{Account, AnyPaginator, Completeness, ErrorKind, http::RetryPolicy};

use super::support::{Canned, HttpResponse, canned, list_error, respond, walk};
use crate::kit::{PROVIDERS, Provider, Quirk, Setup};

/// A list whose transport always returns the same response.
struct Case {
    provider: &'static dyn Provider,
    /// Whether it is the first list of its provider, for which the simulator can build pages.
    main: bool,
    transport: Canned,
    list: AnyPaginator<Account>,
}

/// Returns every account list of every provider.
fn lists(make_response: impl Fn() -> HttpResponse + Clone + Send + Sync + 'static) -> Vec<Case> {
    let mut cases = Vec::new();
    for &provider in PROVIDERS {
        let build = || {
            let make_response = make_response.clone();
            let transport = Canned::new(move |_, _| make_response());
            let setup = Setup::over(transport.clone()).retry(RetryPolicy::none());
            (transport, provider.client_with_transport(&setup).lists(100))
        };
        for index in 0..build().1.len() {
            let (transport, lists) = build();
            cases.push(Case { provider, main: index == 0, transport, list: lists[index].any() });
        }
    }
    cases
}

#[tokio::test]
async fn success_without_list_is_a_decode_error() {
    for (status, body) in [
        (200, ""),
        (200, "   "),
        (200, "<!DOCTYPE html><html><body>Please log in: hunter2</body></html>"),
        (200, "null"),
        (200, "true"),
        (200, "\"[]\""),
        (200, "OK"),
        (200, r#"{"error":"session expired"}"#),
        (200, r#"{"data":[],"meta":{}}"#),
        (200, r#"{"items":"none","accounts":{},"page_info":{},"has_more":false}"#),
        (200, r#"{"items":null,"accounts":null,"page_info":null,"has_more":false}"#),
        (200, "[["),
        (200, "[[]"),
        (200, r#"[{"id":"a","acct_id":"5e2b9f3a-4b1e-4c7e-9d55-0c1f7f4f0a01"}"#),
        (200, r#"{"items":[],"accounts":[],"page_info":{},"has_more":false"#),
        (204, ""),
        (204, "[]"),
    ] {
        for Case { provider, transport, list, .. } in lists(move || respond(status, body)) {
            let error = list_error(list).await;
            let case = format!("{provider}: {status} {body:?}: {error}");
            assert_eq!(error.kind(), ErrorKind::Decode, "{case}");
            assert!(error.message().contains("expected"), "{case}");
            assert!(error.provider().is_some(), "{case}");
            assert!(!format!("{error:?}").contains("hunter2"), "{case}");
            assert_eq!(transport.urls().len(), 1, "{case}");
        }
    }
}

#[tokio::test]
async fn object_without_rows_is_an_error() {
    for body in ["{}", r#"{"page_info":{},"cursor":null,"has_more":false}"#] {
        for Case { provider, transport, list, .. } in lists(move || respond(200, body)) {
            if provider.has(Quirk::OptionalRows) && body == "{}" {
                assert!(walk(list).await.errors.is_empty());
                continue;
            }
            let error = list_error(list).await;
            assert_eq!(error.kind(), ErrorKind::Decode, "{body}: {error}");
            assert_eq!(transport.urls().len(), 1);
        }
    }
}

#[tokio::test]
async fn rows_of_wrong_type_are_an_error() {
    for rows in [r#""""#, r#""hunter2""#, "{}", r#"{"id":"a"}"#, "0", "false"] {
        let bodies = [
            format!(r#"{{"items":{rows}}}"#),
            format!(r#"{{"accounts":{rows},"page_info":{{}},"cursor":null,"has_more":false}}"#),
        ];
        for body in bodies {
            for Case { provider, transport, list, .. } in lists({
                let body = body.clone();
                move || respond(200, &body)
            }) {
                let error = list_error(list).await;
                assert_eq!(error.kind(), ErrorKind::Decode, "{provider}: {body}: {error}");
                assert!(!error.to_string().contains("hunter2"), "{error}");
                assert_eq!(transport.urls().len(), 1);
            }
        }
    }
}

#[tokio::test]
async fn array_instead_of_object_is_an_error() {
    for body in
        ["[[]]", "[[],{}]", "[[],null,false]", r#"[[{"id":"a"}],null,false]"#, " [[],{\"next_marker\":null}]"]
    {
        for Case { provider, main, list, .. } in lists(move || respond(200, body)) {
            // Skips lists that expect an array.
            if !main || provider.sim().page(&[], None).starts_with('[') {
                continue;
            }
            let error = list_error(list).await;
            assert_eq!(error.kind(), ErrorKind::Decode, "{body}: {error}");
            assert!(error.message().contains("an array"), "{error}");
        }
    }
}

#[tokio::test]
async fn non_object_rows_are_rejected() {
    let rows = |number| {
        if number == 0 { "[1,\"hunter2\",null,[]]" } else { "[]" }
    };
    let transport = Canned::new(move |number, _| respond(200, rows(number)));
    let walk = walk(canned::sailpoint(&transport).list_accounts()).await;
    assert!(walk.items.is_empty());
    assert_eq!(walk.errors.len(), 4, "{:?}", walk.errors);
    assert!(!format!("{:?}", walk.errors).contains("hunter2"));
    assert!(matches!(walk.summary.completeness, Completeness::Uncertain(_)));
}

#[tokio::test]
async fn redirect_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let redirect = move || {
            let mut response = respond(status, "");
            let location = http::HeaderValue::from_static("http://127.0.0.1:9/elsewhere");
            response.headers_mut().insert(http::header::LOCATION, location);
            response
        };
        for Case { transport, list, .. } in lists(redirect) {
            let error = list_error(list).await;
            assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(status)));
            assert!(error.message().contains("redirect"), "{error}");
            assert_eq!(transport.urls().len(), 1);
        }
    }
}

#[tokio::test]
async fn error_kind_follows_status() {
    for (status, kind) in [
        (304, ErrorKind::Api),
        (400, ErrorKind::Api),
        (401, ErrorKind::Auth),
        (403, ErrorKind::PermissionDenied),
        (404, ErrorKind::NotFound),
        (418, ErrorKind::Api),
        (429, ErrorKind::Throttled),
        (500, ErrorKind::Api),
        (502, ErrorKind::Api),
    ] {
        for body in ["", "<html>Bad Gateway</html>", "[]", r#"{"items":[],"accounts":[]}"#] {
            for Case { list, .. } in lists(move || respond(status, body)) {
                let error = list_error(list).await;
                assert_eq!((error.kind(), error.status()), (kind, Some(status)), "{body}: {error}");
            }
        }
    }
}

#[tokio::test]
async fn alternating_pages_are_a_pagination_loop() {
    for (longer, shorter) in [
        (r#"[{"id":"a"},{"id":"b"}]"#, r#"[{"id":"a"}]"#),
        (r#"[{"id":"b"},{"id":"c"},{"id":"a"}]"#, r#"[{"id":"b"},{"id":"c"}]"#),
    ] {
        let transport = Canned::new(move |number, _| {
            assert!(number < 100, "the list does not end");
            respond(200, if number % 2 == 0 { longer } else { shorter })
        });
        let walk = walk(canned::sailpoint(&transport).list_accounts()).await;
        assert_eq!(walk.errors.last().unwrap().kind(), ErrorKind::PaginationLoop, "{:?}", walk.errors);
    }
}

#[tokio::test]
async fn repeated_page_is_a_pagination_loop() {
    for body in [r#"[{"error":"no"}]"#, "[1,2,3]", r#"[{"id":"a"}]"#, r#"[{"id":"a"},{},{}]"#] {
        let transport = Canned::new(move |number, _| {
            assert!(number < 10, "the list does not end");
            respond(200, body)
        });
        let walk = walk(canned::sailpoint(&transport).list_accounts()).await;
        let error = walk.errors.last().unwrap();
        assert_eq!(error.kind(), ErrorKind::PaginationLoop, "{body}: {error}");
        assert!(walk.items.len() <= 1);
    }
}
