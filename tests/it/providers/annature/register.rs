use headcount::{
    Account, Error, ErrorKind, Retryability,
    annature::{self, Client, RegisterAccount, Role},
};
use headcount_sim::{Annature, AnnatureErrors};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::providers::support::{Canned, annature, answer, assert_unsent, canned, plain, whole};

async fn start() -> (Annature, Client) {
    let builder = Annature::builder().accounts(3).partner_accounts(4).record_secrets(true);
    let server = builder.start().await.unwrap();
    let client = annature(&server).partner_key(server.partner_key()).build().unwrap();
    (server, client)
}

fn register(client: &Client) -> RegisterAccount {
    client.register_account("Ted Annature", "ted@annature.com.au", "Ted & Sons")
}

async fn refused(request: RegisterAccount) -> Error {
    request.send().await.unwrap_err()
}

#[tokio::test]
async fn a_registered_account_is_listed_by_the_partner_and_its_key_opens_its_organisation() {
    let (server, client) = start().await;
    let request = register(&client).number("1300 000 000").timezone("+08:00").password("correct horse");
    let made = request.send().await.unwrap();
    let account = made.account.unwrap();
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

    let listed = whole(client.list_accounts()).await;
    assert_eq!(listed.len(), 5);
    assert!(listed.iter().any(|listed| listed.id == account.id));
    assert_eq!(server.ids().len(), 3, "one's own organisation is as before");

    let builder = annature::Client::builder(made.credentials.id, made.credentials.key);
    let tenant = builder.base_url(server.base_url()).build().unwrap();
    let theirs = whole(tenant.list_accounts()).await;
    assert_eq!(theirs.iter().map(|account| &account.id).collect::<Vec<_>>(), [&account.id]);
    let second = tenant.create_account("Ann", "ann@annature.com.au").send().await.unwrap();
    assert_eq!(second.organisation_id, account.organisation_id);
    assert_eq!(whole(tenant.list_accounts()).await.len(), 2);
    let others = server.partner_ids().into_iter().filter(|id| *id != account.id && *id != second.id);
    for id in others.chain(server.ids()) {
        let error = tenant.get_account(id).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "another organisation's");
    }
}

#[tokio::test]
async fn a_registered_person_can_be_taken_for_verified() {
    let (server, client) = start().await;
    let made = register(&client).skip_verification(true).send().await.unwrap();
    assert!(made.account.unwrap().verified.is_some());
    let sent: Value = serde_json::from_str(server.requests()[0].body()).unwrap();
    assert_eq!(sent["skip_verification"], true);
    assert!(server.mails().is_empty());
}

#[tokio::test]
async fn what_can_not_be_right_is_refused_before_anything_is_sent() {
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
async fn the_providers_refusals_are_told_in_its_words_and_leave_no_organisation_behind() {
    let (server, client) = start().await;
    let email = server.records()[0]["email"].as_str().unwrap().to_owned();
    let error = refused(client.register_account("a", email, "b")).await;
    assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(422)));
    assert_eq!(error.message(), "The supplied email is already associated with an existing account.");

    let error = refused(register(&client).partner_key("not the key")).await;
    assert_eq!((error.kind(), error.status()), (ErrorKind::Auth, Some(401)));
    assert_eq!(error.message(), "The supplied partner key is invalid.");
    assert!(!format!("{error} {error:?}").contains("not the key"));
    assert_eq!(server.partner_ids().len(), 4);
    assert_eq!(server.requests().len(), 2, "each was sent once");
}

#[tokio::test]
async fn the_simulator_registers_for_partners_only() {
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
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 403);
        let came: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(came, body);
    }
}

#[tokio::test]
async fn the_new_key_is_in_nothing_but_the_credentials() {
    let (_server, client) = start().await;
    let made = register(&client).send().await.unwrap();
    let key = made.credentials.key.expose_secret();
    assert_eq!(key.len(), 32);
    let account = made.account.as_ref().unwrap();
    let shared = Account::from(account.clone());
    for text in [
        format!("{made:?}"),
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
async fn an_answer_that_can_not_be_read_may_have_registered_and_shows_no_key() {
    for body in [
        json!({"id": "a", "credentials": {"id": "k", "key": ["hunter2"]}}),
        json!({"id": "a", "key": "hunter2"}),
    ] {
        let text = body.to_string();
        let transport = Canned::new(move |_, _| answer(201, text.as_str()));
        let request = register(&canned::annature(&transport)).partner_key("partner");
        let error = refused(request).await;
        assert_eq!(
            (error.kind(), error.retryability()),
            (ErrorKind::Decode, Retryability::MaybeApplied),
            "{error}"
        );
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        assert_eq!(transport.seen().len(), 1);
    }
}

#[tokio::test]
async fn the_key_is_not_lost_with_an_account_that_can_not_be_read() {
    let body = json!({"id": "a", "number": 1300, "credentials": {"id": "k", "key": "hunter2"}}).to_string();
    let transport = Canned::new(move |_, _| answer(201, body.as_str()));
    let made = register(&canned::annature(&transport)).partner_key("partner").send().await.unwrap();
    assert_eq!((made.credentials.id.as_str(), made.credentials.key.expose_secret()), ("k", "hunter2"));
    let error = made.account.as_ref().unwrap_err();
    assert_eq!((error.kind(), error.provider()), (ErrorKind::Decode, Some("annature")), "{error}");
    assert!(!format!("{error} {made:?}").contains("hunter2"), "{made:?}");
}
