use headcount::{
    Account, Error, ErrorKind, Retryability,
    annature::{self, Client, RegisterAccount, Role},
};
use headcount_sim::{Annature, AnnatureErrors};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::providers::support::{Canned, annature, assert_unsent, canned, list_all, plain, respond};

async fn start() -> (Annature, Client) {
    let builder = Annature::builder().accounts(3).partner_accounts(4).record_secrets(true);
    let server = builder.start().await.unwrap();
    let client = annature(&server).partner_key(server.partner_key()).build().unwrap();
    (server, client)
}

fn register(client: &Client) -> RegisterAccount {
    client.register_account("Ted Annature", "ted@annature.com.au", "Ted & Sons")
}

async fn send_error(request: RegisterAccount) -> Error {
    request.send().await.unwrap_err()
}

#[tokio::test]
async fn key_opens_new_organisation() {
    let (server, client) = start().await;
    let request = register(&client).number("1300 000 000").timezone("+08:00").password("correct horse");
    let registered = request.send().await.unwrap();
    let account = registered.account.unwrap();
    assert_eq!(account.email.as_deref(), Some("ted@annature.com.au"));
    assert_eq!(account.number.as_deref(), Some("1300 000 000"));
    assert_eq!(account.timezone.as_deref(), Some("+08:00"));
    assert_eq!(account.role, Some(Role::Administrator));
    assert_eq!((account.active, &account.verified), (Some(true), &None));
    assert_eq!(server.mails(), ["ted@annature.com.au"]);

    let requests = server.requests();
    assert_eq!((requests[0].method(), requests[0].path()), ("POST", "/v1/accounts/register"));
    assert_eq!(requests[0].header("x-annature-partner"), Some(server.partner_key()));
    let sent: Value = serde_json::from_str(requests[0].body()).unwrap();
    let expected = json!({
        "name": "Ted Annature", "email": "ted@annature.com.au", "business": "Ted & Sons",
        "number": "1300 000 000", "timezone": "+08:00", "password": "correct horse",
    });
    assert_eq!(sent, expected);

    let listed = list_all(client.list_accounts()).await;
    assert_eq!(listed.len(), 5);
    assert!(listed.iter().any(|listed| listed.id == account.id));
    assert_eq!(server.ids().len(), 3, "the caller's organisation is unchanged");

    let builder = annature::Client::builder().id(registered.api_key.id).key(registered.api_key.key);
    let tenant = builder.base_url(server.base_url()).build().unwrap();
    let listed = list_all(tenant.list_accounts()).await;
    assert_eq!(listed.iter().map(|account| &account.id).collect::<Vec<_>>(), [&account.id]);
    let second = tenant.create_account("Ann", "ann@annature.com.au").send().await.unwrap();
    assert_eq!(second.organisation_id, account.organisation_id);
    assert_eq!(list_all(tenant.list_accounts()).await.len(), 2);
    let others = server.partner_ids().into_iter().filter(|id| *id != account.id && *id != second.id);
    for id in others.chain(server.ids()) {
        let error = tenant.get_account(id).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "the account of another organisation");
    }
}

#[tokio::test]
async fn skip_verification() {
    let (server, client) = start().await;
    let registered = register(&client).skip_verification(true).send().await.unwrap();
    assert!(registered.account.unwrap().verified.is_some());
    let sent: Value = serde_json::from_str(server.requests()[0].body()).unwrap();
    assert_eq!(sent["skip_verification"], true);
    assert!(server.mails().is_empty());
}

#[tokio::test]
async fn invalid_values_are_not_sent() {
    let (server, partner) = start().await;
    let plain = annature(&server).build().unwrap();
    let cases = [
        (register(&plain), "partner key"),
        (register(&partner).without_partner_key(), "partner key"),
        (register(&plain).partner_key(""), "partner key"),
        (partner.register_account("", "a@b", "c"), "name"),
        (partner.register_account("a", "b", "c"), "email"),
        (partner.register_account("a", "a@b", "\t"), "business"),
        (register(&partner).number(""), "number"),
        (register(&partner).timezone("AEST"), "timezone"),
        (register(&partner).password(""), "password"),
    ];
    for (request, word) in cases {
        assert_unsent(&server, request.send().await, &[word]);
    }
}

