use headcount::{
    Error, ErrorKind, Retryability,
    annature::{Client, CreateAccount, Role},
};
use headcount_sim::{Annature, AnnatureErrors};
use serde_json::{Value, json};

use crate::providers::support::{Canned, STRANGE, annature, answer, assert_unsent, canned, whole};

async fn start(accounts: usize) -> (Annature, Client) {
    let server = Annature::builder().accounts(accounts).record_secrets(true).start().await.unwrap();
    let client = annature(&server).build().unwrap();
    (server, client)
}

fn create(client: &Client) -> CreateAccount {
    client.create_account("Ted Annature", "ted@annature.com.au")
}

fn sent(server: &Annature) -> Value {
    let requests = server.requests();
    serde_json::from_str(requests.last().unwrap().body()).unwrap()
}

async fn refused(request: CreateAccount) -> Error {
    request.send().await.unwrap_err()
}

#[tokio::test]
async fn a_created_account_is_what_was_asked_for_and_is_listed() {
    let (server, client) = start(3).await;
    let request = client
        .create_account(STRANGE, "a+b@example.com.au")
        .password("correct \"horse\"")
        .number("1300 000 000")
        .timezone("+10:30")
        .role(Role::ReadOnly)
        .group_id("a5a885caee6286a54ad7bbd4ab5400e9");
    let made = request.send().await.unwrap();
    assert_eq!(made.name.as_deref(), Some(STRANGE));
    assert_eq!(made.email.as_deref(), Some("a+b@example.com.au"));
    assert_eq!(made.number.as_deref(), Some("1300 000 000"));
    assert_eq!(made.timezone.as_deref(), Some("+10:30"));
    assert_eq!(made.role, Some(Role::ReadOnly));
    assert_eq!(made.group_id.as_deref(), Some("a5a885caee6286a54ad7bbd4ab5400e9"));
    assert_eq!((made.active, made.verified.as_ref()), (Some(true), None));
    assert!(made.created.as_ref().unwrap().utc().is_some());
    assert_eq!(made.organisation_id.as_deref().map(str::len), Some(32));
    assert_eq!(server.mails(), ["a+b@example.com.au"]);

    let requests = server.requests();
    assert_eq!((requests[0].method(), requests[0].path()), ("POST", "/v1/accounts"));
    assert_eq!((requests.len(), requests[0].raw_query()), (1, None));
    assert_eq!(requests[0].header("content-type"), Some("application/json"));
    let expected = json!({
        "name": STRANGE, "email": "a+b@example.com.au", "number": "1300 000 000", "timezone": "+10:30",
        "role": "read-only", "group_id": "a5a885caee6286a54ad7bbd4ab5400e9", "password": "correct \"horse\"",
    });
    assert_eq!(sent(&server), expected);

    let listed = whole(client.list_accounts().email("a+b@example.com.au")).await;
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0].id, &listed[0].name), (&made.id, &made.name));
    assert_eq!(server.ids().len(), 4);
}

#[tokio::test]
async fn what_is_not_set_is_not_sent_and_the_provider_chooses() {
    let (server, client) = start(0).await;
    let made = create(&client).send().await.unwrap();
    assert_eq!(sent(&server), json!({"name": "Ted Annature", "email": "ted@annature.com.au"}));
    assert_eq!(made.role, Some(Role::Standard));
    assert_eq!((made.number, made.timezone, made.group_id), (None, None, None));
    let other = client.create_account("b", "b@c").skip_verification(false);
    other.send().await.unwrap();
    assert_eq!(sent(&server), json!({"name": "b", "email": "b@c"}), "false is the same as not set");
}

#[tokio::test]
async fn verification_is_skipped_with_the_partner_key_of_the_client_or_of_the_call() {
    let (server, plain) = start(0).await;
    let partner = annature(&server).partner_key(server.partner_key()).build().unwrap();
    for (number, request) in [
        plain.create_account("a", "a@example.com").partner_key(server.partner_key()),
        partner.create_account("b", "b@example.com"),
    ]
    .into_iter()
    .enumerate()
    {
        let made = request.skip_verification(true).send().await.unwrap();
        assert!(made.verified.is_some());
        assert_eq!(sent(&server)["skip_verification"], true);
        let requests = server.requests();
        assert_eq!(requests[number].header("x-annature-partner"), Some(server.partner_key()));
        assert!(server.ids().contains(&made.id), "in one's own organisation");
    }
    assert!(server.mails().is_empty());
}

#[tokio::test]
async fn what_can_not_be_right_is_refused_before_anything_is_sent() {
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
async fn an_address_that_another_account_has_is_refused_in_the_providers_words() {
    for (errors, message) in [
        (AnnatureErrors::Message, "The supplied email is already associated with an existing account."),
        (AnnatureErrors::Rails, "Unprocessable Entity"),
    ] {
        let server = Annature::builder().accounts(2).errors(errors).start().await.unwrap();
        let client = annature(&server).build().unwrap();
        for records in [server.records(), server.partner_world(|world| world.records())] {
            let email = records[0]["email"].as_str().unwrap().to_uppercase();
            server.clear_requests();
            let error = refused(client.create_account("a", email)).await;
            assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(422)));
            assert_eq!((error.message(), error.retryability()), (message, Retryability::Never));
            assert_eq!(error.request_id().map(str::len), Some(36));
            assert_eq!(server.requests().len(), 1);
        }
        assert_eq!(server.ids().len(), 2);
    }
}

#[tokio::test]
async fn a_role_that_this_version_does_not_know_is_left_to_the_provider() {
    let (server, client) = start(0).await;
    let error = refused(create(&client).role("owner")).await;
    assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(422)));
    assert_eq!(sent(&server)["role"], "owner");
}

#[tokio::test]
async fn passwords_and_keys_are_in_no_debug_output_record_or_error() {
    let secret = "hun\"ter2\\hunter2";
    // Both as it is and as it stands in JSON.
    let echo = json!({"message": format!("bad password {secret} in {}", json!({"password": secret}))});
    let transport = Canned::new(move |_, _| answer(422, echo.to_string()));
    let request = create(&canned::annature(&transport)).password(secret).partner_key("partner-hunter2");
    let error = refused(request.clone()).await;
    for text in [format!("{request:?}"), format!("{error} {error:?}")] {
        assert!(!text.contains("hunter2"), "{text}");
    }
    assert!(error.message().contains("bad password [redacted] in"), "{error}");

    let server = Annature::builder().start().await.unwrap();
    let client = annature(&server).build().unwrap();
    let made = create(&client).password(secret).send().await.unwrap();
    assert!(!made.raw().contains("hunter2"));
    assert!(!server.requests()[0].body().contains("hunter2"), "not recorded by default either");
}
