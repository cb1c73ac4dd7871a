use chrono::{DateTime, Utc};
use headcount::{
    ErrorKind,
    sailpoint::{ApiVersion, Field, Filter},
};
use headcount_sim::SailPoint;

use crate::providers::support::{STRANGE, assert_list_unsent, list_error, sailpoint};

async fn server(accounts: usize) -> SailPoint {
    let builder = SailPoint::builder().accounts(accounts).rate_limit(None);
    builder.start().await.unwrap()
}

#[tokio::test]
async fn unsupported_filters_are_not_sent() {
    let server = server(3).await;
    let moment: DateTime<Utc> = "2024-01-01T00:00:00Z".parse().unwrap();
    for (version, filter, words) in [
        (
            ApiVersion::Beta,
            Filter::lt(Field::Created, moment),
            ["`lt`", "created in /beta/accounts (supported: eq, ge, gt, le)"],
        ),
        (
            ApiVersion::V2026,
            Filter::eq(Field::RecommendationType, "HUMAN"),
            ["recommendation.type", "supported: none"],
        ),
        (ApiVersion::V3, Filter::eq(Field::Uuid, "x"), ["uuid", "supported: none"]),
        (ApiVersion::V3, Filter::starts_with(Field::Origin, "AGG"), ["`sw`", "supported: eq, in)"]),
        (ApiVersion::V3, Filter::is_null(Field::Name), ["`isnull`", "supported: eq, in, sw)"]),
        (
            ApiVersion::V3,
            Filter::eq(Field::Uncorrelated, "true"),
            ["uncorrelated", "expected true or false, got text"],
        ),
        (ApiVersion::V3, Filter::eq(Field::Created, "2024-01-01"), ["created", "expected a date, got text"]),
        (ApiVersion::V3, Filter::eq(Field::Name, true), ["name", "expected text, got true or false"]),
        (ApiVersion::V3, Filter::is_in::<&str>(Field::Name, []), ["name", "no values"]),
        (ApiVersion::V3, Filter::raw("  "), ["raw filter", "empty"]),
        (
            ApiVersion::V3,
            Filter::eq(Field::Id, "x").and(Filter::eq(Field::Uuid, "x").not().or(Filter::raw("x"))),
            ["uuid", "supported: none"],
        ),
        (ApiVersion::V3, Filter::eq(Field::Name, "x".repeat(9000)), ["URL", "shorter filter"]),
    ] {
        let client = sailpoint(&server).api_version(version).token("unused").build().unwrap();
        assert_list_unsent(&server, client.list_accounts().filter(filter), &words).await;
    }
}

#[tokio::test]
async fn documented_field_and_operator_pairs() {
    let server = server(1).await;
    let moment: DateTime<Utc> = "2024-01-01T00:00:00Z".parse().unwrap();
    let mut accepted = 0;
    for version in ApiVersion::ALL {
        let client = sailpoint(&server).api_version(version).build().unwrap();
        for field in Field::ALL {
            let (texts, dates) = (["x"], [moment]);
            for filter in [
                Filter::eq(*field, "x"),
                Filter::eq(*field, true),
                Filter::eq(*field, moment),
                Filter::is_in(*field, texts),
                Filter::is_in(*field, dates),
                Filter::starts_with(*field, "x"),
                Filter::is_null(*field),
                Filter::ge(*field, moment),
                Filter::gt(*field, moment),
                Filter::le(*field, moment),
                Filter::lt(*field, moment),
            ] {
                // The crate rejects the filter, or the server accepts it.
                match client.list_accounts().filter(filter.clone()).total().await {
                    Ok(_) => accepted += 1,
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Config, "{version:?} {filter}: {error}");
                    }
                }
            }
        }
    }
    // The reference documents 45 pairs in all versions, except `created lt` in beta, and 3 more in v2025.
    assert_eq!(accepted, 6 * 45 - 1 + 3);
}

#[tokio::test]
async fn invalid_raw_filter_is_a_400() {
    let server = server(3).await;
    let client = sailpoint(&server).build().unwrap();
    for filter in ["attributes.mail eq \"x\"", "name co \"x\"", "name EQ \"x\"", "name eq", STRANGE] {
        server.clear_requests();
        let error = list_error(client.list_accounts().filter(Filter::raw(filter))).await;
        assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(400)));
        assert_eq!(error.code(), Some("400.1 Bad Request Content"));
        assert_eq!(error.request_id().map(str::len), Some(32));
        assert!(error.message().contains("semantically invalid"), "{error}");
        let sent = server.list_requests();
        assert_eq!(sent.len(), 1, "a 400 is not retried");
        assert_eq!(sent[0].query_value("filters"), Some(filter));
    }
}
