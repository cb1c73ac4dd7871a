//! Accounts that a vendor's strict SDK can decode.

use headcount::http::{Bytes, Request, Transport};
use headcount_sim as sim;
use serde_json::Value;

const SIZE: usize = 3_000;

/// Returns the values at a JSON pointer, of all records that have one.
fn values<'a>(records: &'a [Value], pointer: &str) -> Vec<&'a Value> {
    records.iter().filter_map(|record| record.pointer(pointer)).collect()
}

/// Returns whether every value at a JSON pointer is one of these strings.
fn are_documented(records: &[Value], pointer: &str, documented: &[&str]) -> bool {
    let is_documented = |value: &&Value| value.as_str().is_some_and(|text| documented.contains(&text));
    values(records, pointer).iter().all(is_documented)
}

/// Returns whether a member other than these is null.
fn has_other_null(records: &[Value], nullable: &[&str]) -> bool {
    let members = records.iter().filter_map(Value::as_object).flatten();
    members.filter(|(_, value)| value.is_null()).any(|(name, _)| !nullable.contains(&name.as_str()))
}

/// Returns whether the records have no undocumented member.
fn has_only_documented_members(records: &[Value]) -> bool {
    values(records, "/sim_unannounced").is_empty() && values(records, "/simUnannounced").is_empty()
}

#[tokio::test]
async fn fortanix_accounts() {
    for documented in [true, false] {
        let server = sim::Fortanix::builder().accounts(SIZE).documented_only(documented);
        let records = server.start().await.expect("a server").records();
        let required = |name| records.iter().all(|record| record.get(name).is_some());
        let conforms = required("node_enrollment")
            && required("component")
            && are_documented(&records, "/status", &["ACTIVE", "PENDING", "DISABLED"])
            && are_documented(&records, "/component", &["DEFAULT", "CONFIDENTIAL_AI"])
            && are_documented(&records, "/account_status", &["Active", "Deactivated"])
            && !has_other_null(&records, &[])
            && has_only_documented_members(&records);
        assert_eq!(conforms, documented);
        assert_eq!(values(&records, "/approval_state").is_empty(), documented);
        assert_eq!(records.iter().all(|record| !record.to_string().contains("passkey")), documented);
    }
}

#[tokio::test]
async fn huawei_accounts() {
    for documented in [true, false] {
        let server = sim::Huawei::builder().accounts(SIZE).documented_only(documented);
        let records = server.start().await.expect("a server").records();
        let is_date = |value: &&Value| {
            value.as_str().is_some_and(|text| text.len() == 20 && text.ends_with('Z') && text.contains('T'))
        };
        let conforms = are_documented(&records, "/status", &["active", "suspended", "pending_closure"])
            && are_documented(&records, "/join_method", &["invited", "created"])
            && values(&records, "/joined_at").iter().all(is_date)
            && !has_other_null(&records, &[])
            && has_only_documented_members(&records);
        assert_eq!(conforms, documented);
    }
}

#[tokio::test]
async fn annature_accounts() {
    for documented in [true, false] {
        let server = sim::Annature::builder().accounts(SIZE).documented_only(documented);
        let server = server.partner_accounts(SIZE).start().await.expect("a server");
        for records in [server.records(), server.partner_world(|world| world.records())] {
            let conforms = are_documented(&records, "/role", &["administrator", "standard", "read-only"])
                && !has_other_null(&records, &["group_id", "verified"])
                && has_only_documented_members(&records);
            assert_eq!(conforms, documented);
        }
    }
}

/// The members that SailPoint's specifications of all versions allow to be null.
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
async fn sailpoint_accounts() {
    for documented in [true, false] {
        let server = sim::SailPoint::builder().accounts(SIZE).documented_only(documented);
        let server = server.start().await.expect("a server");
        let records = server.records();
        let origins = values(&records, "/origin");
        let conforms = origins.iter().all(|origin| origin.is_null() || **origin != "IMPORTED")
            && are_documented(&records, "/recommendation/type", &["HUMAN", "MACHINE"])
            && values(&records, "/type").is_empty()
            && !has_other_null(&records, NULLABLE)
            && has_only_documented_members(&records);
        assert_eq!(conforms, documented);
        let entitlements: Vec<Value> =
            server.ids().iter().take(300).flat_map(|id| server.entitlements_of(id)).collect();
        assert!(entitlements.len() > 300);
        assert_eq!(
            has_only_documented_members(&entitlements) && !has_other_null(&entitlements, &[]),
            documented
        );
    }
}

/// Lists all accounts, page by page.
async fn list(server: &sim::SailPoint, path: &str) -> Vec<Value> {
    let mut records = Vec::new();
    while records.len() < server.ids().len() {
        let uri = format!("{}{path}?sorters=id&offset={}", server.base_url(), records.len());
        let request = Request::get(uri).header("authorization", format!("Bearer {}", server.token()));
        let response = server.transport().send(request.body(Bytes::new()).expect("a request"), 1 << 24).await;
        let page: Vec<Value> =
            serde_json::from_slice(response.expect("a response").body()).expect("an array of accounts");
        records.extend(page);
    }
    records
}

#[tokio::test]
async fn sailpoint_beta_undocumented() {
    for undocumented in [false, true] {
        let server = sim::SailPoint::builder().accounts(1_000).beta_undocumented(undocumented);
        let server = server.start().await.expect("a server");
        let beta = list(&server, "/beta/accounts").await;
        let conforms = are_documented(&beta, "/recommendation/type", &["HUMAN", "MACHINE"])
            && !has_other_null(&beta, &[NULLABLE, &["type"]].concat());
        assert_eq!(conforms, !undocumented);
        let v2025 = list(&server, "/v2025/accounts").await;
        assert!(!are_documented(&v2025, "/recommendation/type", &["HUMAN", "MACHINE"]));
        assert!(has_other_null(&v2025, NULLABLE));
        assert_eq!(v2025, server.records());
    }
}

#[tokio::test]
async fn sailpoint_beta_serves_inserted_records() {
    let server = sim::SailPoint::builder().accounts(3).start().await.expect("a server");
    let own = serde_json::json!({"id": "own", "modified": null, "recommendation": {"type": "AGENT"}});
    server.insert(own.clone());
    assert!(list(&server, "/beta/accounts").await.contains(&own));
}