#[tokio::test]
async fn rejected_registration_creates_nothing() {
    let (server, client) = start().await;
    let email = server.records()[0]["email"].as_str().unwrap().to_owned();
    let error = send_error(client.register_account("a", email, "b")).await;
    assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(422)));
    assert_eq!(error.message(), "The supplied email is already associated with an existing account.");

    let error = send_error(register(&client).partner_key("not the key")).await;
    assert_eq!((error.kind(), error.status()), (ErrorKind::Auth, Some(401)));
    assert_eq!(error.message(), "The supplied partner key is invalid.");
    assert!(!format!("{error} {error:?}").contains("not the key"));
    assert_eq!(server.partner_ids().len(), 4);
    assert_eq!(server.requests().len(), 2, "each is sent once");
}

#[tokio::test]
async fn simulator_requires_partner_key() {
    for (errors, body) in [
        (AnnatureErrors::Message, json!({"message": "This endpoint is only available to partners."})),
        (AnnatureErrors::Rails, json!({"status": 403, "error": "Forbidden"})),
    ] {
        let server = Annature::builder().errors(errors).start().await.unwrap();
        let request = plain()
            .post(format!("{}/v1/accounts/register", server.base_url()))
            .header("x-annature-id", server.id())
            .header("x-annature-key", server.key())
            .header("content-type", "application/json")
            .body(json!({"name": "a", "email": "a@b", "business": "c"}).to_string());
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 403);
        let received: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(received, body);
    }
}

#[tokio::test]
async fn key_is_only_in_api_key() {
    let (_server, client) = start().await;
    let registered = register(&client).send().await.unwrap();
    let key = registered.api_key.key.expose_secret();
    assert_eq!(key.len(), 32);
    let account = registered.account.as_ref().unwrap();
    let shared = Account::from(account.clone());
    for text in [
        format!("{registered:?}"),
        account.raw().to_owned(),
        account.record().redacted().to_string(),
        serde_json::to_string(account).unwrap(),
        serde_json::to_string(&shared).unwrap(),
        shared.record().raw().to_owned(),
    ] {
        assert!(!text.contains(key), "{text}");
    }
    let raw: Value = serde_json::from_str(account.raw()).unwrap();
    assert_eq!(raw["email"], "ted@annature.com.au", "the rest of the record is kept");
    assert!(raw.get("credentials").is_none());
}

#[tokio::test]
async fn undecodable_response_may_be_applied() {
    for body in [
        json!({"id": "a", "credentials": {"id": "k", "key": ["hunter2"]}}),
        json!({"id": "a", "key": "hunter2"}),
    ] {
        let text = body.to_string();
        let transport = Canned::new(move |_, _| respond(201, text.as_str()));
        let request = register(&canned::annature(&transport)).partner_key("partner");
        let error = send_error(request).await;
        assert_eq!(
            (error.kind(), error.retryability()),
            (ErrorKind::Decode, Retryability::MaybeApplied),
            "{error}"
        );
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        assert_eq!(transport.urls().len(), 1);
    }
}

#[tokio::test]
async fn key_survives_undecodable_account() {
    let body = json!({"id": "a", "number": 1300, "credentials": {"id": "k", "key": "hunter2"}}).to_string();
    let transport = Canned::new(move |_, _| respond(201, body.as_str()));
    let registered = register(&canned::annature(&transport)).partner_key("partner").send().await.unwrap();
    assert_eq!((registered.api_key.id.as_str(), registered.api_key.key.expose_secret()), ("k", "hunter2"));
    let error = registered.account.as_ref().unwrap_err();
    assert_eq!(
        (error.kind(), error.provider()),
        (ErrorKind::Decode, Some(headcount::Provider::Annature)),
        "{error}"
    );
    assert!(!format!("{error} {registered:?}").contains("hunter2"), "{registered:?}");
}
