//! What holds of every request for a single account: who may send it, what is refused, and what is told.

use headcount::{
    ErrorKind, Retryability,
    sailpoint::{AccountPath, ApiVersion},
};
use headcount_sim::{Request, SailPoint, SailPointBuilder};
use serde_json::{Map, json};

use super::support::start;
use crate::kit::{
    Unsent,
    sailpoint::{About, attributes, changes},
};
use crate::providers::support::{Canned, answer, assert_unsent, canned, sailpoint};

const LEVELS: [&str; 4] = ["ORG_ADMIN", "SOURCE_ADMIN", "SOURCE_SUBADMIN", "HELPDESK"];
const SCOPES: [&str; 4] = [
    "idn:accounts:read",
    "idn:accounts:manage",
    "idn:accounts-state:manage",
    "idn:accounts-provisioning:manage",
];

#[tokio::test]
async fn every_request_takes_the_scopes_and_the_level_that_its_reference_names() {
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

/// That these requests and no others are allowed; the others are denied, and nothing is changed by them.
async fn check_allowed(builder: SailPointBuilder, allowed: &[&str]) {
    let (server, about) = start(builder).await;
    let client = sailpoint(&server).build().unwrap();
    let (one, entitlements) = (client.get_account(&about.account), client.list_entitlements(&about.account));
    let list = client.list_accounts();
    let reads = [
        ("get", Unsent::new(String::new(), async move { one.send().await })),
        ("entitlements", Unsent::new(String::new(), async move { entitlements.total().await })),
        ("list", Unsent::new(String::new(), async move { list.total().await })),
    ];
    let all = reads.into_iter().chain(changes(&client, &about, "hunter22"));
    for (name, outcome) in all {
        let before = server.records();
        match outcome.await {
            Ok(_) => assert!(allowed.contains(&name), "{name} was allowed, and {allowed:?} should be"),
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
async fn every_version_has_its_requests_under_its_own_paths() {
    for version in ApiVersion::ALL {
        let (server, about) = start(SailPoint::builder()).await;
        let client = sailpoint(&server).api_version(version).build().unwrap();
        client.get_account(&about.account).send().await.unwrap();
        for (name, outcome) in changes(&client, &about, "hunter22") {
            let late = name == "remove" || name.contains(' ');
            match outcome.await {
                Ok(_) => assert!(!late || version != ApiVersion::V3, "{name}"),
                Err(error) => {
                    assert_eq!((late, version, error.attempts()), (true, ApiVersion::V3, 0), "{name}");
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
async fn ids_that_can_not_be_are_refused_unsent() {
    let (server, About { source, account, identity, .. }) = start(SailPoint::builder()).await;
    let client = sailpoint(&server).build().unwrap();
    for bad in ["", " ", "..", "a/b", "a\\b", "a b", "a\nb", &"x".repeat(300)] {
        for (name, outcome) in changes(&client, &About::all(bad), "hunter22") {
            if name == "create" {
                continue;
            }
            let who = if name.contains(' ') { "identity id" } else { "account id" };
            assert_unsent(&server, outcome.await, &[who, "expected an id"]);
        }
        assert_unsent(&server, client.get_account(bad).send().await, &["account id"]);
    }
    let no_ids = Vec::<String>::new();
    let update = || client.update_account(&account);
    for (outcome, words) in [
        (client.create_account("").attribute("a", "b").send().await.map(drop), "source id is empty"),
        (client.create_account(&source).send().await.map(drop), "expected those of the source's schema"),
        (client.create_account(&source).attribute("", "b").send().await.map(drop), "empty name"),
        (
            client.create_account(&source).attribute("sourceId", "b").send().await.map(drop),
            "sourceId is taken",
        ),
        (client.put_account(&account, Map::new()).send().await.map(drop), "there are no attributes"),
        (update().send().await, "expected add(), replace() or remove()"),
        (update().add(AccountPath::IdentityId, 7).send().await, "/identityId is no text"),
        (update().replace(AccountPath::IdentityId, "a b").send().await, "identity id holds blanks"),
        (update().add(AccountPath::ManuallyCorrelated, "yes").send().await, "neither true nor false"),
        (update().remove(AccountPath::ManuallyCorrelated).send().await, "can not be removed"),
        (update().remove(AccountPath::attribute("")).send().await, "empty name"),
        (
            client.enable_account(&account).external_verification_id(" ").send().await.map(drop),
            "external verification id is empty",
        ),
        (
            client.unlock_account(&account).external_verification_id("").send().await.map(drop),
            "external verification id is empty",
        ),
        (client.enable_accounts_for_identities(no_ids).send().await.map(drop), "there are no identity ids"),
        (
            client.disable_accounts_for_identities([identity.as_str(), ""]).send().await.map(drop),
            "identity id is empty",
        ),
    ] {
        assert_unsent(&server, outcome, &[words]);
    }
}

#[tokio::test]
async fn what_is_written_into_accounts_shows_in_no_error_and_no_debug_output() {
    let secret = "canary \"quoted\" \\ value";
    let written = "canary \\\"quoted\\\" \\\\ value";
    // A server that quotes all that it was sent.
    let transport = Canned::new(|_, request| {
        let body = String::from_utf8_lossy(request.body()).into_owned();
        let text = json!({"messages": [{"text": body}], "detailCode": "400.1 Bad Request Content"});
        answer(400, text.to_string())
    });
    let client = canned::sailpoint(&transport);
    for (name, outcome) in changes(&client, &About::all("id"), secret).into_iter().take(3) {
        let error = outcome.await.unwrap_err();
        let shown = format!("{error} {error:?} {error:#?}");
        assert!(shown.contains("[redacted]"), "{name}: {shown}");
        assert!(!shown.contains("canary") && !shown.contains(written), "{name}: {shown}");
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
