use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::TryStreamExt;
use headcount::{
    Paginator, SortOrder, fortanix,
    http::Clock,
    sim::{self, Request},
};
use serde_json::{Value, json};

use super::{check, published, spec::Spec};

/// The operations of the vendor's file that no request of [`requests`] is.
const UNSENT: &[&str] = &[
    "POST /v1/accounts",
    "GET /v1/accounts/{account-id}",
    "PATCH /v1/accounts/{account-id}",
    "DELETE /v1/accounts/{account-id}",
    "POST /v1/sys/auth/discover",
    "POST /v1/sys/session/select_account/{account-id}",
    "POST /v1/sys/session/terminate",
    // Of no account.
    "GET /v1/sys/version",
    "GET /v1/workflow_runs",
    "POST /v1/workflow_runs",
];

/// The parameters that the file names without saying what they are, as the reference describes them.
fn parameters() -> [(&'static str, Value); 5] {
    let id =
        json!({"name": "account-id", "in": "path", "required": true, "type": "string", "format": "uuid"});
    let totals = json!({"name": "with_totals", "in": "query", "required": false, "type": "boolean"});
    let body = |name: &str, required: bool| {
        let schema = json!({"$ref": format!("#/definitions/{name}")});
        json!({"name": name, "in": "body", "required": required, "schema": schema})
    };
    [
        ("AccountId", id),
        ("WithTotals", totals),
        ("AccountRequest", body("AccountRequest", true)),
        ("AccountUpdateRequest", body("AccountUpdateRequest", true)),
        // Not there in a login with a password.
        ("AuthRequest", body("AuthRequest", false)),
    ]
}

/// The requests that the client sends: each with all that can be set, and with nothing set.
async fn requests() -> Vec<Request> {
    let server = sim::Fortanix::builder().accounts(5).record_secrets(true).start().await.unwrap();
    // So far ahead that the first token is at its end, and has to be refreshed.
    let ahead = Arc::new(AtomicU64::new(601));
    let seconds = Arc::clone(&ahead);
    let clock = move || Clock::system().now() + Duration::from_secs(seconds.load(Ordering::Relaxed));
    let builder = fortanix::Client::builder().password(server.email(), server.password());
    let client = builder.base_url(server.base_url()).clock(Clock::new(clock)).build().unwrap();

    let plain: Vec<_> = client.list_accounts().items().try_collect().await.unwrap();
    ahead.store(0, Ordering::Relaxed);
    let list = client.list_accounts().limit(2).scope(fortanix::AccountScope::User);
    let list = list.previous_id(plain[0].acct_id).sort_by("acct_id", SortOrder::Ascending);
    assert_eq!(list.items().try_collect::<Vec<_>>().await.unwrap().len(), 4);
    client.list_accounts().scope(fortanix::AccountScope::System).pages().try_next().await.unwrap();
    server.requests()
}

#[tokio::test]
async fn fortanix_requests_are_as_in_the_vendors_file() {
    let Some(spec) = published("fortanix_ccm_accounts.swagger.json") else {
        return;
    };
    let name = |spec: Spec, (name, parameter)| spec.with_parameter(name, parameter);
    check(&parameters().into_iter().fold(spec, name), &requests().await, UNSENT);
}
