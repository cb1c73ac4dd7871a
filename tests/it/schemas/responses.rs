//! Simulated accounts match the vendor's schema if and only if they are generated with `documented_only`.

use headcount_sim as sim;
use serde_json::{Value, json};

use super::load_spec;

const ACCOUNTS: usize = 2_000;

/// Asserts whether a page matches the schema in the file of this name.
fn check(file: &str, path: &str, page: &Value, documented: bool) {
    if let Some(spec) = load_spec(file) {
        let violations = spec.check_response(path, page);
        assert_eq!(violations.is_empty(), documented, "{file}: {:?}", violations.first());
    }
}

#[tokio::test]
async fn fortanix_matches_spec() {
    for documented in [true, false] {
        let server = sim::Fortanix::builder().accounts(ACCOUNTS).documented_only(documented);
        let rows = server.start().await.unwrap().records();
        let page = json!({"items": rows});
        check("fortanix_ccm_accounts.swagger.json", "/v1/accounts", &page, documented);
    }
}

#[tokio::test]
async fn sailpoint_matches_specs() {
    for file in ["sailpoint_accounts.v2025.openapi.json", "sailpoint_accounts.beta.openapi.json"] {
        for documented in [true, false] {
            let server = sim::SailPoint::builder().accounts(ACCOUNTS).documented_only(documented);
            let rows = server.start().await.unwrap().records();
            check(file, "/accounts", &rows.into(), documented);
        }
    }
}
