//! Permissions, invalid values and redaction, for every request for a single account.

use headcount::{
    ErrorKind, Retryability,
    sailpoint::{AccountPath, ApiVersion},
};
use headcount_sim::{Request, SailPoint, SailPointBuilder};
use serde_json::{Map, json};

use super::support::start;
use crate::kit::{
    PendingRequest,
    sailpoint::{RequestIds, attributes, mutations},
};
use crate::providers::support::{Canned, assert_unsent, canned, respond, sailpoint};

const LEVELS: [&str; 4] = ["ORG_ADMIN", "SOURCE_ADMIN", "SOURCE_SUBADMIN", "HELPDESK"];
const SCOPES: [&str; 4] = [
    "idn:accounts:read",
    "idn:accounts:manage",
    "idn:accounts-state:manage",
    "idn:accounts-provisioning:manage",
];

#[tokio::test]
async fn required_scopes_and_user_levels() {
    for (scope, allowed) in [
        (SCOPES[0], &["get", "entitlements", "list"][..]),
        (SCOPES[1], &["get", "entitlements", "list", "create", "update", "put", "delete", "remove"]),
        (
            SCOPES[2],
            &[
                "reload",
                "enable",
                "disable",
                "unlock",
                "enable one",
                "disable one",
                "enable many",
                "disable many",
            ],
        ),
        (SCOPES[3], &["enable one", "disable one", "enable many", "disable many"]),
    ] {
        check_allowed(SailPoint::builder().scopes([scope]), allowed).await;
    }
    let source = ["get", "entitlements", "list", "create", "update", "put", "delete"];
    let state = ["get", "entitlements", "list", "reload", "enable", "disable", "unlock"];
    for level in LEVELS {
        let allowed: Vec<_> = match level {
            "ORG_ADMIN" => continue,
            "HELPDESK" => state.to_vec(),
            _ => source.iter().chain(&state).copied().collect(),
        };
        check_allowed(SailPoint::builder().user_level(level), &allowed).await;
    }
}

