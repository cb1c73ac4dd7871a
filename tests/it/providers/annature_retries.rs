use std::future::Future;

use headcount::{
    Error, ErrorKind, Retry,
    annature::Client,
    http::RetryPolicy,
    sim::{Annature, Fault, Faults, RetryAfter},
};

use super::support::annature;

/// A server whose first request goes wrong, and a client that would try again at once.
async fn start(fault: Fault) -> (Annature, Client) {
    let builder = Annature::builder().accounts(3).faults(Faults::new(1).on_request(1, fault));
    let server = builder.start().await.unwrap();
    let policy = RetryPolicy::default().delays(std::time::Duration::ZERO, std::time::Duration::ZERO);
    let client = annature(&server).partner_key(server.partner_key()).retry(policy).build().unwrap();
    (server, client)
}

/// What each request that changes something comes to when `fault` hits it, and how often it was sent.
async fn changes(fault: &Fault) -> Vec<(Result<(), Error>, usize)> {
    async fn outcome<T>(
        server: Annature,
        sent: impl Future<Output = Result<T, Error>>,
    ) -> (Result<(), Error>, usize) {
        let result = sent.await.map(|_| ());
        (result, server.requests().len())
    }
    let mut outcomes = Vec::new();
    macro_rules! each {
        ($(|$client:ident, $id:ident| $request:expr;)+) => { $(
            let (server, $client) = start(fault.clone()).await;
            let $id = server.ids()[0].clone();
            server.update(&$id, |record| record["verified"] = serde_json::Value::Null);
            outcomes.push(outcome(server, $request.send()).await);
        )+ };
    }
    each! {
        |client, _id| client.create_account("a", "a@example.com");
        |client, _id| client.register_account("a", "a@example.com", "b");
        |client, id| client.update_account(id).name("a");
        |client, id| client.resend_verification(id);
        |client, id| client.deactivate_account(id);
        |client, id| client.restore_account(id);
    }
    outcomes
}

#[tokio::test]
async fn a_change_that_may_have_been_carried_out_is_sent_once_and_said_to_be_uncertain() {
    let bad_gateway = Fault::Status { status: 502, body: headcount::sim::ErrorBody::Html, retry_after: None };
    for fault in [Fault::ResetBeforeAnswer, bad_gateway] {
        for (result, sent) in changes(&fault).await {
            let error = result.unwrap_err();
            assert_eq!((error.retry(), sent, error.attempts()), (Retry::Uncertain, 1, 1), "{error}");
            assert!(error.to_string().contains("it may have been carried out"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_change_that_was_turned_away_can_be_sent_again_by_its_caller() {
    let fault = Fault::TooManyRequests { retry_after: Some(RetryAfter::Seconds(1)) };
    for (result, sent) in changes(&fault).await {
        let error = result.unwrap_err();
        assert_eq!((error.kind(), error.retry(), sent), (ErrorKind::Throttled, Retry::Safe, 1), "{error}");
        assert_eq!(error.retry_after().map(|wait| wait.as_secs()), Some(1));
    }
}

#[tokio::test]
async fn an_account_is_got_in_spite_of_failures_that_pass() {
    let unavailable =
        Fault::Status { status: 503, body: headcount::sim::ErrorBody::Empty, retry_after: None };
    for fault in [Fault::ResetBeforeAnswer, Fault::TruncatedJson, unavailable] {
        let (server, client) = start(fault).await;
        let id = server.ids()[0].clone();
        let got = client.get_account(&id).without_partner_key().send().await.unwrap();
        assert_eq!((got.id, server.requests().len()), (id, 2));
    }
}

#[tokio::test]
async fn an_uncertain_creation_is_found_by_its_address_and_not_made_twice() {
    // The request arrives and is carried out; the answer breaks off.
    let (server, client) = start(Fault::TruncatedJson).await;
    let request = client.create_account("a", "a@example.com").without_partner_key();
    let error = request.clone().send().await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Decode, Retry::Uncertain));
    let list = client.list_accounts().without_partner_key().email("a@example.com");
    assert_eq!(super::support::whole(list).await.len(), 1);
    let error = request.send().await.unwrap_err();
    assert_eq!((error.status(), error.retry()), (Some(422), Retry::Never), "addresses are unique");
    assert_eq!(server.ids().len(), 4);
}
