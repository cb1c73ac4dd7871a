use chrono::{DateTime, Utc};
use headcount::{
    ErrorKind,
    annature::{self, Account, ListAccounts, Role},
};
use headcount_sim::{Annature, AnnatureBuilder, AnnatureErrors, LastCursor};
use serde_json::{Value, json};

use crate::providers::support::{Canned, STRANGE, annature, canned, list_all, list_error, respond, values};

async fn start(builder: AnnatureBuilder) -> Annature {
    builder.start().await.unwrap()
}

fn list(server: &Annature) -> ListAccounts {
    annature(server).build().unwrap().list_accounts()
}

fn ids(accounts: &[Account]) -> Vec<String> {
    accounts.iter().map(|account| account.id.clone()).collect()
}

#[tokio::test]
async fn yields_each_account_once() {
    for last in [LastCursor::Null, LastCursor::Absent, LastCursor::Text] {
        for (accounts, pages) in [(0, 1), (1, 1), (4, 1), (5, 1), (6, 2), (10, 2), (23, 5)] {
            let builder = Annature::builder().accounts(accounts).page_size(5);
            let server = start(builder.last_cursor(last)).await;
            assert_eq!(ids(&list_all(list(&server)).await), server.ids(), "{last:?} {accounts}");
            let cursors = values(&server.list_requests(), "cursor");
            assert_eq!(cursors.len(), pages);
            assert_eq!(cursors[0], None, "the first page has no cursor, not an empty one");
            assert!(cursors[1..].iter().all(Option::is_some), "{cursors:?}");
        }
    }
}

#[tokio::test]
async fn sends_cursor_of_previous_page() {
    let page = |ids: &[&str], cursor: &str, more: bool| {
        let accounts: Vec<_> = ids.iter().map(|id| json!({ "id": id })).collect();
        respond(200, json!({"accounts": accounts, "cursor": cursor, "has_more": more}).to_string())
    };
    let transport = Canned::new(move |number, _| match number {
        0 => page(&["a"], "e+/=&x y", true),
        // An empty page that is not the last one.
        1 => page(&[], "second", true),
        _ => page(&["b"], "never used", false),
    });
    let listed = list_all(canned::annature(&transport).list_accounts()).await;
    assert_eq!(ids(&listed), ["a", "b"]);
    let queries: Vec<_> =
        transport.urls().iter().map(|url| url.split_once("/v2/accounts").unwrap().1.to_owned()).collect();
    assert_eq!(queries, ["", "?cursor=e%2B%2F%3D%26x%20y", "?cursor=second"]);
}

#[tokio::test]
async fn has_more_without_cursor_is_an_error() {
    for body in [
        r#"{"accounts":[{"id":"a"}],"has_more":true}"#,
        r#"{"accounts":[{"id":"a"}],"cursor":"","has_more":true}"#,
        r#"{"accounts":[{"id":"a"}],"cursor":null,"has_more":true}"#,
        r#"{"accounts":[{"id":"a"}]}"#,
    ] {
        let transport = Canned::new(move |_, _| respond(200, body));
        let error = list_error(canned::annature(&transport).list_accounts()).await;
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}");
        assert!(error.message().contains("cursor"), "{error}");
    }
}

#[tokio::test]
async fn starts_at_cursor() {
    let server = start(Annature::builder().accounts(12).page_size(5)).await;
    list_all(list(&server)).await;
    let cursor = values(&server.list_requests(), "cursor")[1].clone().unwrap();
    assert_eq!(ids(&list_all(list(&server).cursor(&cursor)).await), server.ids()[5..]);
}

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[tokio::test]
async fn both_versions_send_all_filters() {
    let server = start(Annature::builder().accounts(3)).await;
    let client = annature(&server).build().unwrap();
    let (before, after) = (moment("2024-03-15T22:21:30.25Z"), moment("2020-01-01T00:00:00Z"));
    macro_rules! all_filters {
        ($list:expr) => {
            $list
                .name(STRANGE)
                .email("a+b&c@example.com")
                .role(Role::ReadOnly)
                .active(false)
                .group_id("g/1 %20")
                .created_before(before)
                .created_after(after)
        };
    }
    assert!(list_all(all_filters!(client.list_accounts())).await.is_empty());
    assert!(list_all(all_filters!(client.list_accounts_v1())).await.is_empty());
    let requests = server.list_requests();
    assert_eq!((requests[0].path(), requests[1].path()), ("/v2/accounts", "/v1/accounts"));
    for request in requests {
        let sent: Vec<_> =
            request.query().iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let expected = [
            ("name", STRANGE),
            ("email", "a+b&c@example.com"),
            ("role", "read-only"),
            ("active", "false"),
            ("group_id", "g/1 %20"),
            // UTC with a Z: the provider silently ignores dates that it cannot parse.
            ("created_before", "2024-03-15T22:21:30.250Z"),
            ("created_after", "2020-01-01T00:00:00Z"),
        ];
        assert_eq!(sent, expected);
    }
}

