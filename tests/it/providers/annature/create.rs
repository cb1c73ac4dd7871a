use headcount::{
    Error, ErrorKind, Retryability,
    annature::{Client, CreateAccount, Role},
};
use headcount_sim::{Annature, AnnatureErrors};
use serde_json::{Value, json};

use crate::providers::support::{Canned, STRANGE, annature, assert_unsent, canned, list_all, respond};

async fn start(accounts: usize) -> (Annature, Client) {
    let server = Annature::builder().accounts(accounts).record_secrets(true).start().await.unwrap();
    let client = annature(&server).build().unwrap();
    (server, client)
}

fn create(client: &Client) -> CreateAccount {
    client.create_account("Ted Annature", "ted@annature.com.au")
}

fn sent_body(server: &Annature) -> Value {
    let requests = server.requests();
    serde_json::from_str(requests.last().unwrap().body()).unwrap()
}

async fn send_error(request: CreateAccount) -> Error {
    request.send().await.unwrap_err()
}

#[tokio::test]
async fn created_account_is_listed() {
    let (server, client) = start(3).await;
    let request = client
        .create_account(STRANGE, "a+b@example.com.au")
        .password("correct \"horse\"")
        .number("1300 000 000")
        .timezone("+10:30")
        .role(Role::ReadOnly)
        .group_id("a5a885caee6286a54ad7bbd4ab5400e9");
    let created = request.send().await.unwrap();
    assert_eq!(created.name.as_deref(), Some(STRANGE));
    assert_eq!(created.email.as_deref(), Some("a+b@example.com.au"));
    assert_eq!(created.number.as_deref(), Some("1300 000 000"));
    assert_eq!(created.timezone.as_deref(), Some("+10:30"));
    assert_eq!(created.role, Some(Role::ReadOnly));
    assert_eq!(created.group_id.as_deref(), Some("a5a885caee6286a54ad7bbd4ab5400e9"));
    assert_eq!((created.active, created.verified.as_ref()), (Some(true), None));
    assert!(created.created.as_ref().unwrap().utc().is_some());
    assert_eq!(created.organisation_id.as_deref().map(str::len), Some(32));
    assert_eq!(server.mails(), ["a+b@example.com.au"]);

    let requests = server.requests();
    assert_eq!((requests[0].method(), requests[0].path()), ("POST", "/v1/accounts"));
    assert_eq!((requests.len(), requests[0].raw_query()), (1, None));
    assert_eq!(requests[0].header("content-type"), Some("application/json"));
    let expected = json!({
        "name": STRANGE, "email": "a+b@example.com.au", "number": "1300 000 000", "timezone": "+10:30",
        "role": "read-only", "group_id": "a5a885caee6286a54ad7bbd4ab5400e9", "password": "correct \"horse\"",
    });
    assert_eq!(sent_body(&server), expected);

    let listed = list_all(client.list_accounts().email("a+b@example.com.au")).await;
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0].id, &listed[0].name), (&created.id, &created.name));
    assert_eq!(server.ids().len(), 4);
}

#[tokio::test]
async fn unset_fields_are_not_sent() {
    let (server, client) = start(0).await;
    let created = create(&client).send().await.unwrap();
    assert_eq!(sent_body(&server), json!({"name": "Ted Annature", "email": "ted@annature.com.au"}));
    assert_eq!(created.role, Some(Role::Standard));
    assert_eq!((created.number, created.timezone, created.group_id), (None, None, None));
    let other = client.create_account("b", "b@c").skip_verification(false);
    other.send().await.unwrap();
    assert_eq!(sent_body(&server), json!({"name": "b", "email": "b@c"}), "false is the same as not set");
}

#[tokio::test]
async fn skip_verification_with_partner_key() {
    let (server, plain) = start(0).await;
    let partner = annature(&server).partner_key(server.partner_key()).build().unwrap();
    for (number, request) in [
        plain.create_account("a", "a@example.com").partner_key(server.partner_key()),
        partner.create_account("b", "b@example.com"),
    ]
    .into_iter()
    .enumerate()
    {
        let created = request.skip_verification(true).send().await.unwrap();
        assert!(created.verified.is_some());
        assert_eq!(sent_body(&server)["skip_verification"], true);
        let requests = server.requests();
        assert_eq!(requests[number].header("x-annature-partner"), Some(server.partner_key()));
        assert!(server.ids().contains(&created.id), "in the caller's organisation");
    }
    assert!(server.mails().is_empty());
}

#[tokio::test]
async fn invalid_values_are_not_sent() {
    let (server, client) = start(0).await;
    let partner = annature(&server).partner_key(server.partner_key()).build().unwrap();
    let cases = [
        (client.create_account(" ", "a@b"), "name"),
        (client.create_account("a", ""), "email"),
        (client.create_account("a", "ted"), "email"),
        (client.create_account("a", "ted @host"), "email"),
        (create(&client).number(""), "number"),
        (create(&client).timezone("Australia/Brisbane"), "timezone"),
        (create(&client).timezone("+1000"), "timezone"),
        (create(&client).role(""), "role"),
        (create(&client).group_id(""), "group_id"),
        (create(&client).password(""), "password"),
        (create(&client).skip_verification(true), "partner key"),
        (create(&partner).skip_verification(true).without_partner_key(), "partner key"),
        (create(&client).partner_key(" "), "partner key"),
    ];
    for (request, word) in cases {
        assert_unsent(&server, request.send().await, &[word]);
    }
}

#[tokio::test]
async fn duplicate_email_is_an_api_error() {
    for (errors, message) in [
        (AnnatureErrors::Message, "The supplied email is already associated with an existing account."),
        (AnnatureErrors::Rails, "Unprocessable Entity"),
    ] {
        let server = Annature::builder().accounts(2).errors(errors).start().await.unwrap();
        let client = annature(&server).build().unwrap();
        for records in [server.records(), server.partner_world(|world| world.records())] {
            let email = records[0]["email"].as_str().unwrap().to_uppercase();
            server.clear_requests();
            let error = send_error(client.create_account("a", email)).await;
            assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(422)));
            assert_eq!((error.message(), error.retryability()), (message, Retryability::Never));
            assert_eq!(error.request_id().map(str::len), Some(36));
            assert_eq!(server.requests().len(), 1);
        }
        assert_eq!(server.ids().len(), 2);
    }
}

#[tokio::test]
async fn unknown_role_is_sent() {
    let (server, client) = start(0).await;
    let error = send_error(create(&client).role("owner")).await;
    assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(422)));
    assert_eq!(sent_body(&server)["role"], "owner");
}

#[tokio::test]
async fn secrets_are_redacted() {
    let secret = "hun\"ter2\\hunter2";
    // Both verbatim and JSON-escaped.
    let echo = json!({"message": format!("bad password {secret} in {}", json!({"password": secret}))});
    let transport = Canned::new(move |_, _| respond(422, echo.to_string()));
    let request = create(&canned::annature(&transport)).password(secret).partner_key("partner-hunter2");
    let error = send_error(request.clone()).await;
    for text in [format!("{request:?}"), format!("{error} {error:?}")] {
        assert!(!text.contains("hunter2"), "{text}");
    }
    assert!(error.message().contains("bad password [redacted] in"), "{error}");

    let server = Annature::builder().start().await.unwrap();
    let client = annature(&server).build().unwrap();
    let created = create(&client).password(secret).send().await.unwrap();
    assert!(!created.raw().contains("hunter2"));
    assert!(
        !server.requests()[0].body().contains("hunter2"),
        "the simulator does not record secrets by default"
    );
}
