//! Enabling, disabling, unlocking and reloading accounts, also for identities.

use headcount::{
    ErrorKind, SortOrder,
    sailpoint::{AccountPath, ApiVersion, Client, Field},
};
use headcount_sim::SailPoint;
use serde_json::{Value, json};

use crate::providers::support::{Canned, assert_unsent, canned, list_all, respond, sailpoint};

async fn server(accounts: usize) -> SailPoint {
    SailPoint::builder().accounts(accounts).rate_limit(None).start().await.unwrap()
}

fn client(server: &SailPoint) -> Client {
    sailpoint(server).build().unwrap()
}

/// Returns the method, path and body of the last request.
fn sent(server: &SailPoint) -> (String, String, Value) {
    let request = server.requests().pop().unwrap();
    let body = serde_json::from_str(request.body()).unwrap_or(Value::Null);
    (request.method().to_owned(), request.path().to_owned(), body)
}

/// Returns an identity that has an account with SailPoint itself, and that account.
fn identity(server: &SailPoint) -> (String, String) {
    let own = |record: &&Value| record["systemAccount"] == true && record["identityId"].is_string();
    let records = server.records();
    let own = records.iter().find(own).unwrap();
    let text = |name: &str| own[name].as_str().unwrap().to_owned();
    (text("identityId"), text("id"))
}

#[tokio::test]
async fn disable_and_enable() {
    let server = server(20).await;
    let client = client(&server);
    let id = server.ids().remove(0);
    for (disabled, request, verb) in
        [(true, client.disable_account(&id), "disable"), (false, client.enable_account(&id), "enable")]
    {
        let task = request.send().await.unwrap();
        assert_eq!(server.tasks().pop().unwrap(), task.as_str());
        // A body is required even if it is empty.
        assert_eq!(sent(&server), ("POST".into(), format!("/accounts/v1/{id}/{verb}"), json!({})));
        let listed = list_all(client.list_accounts()).await;
        let account = listed.iter().find(|account| account.id == id).unwrap();
        assert_eq!(account.disabled, Some(disabled));
    }
    let request = client.disable_account(&id).external_verification_id("3f91").force_provisioning(false);
    request.send().await.unwrap();
    let body = json!({"externalVerificationId": "3f91", "forceProvisioning": false});
    assert_eq!(sent(&server).2, body);
}

#[tokio::test]
async fn unlock_with_every_option() {
    let server = server(60).await;
    let locked = server.records().into_iter().find(|record| record["locked"] == true).unwrap();
    let id = locked["id"].as_str().unwrap();
    let request = client(&server).unlock_account(id).external_verification_id("3f91");
    let request = request.force_provisioning(true).unlock_idn_account(true);
    let task = request.send().await.unwrap();
    assert_eq!(server.tasks(), [task.as_str()]);
    let body = json!({"externalVerificationId": "3f91", "forceProvisioning": true, "unlockIDNAccount": true});
    assert_eq!(sent(&server), ("POST".into(), format!("/accounts/v1/{id}/unlock"), body));
    assert_eq!(client(&server).get_account(id).send().await.unwrap().locked, Some(false));
    client(&server).unlock_account(id).send().await.unwrap();
    assert_eq!(sent(&server).2, json!({}));
}

#[tokio::test]
async fn forced_unlock_needs_another_scope() {
    let builder = SailPoint::builder().accounts(9).scopes(["idn:accounts-state:manage"]);
    let server = builder.rate_limit(None).start().await.unwrap();
    let id = server.ids().remove(0);
    client(&server).unlock_account(&id).force_provisioning(false).send().await.unwrap();
    client(&server).disable_account(&id).force_provisioning(true).send().await.unwrap();
    let error = client(&server).unlock_account(&id).force_provisioning(true).send().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::PermissionDenied, Some("403 Forbidden")));
    assert_eq!(server.tasks().len(), 2);
}

#[tokio::test]
async fn reload_has_no_body() {
    let server = server(3).await;
    let id = server.ids().remove(0);
    let task = client(&server).reload_account(&id).send().await.unwrap();
    assert_eq!(server.tasks(), [task.as_str()]);
    assert_eq!(sent(&server), ("POST".into(), format!("/accounts/v1/{id}/reload"), Value::Null));
    assert_eq!(server.requests().pop().unwrap().header("content-type"), None);
}

