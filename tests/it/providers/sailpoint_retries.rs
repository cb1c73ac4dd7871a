//! No change is made twice, and what is not known to be made is told as such.

use std::time::Duration;

use headcount::{
    ErrorKind, Retry,
    http::RetryPolicy,
    sim::{ErrorBody, Fault, Faults, RetryAfter, SailPoint},
};

use super::{
    sailpoint_requests::{changes, start},
    support::sailpoint,
};

#[tokio::test]
async fn every_change_is_sent_once_and_uncertain_if_its_answer_is_lost() {
    for (fault, kind, done) in [
        (Fault::Status { status: 503, body: ErrorBody::Vendor, retry_after: None }, ErrorKind::Api, false),
        (Fault::Status { status: 500, body: ErrorBody::Vendor, retry_after: None }, ErrorKind::Api, false),
        (Fault::ResetBeforeAnswer, ErrorKind::Transport, false),
        (Fault::ResetMidBody, ErrorKind::Transport, true),
        (Fault::HtmlOk, ErrorKind::Decode, false),
    ] {
        let (server, source, account, identity) = start(SailPoint::builder()).await;
        let client = sailpoint(&server).build().unwrap();
        client.list_accounts().total().await.unwrap();
        server.set_faults(Faults::new(1).always(fault.clone()));
        let before = server.records();
        for (name, outcome) in changes(&client, &source, &account, &identity, "hunter22") {
            server.clear_requests();
            let error = outcome.await.unwrap_err();
            assert_eq!((error.kind(), error.retry()), (kind, Retry::Uncertain), "{name} {fault:?}: {error}");
            assert_eq!((server.requests().len(), error.attempts()), (1, 1), "{name} {fault:?}");
            if done && name == "disable" {
                assert!(server.world(|world| world.record(&account)).unwrap()["disabled"] == true);
            }
            if name == "delete" && done {
                break;
            }
        }
        assert_eq!(server.records() != before, done, "{fault:?}");
    }
}

#[tokio::test]
async fn a_change_that_is_turned_away_for_haste_is_safe_to_send_again() {
    let (server, source, account, identity) = start(SailPoint::builder()).await;
    let client = sailpoint(&server).retry(RetryPolicy::default()).build().unwrap();
    client.list_accounts().total().await.unwrap();
    let fault = Fault::TooManyRequests { retry_after: Some(RetryAfter::Seconds(1)) };
    server.set_faults(Faults::new(1).always(fault));
    for (name, outcome) in changes(&client, &source, &account, &identity, "hunter22") {
        server.clear_requests();
        let error = outcome.await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Throttled, Retry::Safe), "{name}: {error}");
        assert_eq!((error.message(), server.requests().len()), ("Rate Limit Exceeded", 1), "{name}");
    }
}

#[tokio::test]
async fn a_change_whose_token_has_ended_is_replayed_with_another_and_made_once() {
    let (server, source, account, identity) = start(SailPoint::builder()).await;
    let client = sailpoint(&server).build().unwrap();
    for (name, outcome) in changes(&client, &source, &account, &identity, "hunter22") {
        client.list_accounts().total().await.unwrap();
        server.revoke_tokens();
        let tasks = server.tasks().len();
        server.clear_requests();
        if name != "remove" {
            outcome.await.unwrap();
            assert_eq!(server.tasks().len(), tasks + 1, "{name}");
            let statuses: Vec<_> =
                server.requests().iter().map(|request| request.status().unwrap()).collect();
            let last = if name.ends_with("many") { 207 } else { 202 };
            assert_eq!(statuses, [401, 200, last], "{name}");
        }
    }
}

#[tokio::test]
async fn the_providers_rate_limit_counts_every_request() {
    let builder = SailPoint::builder().accounts(60).rate_limit(Some((3, Duration::from_secs(3600))));
    let server = builder.start().await.unwrap();
    let client = sailpoint(&server).retry(RetryPolicy::none()).build().unwrap();
    let id = server.ids().remove(0);
    client.get_account(&id).send().await.unwrap();
    client.disable_account(&id).send().await.unwrap();
    client.list_entitlements(&id).total().await.unwrap();
    let error = client.enable_account(&id).send().await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Throttled, Retry::Safe));
    assert!(error.retry_after().is_some_and(|wait| wait > Duration::from_secs(3000)), "{error}");
    assert_eq!(server.tasks().len(), 1);
}
