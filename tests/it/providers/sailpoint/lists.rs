use headcount::{
    Completeness, IncompleteReason, SortOrder,
    sailpoint::{Account, ApiVersion, DetailLevel, Field, Filter, ListAccounts},
};
use headcount_sim::{BeyondEnd, SailPoint, SailPointBuilder};

use crate::providers::support::{assert_list_unsent, list_all, sailpoint, values, walk};

async fn start(builder: SailPointBuilder) -> SailPoint {
    builder.rate_limit(None).start().await.unwrap()
}

async fn server(accounts: usize) -> SailPoint {
    start(SailPoint::builder().accounts(accounts)).await
}

fn list(server: &SailPoint) -> ListAccounts {
    sailpoint(server).build().unwrap().list_accounts()
}

fn ids(accounts: &[Account]) -> Vec<String> {
    accounts.iter().map(|account| account.id.clone()).collect()
}

/// Returns the requested offsets.
fn offsets(server: &SailPoint) -> Vec<usize> {
    let offsets = values(&server.list_requests(), "offset").into_iter().flatten();
    offsets.map(|offset| offset.parse().unwrap()).collect()
}

#[tokio::test]
async fn every_account_once_in_every_version() {
    for version in ApiVersion::ALL {
        for accounts in [0, 1, 4, 5, 6, 23] {
            let server = server(accounts).await;
            let client = sailpoint(&server).api_version(version).build().unwrap();
            let listed = list_all(client.list_accounts().limit(5)).await;
            assert_eq!(ids(&listed), server.ids(), "{version:?} {accounts}");
            let requests = server.list_requests();
            assert!(requests.iter().all(|request| request.path() == version.path()));
            assert!(
                values(&requests, "sorters").iter().all(|sorters| sorters.as_deref() == Some("id")),
                "paging by offset needs an order"
            );
            assert!(values(&requests, "limit").iter().all(|limit| limit.as_deref() == Some("5")));
        }
    }
    assert_eq!(
        ApiVersion::ALL.map(ApiVersion::path),
        [
            "/beta/accounts",
            "/v3/accounts",
            "/v2024/accounts",
            "/v2025/accounts",
            "/v2026/accounts",
            "/accounts/v1"
        ]
    );
}

#[tokio::test]
async fn pages_overlap_by_one_row() {
    for past_end in [BeyondEnd::Empty, BeyondEnd::BadRequest] {
        for (accounts, expected) in [
            (0, vec![0]),
            (1, vec![0, 0]),
            (5, vec![0, 4]),
            (6, vec![0, 4, 5]),
            // Every page after the first adds four accounts: 9 and 13 end with a full page.
            (9, vec![0, 4, 8]),
            (10, vec![0, 4, 8, 9]),
            (13, vec![0, 4, 8, 12]),
        ] {
            let server = start(SailPoint::builder().accounts(accounts).beyond_end(past_end)).await;
            let walk = walk(list(&server).limit(5)).await;
            assert_eq!(ids(&walk.items), server.ids(), "{past_end:?} {accounts}");
            assert_eq!(walk.summary.completeness, Completeness::Complete);
            assert_eq!(walk.summary.total, Some(accounts as u64));
            assert_eq!(offsets(&server), expected, "{past_end:?} {accounts}");
        }
    }
}

#[tokio::test]
async fn count_is_requested_first_and_near_the_end() {
    let server = server(30).await;
    for (count, expected) in
        [(None, "true - - - - - - true true"), (Some(true), "true true true true true true true true true")]
    {
        server.clear_requests();
        let list = list(&server).limit(5);
        list_all(count.iter().fold(list, |list, count| list.count(*count))).await;
        let counts = values(&server.list_requests(), "count");
        let counts: Vec<_> = counts.iter().map(|count| count.as_deref().unwrap_or("-")).collect();
        assert_eq!(counts.join(" "), expected);
    }
}

#[tokio::test]
async fn end_without_counts() {
    for past_end in [BeyondEnd::Empty, BeyondEnd::BadRequest] {
        for accounts in [0, 1, 4, 5, 6, 9, 13, 14] {
            let server = start(SailPoint::builder().accounts(accounts).beyond_end(past_end)).await;
            let walk = walk(list(&server).limit(5).count(false)).await;
            assert!(walk.errors.is_empty(), "{:?}", walk.errors);
            assert_eq!(ids(&walk.items), server.ids(), "{past_end:?} {accounts}");
            assert_eq!(walk.summary.completeness, Completeness::Complete);
            assert_eq!(walk.summary.total, None);
            let counts = values(&server.list_requests(), "count");
            assert!(counts.iter().all(|count| count.as_deref() != Some("true")), "{counts:?}");
        }
    }
}

#[tokio::test]
async fn short_page_is_not_the_end() {
    for count in [None, Some(true), Some(false)] {
        for every in [1, 2, 3] {
            let builder = SailPoint::builder().accounts(47).short_page_every(every);
            let server = start(builder).await;
            let short = list(&server).limit(10);
            let short = count.iter().fold(short, |list, count| list.count(*count));
            assert_eq!(ids(&list_all(short).await), server.ids(), "{count:?} {every}");
        }
    }
}

