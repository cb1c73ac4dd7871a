//! A world of `documented_only` accounts is one that the vendor's file has, and any other world is not.

use headcount_sim as sim;
use serde_json::{Value, json};

use super::published;

const SIZE: usize = 2_000;

/// By the file of this name, a page is documented or it is not.
fn check(file: &str, path: &str, page: &Value, documented: bool) {
    if let Some(spec) = published(file) {
        let wrong = spec.check_answer(path, page);
        assert_eq!(wrong.is_empty(), documented, "{file}: {:?}", wrong.first());
    }
}

#[tokio::test]
async fn fortanix_answers_as_its_file_says() {
    for documented in [true, false] {
        let server = sim::Fortanix::builder().accounts(SIZE).documented_only(documented);
        let rows = server.start().await.unwrap().records();
        let page = json!({"items": rows});
        check("fortanix_ccm_accounts.swagger.json", "/v1/accounts", &page, documented);
    }
}

#[tokio::test]
async fn sailpoint_answers_as_its_files_say() {
    for file in ["sailpoint_accounts.v2025.openapi.json", "sailpoint_accounts.beta.openapi.json"] {
        for documented in [true, false] {
            let server = sim::SailPoint::builder().accounts(SIZE).documented_only(documented);
            let rows = server.start().await.unwrap().records();
            check(file, "/accounts", &rows.into(), documented);
        }
    }
}
