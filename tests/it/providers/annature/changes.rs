use headcount::{
    AccountStatus, Error, ErrorKind, Retryability,
    annature::{Client, Role},
};
use headcount_sim::Annature;
use serde_json::{Value, json};

use crate::providers::support::{Canned, STRANGE, annature, assert_unsent, canned, list_all, respond};

async fn start() -> (Annature, Client) {
    let server = Annature::builder().accounts(5).partner_accounts(4).start().await.unwrap();
    let client = annature(&server).build().unwrap();
    (server, client)
}

fn record(server: &Annature, id: &str) -> Value {
    server.world(|world| world.record(id)).unwrap()
}

/// The method and path of the only request.
fn only_request(server: &Annature) -> String {
    let requests = server.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    let request = &requests[0];
    assert_eq!((request.raw_query(), request.header("x-annature-partner")), (None, None));
    format!("{} {}", request.method(), request.path())
}

#[tokio::test]
async fn get_matches_list() {
    let (server, client) = start().await;
    for listed in list_all(client.list_accounts()).await {
        server.clear_requests();
        let fetched = client.get_account(&listed.id).send().await.unwrap();
        assert_eq!(only_request(&server), format!("GET /v1/accounts/{}", listed.id));
        let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(json(fetched.raw()), json(listed.raw()));
    }
}

#[tokio::test]
async fn update_sends_only_set_fields() {
    let (server, client) = start().await;
    let id = server.ids()[2].clone();
    let before = record(&server, &id);
    let updated = client.update_account(&id).number("0400 000 000").send().await.unwrap();
    assert_eq!(only_request(&server), format!("PUT /v1/accounts/{id}"));
    assert_eq!(server.requests()[0].header("content-type"), Some("application/json"));
    assert_eq!(server.requests()[0].body(), r#"{"number":"0400 000 000"}"#);
    assert_eq!(updated.number.as_deref(), Some("0400 000 000"));
    let mut expected = before;
    expected["number"] = json!("0400 000 000");
    assert_eq!(record(&server, &id), expected);

    let request = client.update_account(&id).name(STRANGE).timezone("-03:30").role(Role::Administrator);
    let updated = request.group_id("g1").send().await.unwrap();
    assert_eq!((updated.name.as_deref(), updated.timezone.as_deref()), (Some(STRANGE), Some("-03:30")));
    assert_eq!((updated.role, updated.group_id.as_deref()), (Some(Role::Administrator), Some("g1")));
    assert_eq!(updated.number.as_deref(), Some("0400 000 000"));
    assert_eq!(list_all(client.list_accounts().name(STRANGE)).await[0].id, id);
}

#[tokio::test]
async fn email_change_requires_confirmation() {
    let (server, client) = start().await;
    let id = server.ids()[0].clone();
    let old = record(&server, &id)["email"].as_str().unwrap().to_owned();
    let updated = client.update_account(&id).email("new@example.com").send().await.unwrap();
    assert_eq!(updated.email.as_deref(), Some(old.as_str()), "not confirmed yet");
    assert_eq!(server.requests()[0].body(), r#"{"email":"new@example.com"}"#);
    assert_eq!(server.mails(), ["new@example.com"]);
    assert!(server.confirm_email(&id));
    let fetched = client.get_account(&id).send().await.unwrap();
    assert_eq!(fetched.email.as_deref(), Some("new@example.com"));
    assert!(!server.confirm_email(&id), "already confirmed");

    let taken = record(&server, &server.ids()[1])["email"].as_str().unwrap().to_owned();
    let error = client.update_account(&id).email(taken).send().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(422)));
    assert_eq!(error.message(), "The supplied email is already associated with an existing account.");
}

#[tokio::test]
async fn deactivate_and_restore() {
    let (server, client) = start().await;
    let id = server.ids()[1].clone();
    server.update(&id, |record| {
        record["active"] = json!(true);
        record["verified"] = json!("2024-03-15T22:21:57.000Z");
    });
    client.deactivate_account(&id).send().await.unwrap();
    assert_eq!(only_request(&server), format!("POST /v1/accounts/{id}/deactivate"));
    assert_eq!(server.requests()[0].body(), "");
    let listed = list_all(client.list_accounts().active(false)).await;
    let account = listed.into_iter().find(|account| account.id == id).unwrap();
    assert_eq!(headcount::Account::from(account).status, AccountStatus::Disabled);

    server.clear_requests();
    client.restore_account(&id).send().await.unwrap();
    assert_eq!(only_request(&server), format!("POST /v1/accounts/{id}/restore"));
    let account = client.get_account(&id).send().await.unwrap();
    assert_eq!((account.active, account.raw().contains("active")), (Some(true), true));
}