#[tokio::test]
async fn offset_skips_the_first_accounts() {
    for offset in [0, 3, 7, 16, 17, 40] {
        let server = server(17).await;
        let walk = walk(list(&server).limit(5).offset(offset)).await;
        assert!(walk.errors.is_empty(), "{:?}", walk.errors);
        let rest = server.ids().into_iter().skip(usize::try_from(offset).unwrap());
        assert_eq!(ids(&walk.items), rest.collect::<Vec<_>>(), "{offset}");
        assert_eq!(offsets(&server)[0] as u64, offset);
        assert_eq!(walk.summary.total, Some(17_u64.saturating_sub(offset)));
    }
}

#[tokio::test]
async fn custom_order_ends_with_the_id() {
    let server = server(40).await;
    let order = |list: ListAccounts, by: &[(Field, SortOrder)]| {
        by.iter().fold(list.limit(7), |list, (field, order)| list.sort_by(*field, *order))
    };
    for (by, sorters) in [
        (vec![(Field::Name, SortOrder::Ascending)], "name,id"),
        (
            vec![(Field::SourceId, SortOrder::Ascending), (Field::Modified, SortOrder::Descending)],
            "sourceId,-modified,id",
        ),
        (vec![(Field::Id, SortOrder::Descending)], "-id"),
        (vec![(Field::Id, SortOrder::Ascending), (Field::Created, SortOrder::Ascending)], "id,created"),
    ] {
        server.clear_requests();
        let walk = walk(order(list(&server), &by)).await;
        assert!(walk.errors.is_empty(), "{:?}", walk.errors);
        let listed = ids(&walk.items);
        let expected = match by[0].0 {
            Field::Id => Completeness::Complete,
            // Accounts can be renamed during the listing, and so move.
            _ => Completeness::Uncertain(vec![IncompleteReason::UnstableOrder]),
        };
        assert_eq!(walk.summary.completeness, expected, "{sorters}");
        let mut sorted = listed.clone();
        sorted.sort();
        assert_eq!(sorted, server.ids(), "{sorters}");
        let sent = values(&server.list_requests(), "sorters");
        assert!(sent.iter().all(|sent| sent.as_deref() == Some(sorters)), "{sent:?}");
        if sorters == "-id" {
            assert!(listed.is_sorted_by(|one, next| one > next));
        }
    }
}

#[tokio::test]
async fn detail_level_and_filters_on_every_page() {
    let server = server(60).await;
    let slim = list(&server)
        .detail_level(DetailLevel::Slim)
        .filter(Filter::eq(Field::Uncorrelated, false))
        .filter(Filter::starts_with(Field::Id, "").or(Filter::eq(Field::Origin, "none")))
        .limit(9);
    let listed = list_all(slim).await;
    assert!(listed.len() > 9);
    assert!(listed.iter().all(|account| account.authoritative.is_none()));
    for request in server.list_requests() {
        assert_eq!(request.query_value("detailLevel"), Some("SLIM"));
        assert_eq!(
            request.query_value("filters"),
            Some(r#"uncorrelated eq false and (id sw "" or origin eq "none")"#)
        );
    }
    server.clear_requests();
    let listed = list_all(list(&server)).await;
    assert!(listed.iter().all(|account| account.authoritative.is_some()));
    let request = &server.list_requests()[0];
    assert_eq!((request.query_value("detailLevel"), request.query_value("filters")), (None, None));
    assert_eq!(request.query_value("limit"), Some("250"));
}

#[tokio::test]
async fn invalid_parameters_are_not_sent() {
    let server = server(3).await;
    for (list, words) in [
        (list(&server).limit(0), ["limit is 0", "expected 2 to 250"]),
        (list(&server).limit(1), ["limit is 1", "expected 2 to 250"]),
        (list(&server).limit(251), ["limit is 251", "expected 2 to 250"]),
        (
            list(&server).sort_by(Field::Uncorrelated, SortOrder::Ascending),
            ["uncorrelated", "is not supported in /accounts/v1"],
        ),
    ] {
        assert_list_unsent(&server, list, &words).await;
    }
    let v3 = sailpoint(&server).api_version(ApiVersion::V3).build().unwrap();
    let sorted = v3.list_accounts().sort_by(Field::HasEntitlements, SortOrder::Ascending);
    assert_list_unsent(&server, sorted, &["hasEntitlements", "/v3/accounts"]).await;
    let beta = sailpoint(&server).api_version(ApiVersion::Beta).build().unwrap();
    let sorted = beta.list_accounts().sort_by(Field::HasEntitlements, SortOrder::Ascending);
    assert_eq!(list_all(sorted).await.len(), 3, "beta sorts by it");
}

#[tokio::test]
async fn total_requests_no_rows() {
    let server = server(37).await;
    assert_eq!(list(&server).total().await.unwrap(), 37);
    let filtered = list(&server).filter(Filter::eq(Field::Uncorrelated, true));
    let uncorrelated = list_all(filtered.clone()).await.len() as u64;
    server.clear_requests();
    assert_eq!(filtered.total().await.unwrap(), uncorrelated);
    let request = &server.list_requests()[0];
    assert_eq!(server.list_requests().len(), 1);
    let sent = ["limit", "count", "filters"].map(|name| request.query_value(name));
    assert_eq!(sent, [Some("0"), Some("true"), Some("uncorrelated eq true")]);
}