#[tokio::test]
async fn filters_apply_to_every_page() {
    let server = start(Annature::builder().accounts(60).page_size(4)).await;
    let records = server.records();
    let matching = |test: &dyn Fn(&Value) -> bool| -> Vec<String> {
        let matching = records.iter().filter(|record| test(record));
        matching.map(|record| record["id"].as_str().unwrap().to_owned()).collect()
    };
    let listed = ids(&list_all(list(&server).role(Role::Standard).active(true)).await);
    let expected = matching(&|record| record["role"] == "standard" && record["active"] == true);
    assert!(expected.len() > 4, "more than one page");
    assert_eq!(listed, expected);
    for request in server.list_requests() {
        assert_eq!(request.query_value("role"), Some("standard"));
        assert_eq!(request.query_value("active"), Some("true"));
    }
    let email = records[7]["email"].as_str().unwrap();
    assert_eq!(
        ids(&list_all(list(&server).email(email)).await),
        matching(&|record| record["email"] == email)
    );
}

#[tokio::test]
async fn wrong_keys_are_an_auth_error() {
    for (errors, message) in [
        (AnnatureErrors::Message, "The supplied API credentials are invalid."),
        (AnnatureErrors::Rails, "Unauthorized"),
    ] {
        let server = start(Annature::builder().errors(errors)).await;
        for builder in [
            annature::Client::builder().id(server.id()).key("hunter2"),
            annature::Client::builder().id("another").key(server.key()),
        ] {
            server.clear_requests();
            let client = builder.base_url(server.base_url()).build().unwrap();
            let error = list_error(client.list_accounts()).await;
            assert_eq!((error.kind(), error.status()), (ErrorKind::Auth, Some(401)));
            assert_eq!((error.message(), error.provider()), (message, Some(headcount::Provider::Annature)));
            assert_eq!(error.request_id().map(str::len), Some(36));
            assert!(!format!("{error} {error:?}").contains("hunter2"));
            assert_eq!(server.requests().len(), 1);
        }
    }
}

#[tokio::test]
async fn partner_key_of_client_or_request() {
    let builder = Annature::builder().accounts(7).partner_accounts(9).page_size(4);
    let server = start(builder.record_secrets(true)).await;
    let (own, partners) = (server.ids(), server.partner_ids());
    let plain = annature(&server).build().unwrap();
    let partner = annature(&server).partner_key(server.partner_key()).build().unwrap();
    let wrong = annature(&server).partner_key("wrong").build().unwrap();

    let with_partner_key = |list: ListAccounts| list.partner_key(server.partner_key());
    for (list, expected) in [
        (plain.list_accounts(), &own),
        (with_partner_key(plain.list_accounts()), &partners),
        (partner.list_accounts(), &partners),
        (partner.list_accounts().without_partner_key(), &own),
        (with_partner_key(wrong.list_accounts()), &partners),
    ] {
        server.clear_requests();
        assert_eq!(&ids(&list_all(list).await), expected);
        let sent = (expected == &partners).then_some(server.partner_key());
        for request in server.list_requests() {
            assert_eq!(request.header("x-annature-partner"), sent, "the same on every page");
        }
    }
    let v1 = partner.list_accounts_v1();
    assert_eq!(ids(&list_all(v1.clone()).await), partners);
    assert_eq!(ids(&list_all(v1.without_partner_key()).await), own);
    let error = list_error(wrong.list_accounts()).await;
    assert_eq!((error.kind(), error.message()), (ErrorKind::Auth, "The supplied partner key is invalid."));
}

#[tokio::test]
async fn unsendable_keys_are_rejected() {
    let build = |id: &str, key: &str| annature::Client::builder().id(id).key(key);
    for (builder, word) in [
        (build("", "key"), "id"),
        (build("i\nd", "key"), "id"),
        (build("id", ""), "key"),
        (build("id", "k\ney"), "key"),
        (build("id", "key").partner_key("  "), "partner key"),
    ] {
        let error = builder.build().expect_err(word);
        assert_eq!(
            (error.kind(), error.provider()),
            (ErrorKind::Config, Some(headcount::Provider::Annature))
        );
        assert!(error.message().contains(word), "{word}: {error}");
    }
    let server = start(Annature::builder()).await;
    let list = list(&server).partner_key("pa\nrtner");
    crate::providers::support::assert_list_unsent(&server, list, &["partner key", "expected"]).await;
}
