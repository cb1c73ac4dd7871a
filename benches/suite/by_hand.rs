//! The baseline: a hand-written loop with reqwest and serde.
//!
//! It decodes every documented field, follows the marker or the offset, and visits each account. There are no
//! retries, checks or signatures.

use std::hint::black_box;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::rows::{HUAWEI_PAGE_SIZE, SAILPOINT_PAGE_SIZE};

#[derive(Deserialize)]
#[expect(dead_code, reason = "the fields are only decoded")]
pub(crate) struct HuaweiAccount {
    id: String,
    urn: Option<String>,
    join_method: Option<String>,
    status: Option<String>,
    joined_at: Option<String>,
    name: Option<String>,
    description: Option<String>,
    mobile_phone: Option<String>,
    intl_number_prefix: Option<String>,
    email: Option<String>,
}

#[derive(Deserialize)]
struct HuaweiPage {
    accounts: Vec<HuaweiAccount>,
    page_info: PageInfo,
}

#[derive(Deserialize)]
struct PageInfo {
    next_marker: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "the fields are only decoded")]
pub(crate) struct SailPointAccount {
    id: String,
    name: Option<String>,
    created: Option<String>,
    modified: Option<String>,
    source_id: Option<String>,
    source_name: Option<String>,
    identity_id: Option<String>,
    identity: Option<Reference>,
    source_owner: Option<Reference>,
    owner_identity: Option<Reference>,
    owner_group: Option<Reference>,
    cloud_lifecycle_state: Option<String>,
    identity_state: Option<String>,
    connection_type: Option<String>,
    is_machine: Option<bool>,
    recommendation: Option<Recommendation>,
    attributes: Option<Box<RawValue>>,
    authoritative: Option<bool>,
    description: Option<String>,
    disabled: Option<bool>,
    locked: Option<bool>,
    native_identity: Option<String>,
    system_account: Option<bool>,
    uncorrelated: Option<bool>,
    uuid: Option<String>,
    manually_correlated: Option<bool>,
    has_entitlements: Option<bool>,
    features: Option<String>,
    origin: Option<String>,
    r#type: Option<String>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "the fields are only decoded")]
struct Reference {
    r#type: Option<String>,
    id: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "the fields are only decoded")]
struct Recommendation {
    r#type: Option<String>,
    method: Option<String>,
}

/// Lists Huawei's accounts and passes those of each page to `visit_page`.
pub(crate) async fn huawei(
    http: &reqwest::Client,
    base: &str,
    mut visit_page: impl FnMut(Vec<HuaweiAccount>) + Send,
) {
    let first = format!("{base}/v1/organizations/accounts?limit={HUAWEI_PAGE_SIZE}");
    let mut url = first.clone();
    loop {
        let body = fetch(http, &url).await;
        let page: HuaweiPage = serde_json::from_slice(&body).expect("a page");
        visit_page(page.accounts);
        match page.page_info.next_marker {
            Some(marker) => url = format!("{first}&marker={marker}"),
            None => return,
        }
    }
}

/// Lists SailPoint's accounts and passes those of each page to `visit_page`.
pub(crate) async fn sailpoint(
    http: &reqwest::Client,
    base: &str,
    mut visit_page: impl FnMut(Vec<SailPointAccount>) + Send,
) {
    let mut offset = 0;
    loop {
        let body = fetch(http, &sailpoint_url(base, offset)).await;
        let page: Vec<SailPointAccount> = serde_json::from_slice(&body).expect("a page");
        if page.is_empty() {
            return;
        }
        offset += page.len() as u64;
        visit_page(page);
    }
}

/// Visits each account of a page. Returns their number.
pub(crate) fn visit<T>(accounts: Vec<T>) -> u64 {
    let count = accounts.len() as u64;
    for account in accounts {
        black_box(&account);
    }
    count
}

/// Fetches Huawei's pages without decoding them. Returns the number of pages.
pub(crate) async fn huawei_bytes(http: &reqwest::Client, base: &str) -> u64 {
    let first = format!("{base}/v1/organizations/accounts?limit={HUAWEI_PAGE_SIZE}");
    let (mut url, mut pages) = (first.clone(), 0);
    loop {
        let body = fetch(http, &url).await;
        pages += 1;
        // The marker is at the end of the body.
        let end = String::from_utf8_lossy(&body[body.len().saturating_sub(100)..]);
        match end.split_once(r#""next_marker":""#).and_then(|(_, end)| end.split_once('"')) {
            Some((marker, _)) => url = format!("{first}&marker={marker}"),
            None => return pages,
        }
    }
}

/// Fetches SailPoint's pages without decoding them. Returns the number of pages.
pub(crate) async fn sailpoint_bytes(http: &reqwest::Client, base: &str) -> u64 {
    let mut pages = 0;
    while fetch(http, &sailpoint_url(base, pages * SAILPOINT_PAGE_SIZE)).await.len() > "[]".len() {
        pages += 1;
    }
    pages
}

fn sailpoint_url(base: &str, offset: u64) -> String {
    format!("{base}/accounts/v1?limit={SAILPOINT_PAGE_SIZE}&offset={offset}&sorters=id")
}

async fn fetch(http: &reqwest::Client, url: &str) -> bytes::Bytes {
    let response = http.get(url).bearer_auth("token").send().await.expect("a response");
    response.bytes().await.expect("a body")
}
