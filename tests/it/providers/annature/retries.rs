use headcount::{ErrorKind, Retryability, annature::Client, http::RetryPolicy};
use headcount_sim::{Annature, Fault, Faults};

use crate::providers::support::annature;

/// Starts a server whose first request fails, and a client that retries without delay.
async fn start(fault: Fault) -> (Annature, Client) {
    let builder = Annature::builder().accounts(3).faults(Faults::new(1).on_request(1, fault));
    let server = builder.start().await.unwrap();
    let policy = RetryPolicy::default().backoff(std::time::Duration::ZERO, std::time::Duration::ZERO);
    let client = annature(&server).partner_key(server.partner_key()).retry(policy).build().unwrap();
    (server, client)
}

#[tokio::test]
async fn get_retries_transient_failures() {
    let unavailable = Fault::Status { status: 503, body: headcount_sim::ErrorBody::Empty, retry_after: None };
    for fault in [Fault::ResetBeforeResponse, Fault::TruncatedJson, unavailable] {
        let (server, client) = start(fault).await;
        let id = server.ids()[0].clone();
        let fetched = client.get_account(&id).without_partner_key().send().await.unwrap();
        assert_eq!((fetched.id, server.requests().len()), (id, 2));
    }
}

#[tokio::test]
async fn creation_is_not_repeated() {
    // The server processes the request; the response is truncated.
    let (server, client) = start(Fault::TruncatedJson).await;
    let request = client.create_account("a", "a@example.com").without_partner_key();
    let error = request.clone().send().await.unwrap_err();
    assert_eq!((error.kind(), error.retryability()), (ErrorKind::Decode, Retryability::MaybeApplied));
    let list = client.list_accounts().without_partner_key().email("a@example.com");
    assert_eq!(crate::providers::support::list_all(list).await.len(), 1);
    let error = request.send().await.unwrap_err();
    assert_eq!(
        (error.status(), error.retryability()),
        (Some(422), Retryability::Never),
        "addresses are unique"
    );
    assert_eq!(server.ids().len(), 4);
}