#[tokio::test]
async fn changes_update_modified_but_reload_does_not() {
    let server = server(60).await;
    let client = client(&server);
    let flat = server.records().into_iter().find(|record| record["connectionType"] == "file").unwrap();
    let id = flat["id"].as_str().unwrap();
    let last = || async {
        let newest = client.list_accounts().sort_by(Field::Modified, SortOrder::Descending);
        list_all(newest).await.remove(0)
    };
    for change in ["disable", "enable", "unlock", "update", "put", "reload"] {
        server.update(id, |record| record["modified"] = json!("2001-01-01T00:00:00Z"));
        match change {
            "disable" => drop(client.disable_account(id).send().await.unwrap()),
            "enable" => drop(client.enable_account(id).send().await.unwrap()),
            "unlock" => drop(client.unlock_account(id).send().await.unwrap()),
            "update" => {
                let update = client.update_account(id).add(AccountPath::attribute("a"), 1);
                update.send().await.unwrap();
            }
            "put" => {
                let attributes = serde_json::Map::from_iter([("a".to_owned(), json!(2))]);
                client.put_account(id, attributes).send().await.unwrap();
            }
            _ => drop(client.reload_account(id).send().await.unwrap()),
        }
        assert_eq!(last().await.id == id, change != "reload", "{change}");
    }
}

#[tokio::test]
async fn disable_and_enable_for_identity() {
    let server = server(200).await;
    let client = client(&server);
    let (identity, account) = identity(&server);
    for (disabled, request, verb) in [
        (true, client.disable_account_for_identity(&identity), "disable"),
        (false, client.enable_account_for_identity(&identity), "enable"),
    ] {
        request.send().await.unwrap();
        let path = format!("/identities-accounts/v1/{identity}/{verb}");
        assert_eq!(sent(&server), ("POST".into(), path, Value::Null));
        assert_eq!(client.get_account(&account).send().await.unwrap().disabled, Some(disabled));
    }
    let error = client.enable_account_for_identity("nobody").send().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::NotFound, Some(404)));
}

#[tokio::test]
async fn result_for_each_identity() {
    let server = server(200).await;
    let (identity, account) = identity(&server);
    let other = server.identities().into_iter().find(|id| *id != identity).unwrap();
    for (disabled, verb) in [(true, "disable"), (false, "enable")] {
        let ids = [identity.as_str(), "nobody", &other, &identity];
        let client = client(&server);
        let request = if disabled {
            client.disable_accounts_for_identities(ids)
        } else {
            client.enable_accounts_for_identities(ids)
        };
        let results = request.send().await.unwrap();
        let body = json!({"identityIds": [identity, "nobody", other]});
        let path = format!("/identities-accounts/v1/{verb}");
        assert_eq!(sent(&server), ("POST".into(), path, body), "each id is sent once");
        assert_eq!(server.requests().pop().unwrap().status(), Some(207));
        let statuses: Vec<_> =
            results.results.iter().map(|result| (result.id.as_str(), result.status_code.unwrap())).collect();
        assert_eq!(statuses, [(identity.as_str(), 202), ("nobody", 404), (other.as_str(), 202)]);
        assert!(results.missing.is_empty() && results.rejected.is_empty() && !results.all_accepted());
        let failed: Vec<_> = results.not_accepted().collect();
        let message = "Referenced identity \"nobody\" was not found.";
        assert_eq!((failed.len(), failed[0].message.as_deref()), (1, Some(message)));
        assert_eq!(client.get_account(&account).send().await.unwrap().disabled, Some(disabled));
    }
    let results = client(&server).enable_accounts_for_identities([&identity]).send().await.unwrap();
    assert!(results.all_accepted());
}

#[tokio::test]
async fn identity_without_a_result_is_missing() {
    let transport =
        Canned::new(|_, _| respond(207, r#"[{"id":"b","statusCode":202,"message":null},{"id":7},null]"#));
    let client = canned::sailpoint(&transport);
    let results = client.enable_accounts_for_identities(["a", "b", "c"]).send().await.unwrap();
    assert_eq!(results.missing, ["a", "c"]);
    assert_eq!(results.rejected.len(), 2);
    assert!(!results.all_accepted());
    assert_eq!(transport.urls().len(), 1);
}

#[tokio::test]
async fn experimental_endpoints_by_version() {
    let server = server(60).await;
    let identity = server.identities().remove(0);
    for version in ApiVersion::ALL {
        let client = sailpoint(&server).api_version(version).build().unwrap();
        client.list_accounts().total().await.unwrap();
        server.clear_requests();
        let id = server.ids().remove(0);
        let results = [
            client.remove_account(&id).send().await.map(drop),
            client.enable_account_for_identity(&identity).send().await,
            client.disable_account_for_identity(&identity).send().await,
            client.enable_accounts_for_identities([&identity]).send().await.map(drop),
            client.disable_accounts_for_identities([&identity]).send().await.map(drop),
        ];
        if version == ApiVersion::V3 {
            for result in results {
                assert_unsent(&server, result, &["API version v3 cannot", "use another version"]);
            }
            continue;
        }
        for result in results {
            result.unwrap();
        }
        let experimental = matches!(version, ApiVersion::V2024 | ApiVersion::V2025).then_some("true");
        for request in server.requests() {
            assert_eq!(request.header("x-sailpoint-experimental"), experimental, "{version:?} {request:?}");
        }
    }
}