/// Checks that exactly these requests are allowed. The others are denied and change nothing.
async fn check_allowed(builder: SailPointBuilder, allowed: &[&str]) {
    let (server, ids) = start(builder).await;
    let client = sailpoint(&server).build().unwrap();
    let (one, entitlements) = (client.get_account(&ids.account), client.list_entitlements(&ids.account));
    let list = client.list_accounts();
    let reads = [
        ("get", PendingRequest::new(String::new(), async move { one.send().await })),
        ("entitlements", PendingRequest::new(String::new(), async move { entitlements.total().await })),
        ("list", PendingRequest::new(String::new(), async move { list.total().await })),
    ];
    let all = reads.into_iter().chain(mutations(&client, &ids, "hunter22"));
    for (name, outcome) in all {
        let before = server.records();
        match outcome.await {
            Ok(_) => assert!(allowed.contains(&name), "{name} was allowed; expected only {allowed:?}"),
            Err(error) => {
                assert!(!allowed.contains(&name), "{name}: {error}");
                assert_eq!(
                    (error.kind(), error.status()),
                    (ErrorKind::PermissionDenied, Some(403)),
                    "{name}"
                );
                assert_eq!(
                    (error.code(), error.retryability()),
                    (Some("403 Forbidden"), Retryability::Never)
                );
                assert!(error.message().contains("refuses to authorize"), "{error}");
                assert_eq!(server.records(), before, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn paths_of_every_version() {
    for version in ApiVersion::ALL {
        let (server, ids) = start(SailPoint::builder()).await;
        let client = sailpoint(&server).api_version(version).build().unwrap();
        client.get_account(&ids.account).send().await.unwrap();
        for (name, outcome) in mutations(&client, &ids, "hunter22") {
            let experimental = name == "remove" || name.contains(' ');
            match outcome.await {
                Ok(_) => assert!(!experimental || version != ApiVersion::V3, "{name}"),
                Err(error) => {
                    assert_eq!(
                        (experimental, version, error.attempts()),
                        (true, ApiVersion::V3, 0),
                        "{name}"
                    );
                }
            }
        }
        let requests = server.requests();
        let paths = requests[1..].iter().map(Request::path);
        let (accounts, own) = (version.path(), version.path().replace("accounts", "identities-accounts"));
        let below = |path: &str| path.starts_with(accounts) || path.starts_with(&own);
        assert!(paths.clone().all(below), "{version:?}: {:?}", paths.collect::<Vec<_>>());
        assert_eq!(requests.len(), if version == ApiVersion::V3 { 10 } else { 15 }, "{version:?}");
    }
}

#[tokio::test]
async fn invalid_values_are_not_sent() {
    let (server, RequestIds { source, account, identity, .. }) = start(SailPoint::builder()).await;
    let client = sailpoint(&server).build().unwrap();
    for bad in ["", " ", "..", "a/b", "a\\b", "a b", "a\nb", &"x".repeat(300)] {
        for (name, outcome) in mutations(&client, &RequestIds::all(bad), "hunter22") {
            if name == "create" {
                continue;
            }
            let label = if name.contains(' ') { "identity id" } else { "account id" };
            assert_unsent(&server, outcome.await, &[label, "expected an id"]);
        }
        assert_unsent(&server, client.get_account(bad).send().await, &["account id"]);
    }
    let no_ids = Vec::<String>::new();
    let update = || client.update_account(&account);
    for (outcome, message) in [
        (client.create_account("").attribute("a", "b").send().await.map(drop), "source id is empty"),
        (
            client.create_account(&source).send().await.map(drop),
            "expected at least one attribute of the source's schema",
        ),
        (client.create_account(&source).attribute("", "b").send().await.map(drop), "attribute name is empty"),
        (
            client.create_account(&source).attribute("sourceId", "b").send().await.map(drop),
            "sourceId is reserved",
        ),
        (client.put_account(&account, Map::new()).send().await.map(drop), "no attributes"),
        (update().send().await, "call add(), replace() or remove()"),
        (update().add(AccountPath::IdentityId, 7).send().await, "/identityId is not a string"),
        (update().replace(AccountPath::IdentityId, "a b").send().await, "identity id contains whitespace"),
        (
            update().add(AccountPath::ManuallyCorrelated, "yes").send().await,
            "/manuallyCorrelated is not a boolean",
        ),
        (
            update().remove(AccountPath::ManuallyCorrelated).send().await,
            "/manuallyCorrelated cannot be removed",
        ),
        (update().remove(AccountPath::attribute("")).send().await, "attribute name is empty"),
        (
            client.enable_account(&account).external_verification_id(" ").send().await.map(drop),
            "external verification id is empty",
        ),
        (
            client.unlock_account(&account).external_verification_id("").send().await.map(drop),
            "external verification id is empty",
        ),
        (client.enable_accounts_for_identities(no_ids).send().await.map(drop), "no identity ids"),
        (
            client.disable_accounts_for_identities([identity.as_str(), ""]).send().await.map(drop),
            "identity id is empty",
        ),
    ] {
        assert_unsent(&server, outcome, &[message]);
    }
}

#[tokio::test]
async fn values_are_redacted_in_errors_and_debug() {
    let secret = "canary \"quoted\" \\ value";
    let escaped = "canary \\\"quoted\\\" \\\\ value";
    // The server quotes the whole request body.
    let transport = Canned::new(|_, request| {
        let body = String::from_utf8_lossy(request.body()).into_owned();
        let text = json!({"messages": [{"text": body}], "detailCode": "400.1 Bad Request Content"});
        respond(400, text.to_string())
    });
    let client = canned::sailpoint(&transport);
    for (name, outcome) in mutations(&client, &RequestIds::all("id"), secret).into_iter().take(3) {
        let error = outcome.await.unwrap_err();
        let text = format!("{error} {error:?} {error:#?}");
        assert!(text.contains("[redacted]"), "{name}: {text}");
        assert!(!text.contains("canary") && !text.contains(escaped), "{name}: {text}");
    }
    let debug = [
        format!("{:?}", client.create_account("source").attribute("password", secret)),
        format!("{:?}", client.put_account("account", attributes(secret))),
        format!("{:?}", client.update_account("account").add(AccountPath::attribute("password"), secret)),
    ];
    for debug in debug {
        assert!(!debug.contains("canary") && debug.contains("password"), "{debug}");
    }
}
