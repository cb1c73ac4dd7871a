use futures::TryStreamExt;
use headcount::{
    SortOrder,
    sailpoint::{self, ApiVersion, DetailLevel, Field, Filter},
};
use headcount_sim::{self as sim, Request};

use super::{check, load_spec};

/// Returns the client's requests in one version of the API: each with all parameters set, and with none set.
///
/// Token requests are excluded: the vendor's files do not contain them.
async fn requests(version: ApiVersion) -> Vec<Request> {
    let builder = sim::SailPoint::builder().accounts(9).record_secrets(true).rate_limit(None);
    let server = builder.start().await.unwrap();
    let builder = sailpoint::Client::builder().base_url(server.base_url()).api_version(version);
    let builder = builder.client_credentials(server.client_id(), server.client_secret());
    let client = builder.build().unwrap();

    client.list_accounts().items().try_collect::<Vec<_>>().await.unwrap();
    for level in [DetailLevel::Slim, DetailLevel::Full] {
        let list = client.list_accounts().detail_level(level).limit(3).offset(2).count(true);
        let list =
            list.sort_by(Field::Name, SortOrder::Descending).sort_by(Field::Created, SortOrder::Ascending);
        assert_eq!(list.items().try_collect::<Vec<_>>().await.unwrap().len(), 7);
    }
    let filter = Filter::starts_with(Field::Name, "a, b\"c").and(Filter::eq(Field::Uncorrelated, false));
    let list = client.list_accounts().filter(filter).count(false).limit(2);
    list.items().try_collect::<Vec<_>>().await.unwrap();
    client.list_accounts().total().await.unwrap();

    let (tokens, requests): (Vec<_>, _) =
        server.requests().into_iter().partition(|request| request.path() == "/oauth/token");
    assert_eq!(tokens.len(), 1, "exactly one login");
    requests
}

#[tokio::test]
async fn requests_match_v2025_spec() {
    if let Some(spec) = load_spec("sailpoint_accounts.v2025.openapi.json") {
        check(&spec, &requests(ApiVersion::V2025).await, &[]);
    }
}

#[tokio::test]
async fn requests_match_beta_spec() {
    if let Some(spec) = load_spec("sailpoint_accounts.beta.openapi.json") {
        check(&spec, &requests(ApiVersion::Beta).await, &[]);
    }
}
