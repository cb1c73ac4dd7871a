//! Worlds that a vendor's strict SDK lists whole.

use headcount::http::{Bytes, Request, Transport};
use headcount_sim as sim;
use serde_json::Value;

const SIZE: usize = 3_000;

/// The values under a pointer, of all records that have it.
fn values<'a>(records: &'a [Value], pointer: &str) -> Vec<&'a Value> {
    records.iter().filter_map(|record| record.pointer(pointer)).collect()
}

/// Whether each record's value under a pointer is one of these words, if it is there.
fn are_words(records: &[Value], pointer: &str, words: &[&str]) -> bool {
    let is_word = |value: &&Value| value.as_str().is_some_and(|text| words.contains(&text));
    values(records, pointer).iter().all(is_word)
}

/// Whether a member is null anywhere but in these.
fn is_null_elsewhere(records: &[Value], nullable: &[&str]) -> bool {
    let members = records.iter().filter_map(Value::as_object).flatten();
    members.filter(|(_, value)| value.is_null()).any(|(name, _)| !nullable.contains(&name.as_str()))
}

fn is_announced(records: &[Value]) -> bool {
    values(records, "/sim_unannounced").is_empty() && values(records, "/simUnannounced").is_empty()
}

#[tokio::test]
async fn fortanix_accounts_are_documented() {
    for documented in [true, false] {
        let server = sim::Fortanix::builder().accounts(SIZE).documented_only(documented);
        let records = server.start().await.expect("a server").records();
        let required = |name| records.iter().all(|record| record.get(name).is_some());
        let holds = required("node_enrollment")
            && required("component")
            && are_words(&records, "/status", &["ACTIVE", "PENDING", "DISABLED"])
            && are_words(&records, "/component", &["DEFAULT", "CONFIDENTIAL_AI"])
            && are_words(&records, "/account_status", &["Active", "Deactivated"])
            && !is_null_elsewhere(&records, &[])
            && is_announced(&records);
        assert_eq!(holds, documented);
        assert_eq!(values(&records, "/approval_state").is_empty(), documented);
        assert_eq!(records.iter().all(|record| !record.to_string().contains("passkey")), documented);
    }
}

#[tokio::test]
async fn huawei_accounts_are_documented() {
    for documented in [true, false] {
        let server = sim::Huawei::builder().accounts(SIZE).documented_only(documented);
        let records = server.start().await.expect("a server").records();
        let is_date = |value: &&Value| {
            value.as_str().is_some_and(|text| text.len() == 20 && text.ends_with('Z') && text.contains('T'))
        };
        let holds = are_words(&records, "/status", &["active", "suspended", "pending_closure"])
            && are_words(&records, "/join_method", &["invited", "created"])
            && values(&records, "/joined_at").iter().all(is_date)
            && !is_null_elsewhere(&records, &[])
            && is_announced(&records);
        assert_eq!(holds, documented);
    }
}

#[tokio::test]
async fn annature_accounts_are_documented() {
    for documented in [true, false] {
        let server = sim::Annature::builder().accounts(SIZE).documented_only(documented);
        let server = server.partner_accounts(SIZE).start().await.expect("a server");
        for records in [server.records(), server.partner_world(|world| world.records())] {
            let holds = are_words(&records, "/role", &["administrator", "standard", "read-only"])
                && !is_null_elsewhere(&records, &["group_id", "verified"])
                && is_announced(&records);
            assert_eq!(holds, documented);
        }
    }
}

/// What SailPoint's files of all versions allow to be null.
const NULLABLE: &[&str] = &[
    "attributes",
    "cloudLifecycleState",
    "connectionType",
    "description",
    "features",
    "identityState",
    "name",
    "origin",
    "recommendation",
    "sourceName",
    "uuid",
];

#[tokio::test]
async fn sailpoint_accounts_are_documented() {
    for documented in [true, false] {
        let server = sim::SailPoint::builder().accounts(SIZE).documented_only(documented);
        let server = server.start().await.expect("a server");
        let records = server.records();
        let origins = values(&records, "/origin");
        let holds = origins.iter().all(|origin| origin.is_null() || **origin != "IMPORTED")
            && are_words(&records, "/recommendation/type", &["HUMAN", "MACHINE"])
            && values(&records, "/type").is_empty()
            && !is_null_elsewhere(&records, NULLABLE)
            && is_announced(&records);
        assert_eq!(holds, documented);
        let entitlements: Vec<Value> =
            server.ids().iter().take(300).flat_map(|id| server.entitlements_of(id)).collect();
        assert!(entitlements.len() > 300);
        assert_eq!(is_announced(&entitlements) && !is_null_elsewhere(&entitlements, &[]), documented);
    }
}

/// Every account, page by page.
async fn listed(server: &sim::SailPoint, path: &str) -> Vec<Value> {
    let mut records = Vec::new();
    while records.len() < server.ids().len() {
        let uri = format!("{}{path}?sorters=id&offset={}", server.base_url(), records.len());
        let request = Request::get(uri).header("authorization", format!("Bearer {}", server.token()));
        let answer = server.transport().send(request.body(Bytes::new()).expect("a request"), 1 << 24).await;
        let page: Vec<Value> =
            serde_json::from_slice(answer.expect("an answer").body()).expect("an array of accounts");
        records.extend(page);
    }
    records
}

#[tokio::test]
async fn sailpoint_beta_keeps_to_its_file_unless_asked() {
    for undocumented in [false, true] {
        let server = sim::SailPoint::builder().accounts(1_000).beta_undocumented(undocumented);
        let server = server.start().await.expect("a server");
        let beta = listed(&server, "/beta/accounts").await;
        let holds = are_words(&beta, "/recommendation/type", &["HUMAN", "MACHINE"])
            && !is_null_elsewhere(&beta, &[NULLABLE, &["type"]].concat());
        assert_eq!(holds, !undocumented);
        let v2025 = listed(&server, "/v2025/accounts").await;
        assert!(!are_words(&v2025, "/recommendation/type", &["HUMAN", "MACHINE"]));
        assert!(is_null_elsewhere(&v2025, NULLABLE));
        assert_eq!(v2025, server.records());
    }
}

#[tokio::test]
async fn sailpoint_beta_serves_a_tests_record_as_it_is() {
    let server = sim::SailPoint::builder().accounts(3).start().await.expect("a server");
    let own = serde_json::json!({"id": "own", "modified": null, "recommendation": {"type": "AGENT"}});
    server.insert(own.clone());
    assert!(listed(&server, "/beta/accounts").await.contains(&own));
}
