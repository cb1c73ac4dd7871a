//! A change is sent once more after a rejected token, and every request counts towards the rate limit.

use std::time::Duration;

use headcount::{ErrorKind, Retryability, http::RetryPolicy};
use headcount_sim::SailPoint;

use super::support::start;
use crate::kit::sailpoint::mutations;
use crate::providers::support::sailpoint;

#[tokio::test]
async fn expired_token_replays_change_once() {
    let (server, ids) = start(SailPoint::builder()).await;
    let client = sailpoint(&server).build().unwrap();
    for (name, outcome) in mutations(&client, &ids, "hunter22") {
        client.list_accounts().total().await.unwrap();
        server.revoke_tokens();
        let tasks = server.tasks().len();
        server.clear_requests();
        outcome.await.unwrap();
        assert_eq!(server.tasks().len(), tasks + 1, "{name}");
        let statuses: Vec<_> = server.requests().iter().map(|request| request.status().unwrap()).collect();
        let last = if name.ends_with("many") { 207 } else { 202 };
        assert_eq!(statuses, [401, 200, last], "{name}");
    }
}

#[tokio::test]
async fn rate_limit_counts_every_request() {
    let builder = SailPoint::builder().accounts(60).rate_limit(Some((3, Duration::from_secs(3600))));
    let server = builder.start().await.unwrap();
    let client = sailpoint(&server).retry(RetryPolicy::none()).build().unwrap();
    let id = server.ids().remove(0);
    client.get_account(&id).send().await.unwrap();
    client.disable_account(&id).send().await.unwrap();
    client.list_entitlements(&id).total().await.unwrap();
    let error = client.enable_account(&id).send().await.unwrap_err();
    assert_eq!((error.kind(), error.retryability()), (ErrorKind::Throttled, Retryability::Retryable));
    assert!(error.retry_after().is_some_and(|wait| wait > Duration::from_secs(3000)), "{error}");
    assert_eq!(server.tasks().len(), 1);
}