#[tokio::test]
async fn resend_verification_until_verified() {
    let (server, client) = start().await;
    let created = client.create_account("a", "a@example.com").send().await.unwrap();
    server.clear_requests();
    client.resend_verification(&created.id).send().await.unwrap();
    assert_eq!(only_request(&server), format!("POST /v1/accounts/{}/verification", created.id));
    assert_eq!(server.mails(), ["a@example.com", "a@example.com"]);
    server.update(&created.id, |record| record["verified"] = json!("2024-03-15T22:21:57.000Z"));
    let error = client.resend_verification(&created.id).send().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(422)));
    assert_eq!(
        (error.message(), error.retryability()),
        ("The account is already verified.", Retryability::Never)
    );
    assert_eq!(server.mails().len(), 2);
}

/// The error of every request about one account.
async fn errors(client: &Client, id: &str) -> Vec<Error> {
    vec![
        client.get_account(id).send().await.unwrap_err(),
        client.update_account(id).name("a").send().await.unwrap_err(),
        client.resend_verification(id).send().await.unwrap_err(),
        client.deactivate_account(id).send().await.unwrap_err(),
        client.restore_account(id).send().await.unwrap_err(),
    ]
}

#[tokio::test]
async fn missing_account_is_not_found() {
    let (server, client) = start().await;
    for (id, encoded) in [
        ("c64ce66b70b21c03bfd5dfa0ab14b730", "c64ce66b70b21c03bfd5dfa0ab14b730"),
        ("a%2f?#é", "a%252f%3F%23%C3%A9"),
    ] {
        server.clear_requests();
        let errors = errors(&client, id).await;
        for error in &errors {
            assert_eq!((error.kind(), error.status()), (ErrorKind::NotFound, Some(404)), "{error}");
            assert_eq!(error.message(), "The requested resource could not be found.");
        }
        let paths: Vec<_> = server.requests().iter().map(|request| request.path().to_owned()).collect();
        let suffixes = ["", "", "/verification", "/deactivate", "/restore"];
        assert_eq!(
            paths,
            suffixes.map(|suffix| format!("/v1/accounts/{encoded}{suffix}")),
            "each is sent once"
        );
    }
}

#[tokio::test]
async fn invalid_requests_are_not_sent() {
    let (server, client) = start().await;
    for id in ["", "..", "a/b", "a b"] {
        for error in errors(&client, id).await {
            assert_unsent::<()>(&server, Err(error), &["account id "]);
        }
    }
    let update = || client.update_account("a");
    for (request, word) in [
        (update(), "at least one of name"),
        (update().partner_key("p"), "at least one of name"),
        (update().name(""), "name"),
        (update().email("nobody"), "email"),
        (update().number(" "), "number"),
        (update().timezone("+10"), "timezone"),
        (update().role(" "), "role"),
        (update().group_id(""), "group_id"),
        (update().name("a").partner_key(""), "partner key"),
    ] {
        assert_unsent(&server, request.send().await, &[word]);
    }
}

#[tokio::test]
async fn partner_key_per_request() {
    let server = Annature::builder().partner_accounts(4).record_secrets(true).start().await.unwrap();
    let plain = annature(&server).build().unwrap();
    let partner = annature(&server).partner_key(server.partner_key()).build().unwrap();
    let id = server.partner_ids()[0].clone();
    server.partner_world(|world| world.update(&id, |record| record["verified"] = Value::Null));
    macro_rules! send {
        ($request:expr) => {
            $request.send().await.map(|_| ()).map_err(|error| error.kind())
        };
    }
    for (client, is_partner) in [(&plain, false), (&partner, true)] {
        macro_rules! check_each {
            ($($request:expr),+ $(,)?) => { $(
                let expected = if is_partner { Ok(()) } else { Err(ErrorKind::NotFound) };
                assert_eq!(send!($request), expected);
                assert_eq!(send!($request.partner_key(server.partner_key())), Ok(()));
                assert_eq!(send!($request.without_partner_key()), Err(ErrorKind::NotFound));
            )+ };
        }
        check_each!(
            client.get_account(&id),
            client.update_account(&id).name("a"),
            client.resend_verification(&id),
            client.deactivate_account(&id),
            client.restore_account(&id),
        );
    }
    let sent = server.requests().into_iter().map(|request| request.header("x-annature-partner").is_some());
    let expected = [false, true, false].repeat(5).into_iter().chain([true, true, false].repeat(5));
    assert!(sent.eq(expected));
}

#[tokio::test]
async fn any_2xx_but_html_is_success() {
    for (status, body, success) in [
        (200, "", true),
        (204, "", true),
        (202, "{}", true),
        (200, r#"{"id":"a"}"#, true),
        (200, "<html>log in</html>", false),
        (302, "", false),
    ] {
        let transport = Canned::new(move |_, _| respond(status, body));
        let client = canned::annature(&transport);
        for result in [
            client.resend_verification("a").send().await,
            client.deactivate_account("a").send().await,
            client.restore_account("a").send().await,
        ] {
            assert_eq!(result.is_ok(), success, "{status} {body}: {result:?}");
        }
    }
}
