//! Fetching, creating, changing and deleting single accounts.

use std::time::Duration;

use headcount::{
    ErrorKind, Retryability,
    sailpoint::{AccountPath, Client, Field, Filter},
};
use headcount_sim::SailPoint;
use serde_json::{Map, Value, json};

use crate::providers::support::{STRANGE, list_all, sailpoint};

async fn server() -> SailPoint {
    SailPoint::builder().accounts(60).rate_limit(None).start().await.unwrap()
}

fn client(server: &SailPoint) -> Client {
    sailpoint(server).build().unwrap()
}

/// Returns the first account on a source of delimited files, or on another source.
fn account(server: &SailPoint, flat_file: bool) -> Value {
    let mut records = server.records().into_iter();
    records.find(|record| (record["connectionType"] == "file") == flat_file).unwrap()
}

fn id(account: &Value) -> &str {
    account["id"].as_str().unwrap()
}

fn current(server: &SailPoint, account: &Value) -> Value {
    server.world(|world| world.record(id(account))).unwrap()
}

/// Returns the body and the content type of the last request.
fn sent(server: &SailPoint) -> (Value, String) {
    let request = server.requests().pop().unwrap();
    let body = serde_json::from_str(request.body()).unwrap_or(Value::Null);
    (body, request.header("content-type").unwrap_or_default().to_owned())
}

#[tokio::test]
async fn get_returns_the_listed_record() {
    let server = server().await;
    for record in server.records() {
        let account = client(&server).get_account(id(&record)).send().await.unwrap();
        let raw: Value = serde_json::from_str(account.raw()).unwrap();
        assert_eq!((account.id.as_str(), raw), (id(&record), record.clone()));
    }
    let error = client(&server).get_account("nobody").send().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::NotFound, Some(404)));
    assert_eq!((error.code(), error.retryability()), (Some("404 Not found"), Retryability::Never));
    assert_eq!(error.request_id().map(str::len), Some(32));
}

#[tokio::test]
async fn create_sends_source_as_attribute() {
    let server = server().await;
    let source = server.sources().remove(1);
    let create = client(&server).create_account(&source).attribute("userName", "wrong");
    let create =
        create.attributes([("userName", "jdoe"), ("displayName", STRANGE)]).attribute("city", "Austin");
    let before = server.ids().len();
    let task = create.send().await.unwrap();
    assert_eq!(server.tasks(), [task.as_str()]);
    let attributes =
        json!({"sourceId": source, "userName": "jdoe", "displayName": STRANGE, "city": "Austin"});
    assert_eq!(sent(&server), (json!({"attributes": attributes}), "application/json".to_owned()));
    let created = client(&server).list_accounts().filter(Filter::eq(Field::NativeIdentity, "jdoe"));
    let created = list_all(created).await;
    assert_eq!((created.len(), server.ids().len()), (1, before + 1));
    assert_eq!(created[0].source_id.as_ref(), Some(&source));
    assert_eq!(created[0].attribute("displayName").as_deref(), Some(STRANGE));

    // Creating an account with the same id on the source changes the existing one.
    let again = client(&server).create_account(&source).attribute("id", "jdoe").attribute("city", "Bonn");
    again.send().await.unwrap();
    assert_eq!(server.ids().len(), before + 1);
    let changed = client(&server).get_account(&created[0].id).send().await.unwrap();
    assert_eq!(changed.attribute("city").as_deref(), Some("Bonn"));
    assert_eq!(changed.attribute("displayName").as_deref(), Some(STRANGE));

    let error = client(&server).create_account("nowhere").attribute("a", "b").send().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status(), error.retryability()),
        (ErrorKind::Api, Some(400), Retryability::Never)
    );
    assert_eq!(error.code(), Some("400.1 Bad Request Content"));
    assert!(error.message().ends_with("there is no such source"), "{error}");
}

#[tokio::test]
async fn update_sends_ordered_json_patch() {
    let server = server().await;
    let flat = account(&server, true);
    let other =
        server.identities().into_iter().find(|identity| flat["identityId"] != identity.as_str()).unwrap();
    let update = client(&server)
        .update_account(id(&flat))
        .add(AccountPath::attribute("a/b~c"), json!(["x", null]))
        .add(AccountPath::attribute("gone"), 1)
        .remove(AccountPath::attribute("gone"))
        .replace(AccountPath::ManuallyCorrelated, false)
        .replace(AccountPath::IdentityId, other.as_str());
    update.send().await.unwrap();
    let expected = json!([
        {"op": "add", "path": "/attributes/a~1b~0c", "value": ["x", null]},
        {"op": "add", "path": "/attributes/gone", "value": 1},
        {"op": "remove", "path": "/attributes/gone"},
        {"op": "replace", "path": "/manuallyCorrelated", "value": false},
        {"op": "replace", "path": "/identityId", "value": other},
    ]);
    assert_eq!(sent(&server), (expected, "application/json-patch+json".to_owned()));
    assert_eq!(server.requests().pop().unwrap().method(), "PATCH");
    let read = client(&server).get_account(id(&flat)).send().await.unwrap();
    assert_eq!((read.identity_id.as_ref(), read.manually_correlated), (Some(&other), Some(false)));
    let attributes = read.attributes.unwrap().to_map();
    assert_eq!((&attributes["a/b~c"], attributes.get("gone")), (&json!(["x", null]), None));
}

#[tokio::test]
async fn removed_identity_uncorrelates_account() {
    let server = server().await;
    let correlated = server.records().into_iter().find(|record| record["identityId"].is_string()).unwrap();
    client(&server).update_account(id(&correlated)).remove(AccountPath::IdentityId).send().await.unwrap();
    let listed =
        list_all(client(&server).list_accounts().filter(Filter::eq(Field::Id, id(&correlated)))).await;
    assert_eq!((listed[0].identity_id.as_ref(), listed[0].uncorrelated), (None, Some(true)));
}

#[tokio::test]
async fn rejected_update_changes_nothing() {
    let server = server().await;
    let (flat, direct) = (account(&server, true), account(&server, false));
    let client = client(&server);
    let good = AccountPath::attribute("good");
    for (update, account, reason) in [
        (client.update_account(id(&direct)).add(good.clone(), 1), &direct, "flat file accounts only"),
        (
            client.update_account(id(&flat)).add(good.clone(), 1).replace(AccountPath::IdentityId, "nobody"),
            &flat,
            "there is no such identity",
        ),
        (
            client.update_account(id(&flat)).add(good.clone(), 1).remove(AccountPath::attribute("nothing")),
            &flat,
            "there is no such attribute",
        ),
    ] {
        let error = update.send().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.status(), error.retryability()),
            (ErrorKind::Api, Some(400), Retryability::Never)
        );
        assert!(error.message().contains(reason), "{error}");
        assert_eq!(&current(&server, account), account);
    }
    assert!(server.tasks().is_empty());
}

#[tokio::test]
async fn put_and_delete_need_a_delimited_file() {
    let server = server().await;
    let (flat, direct) = (account(&server, true), account(&server, false));
    let attributes: Map<String, Value> =
        [("mail".to_owned(), json!(STRANGE)), ("groups".to_owned(), json!(["a", "b"]))].into_iter().collect();
    let task = client(&server).put_account(id(&flat), attributes.clone()).send().await.unwrap();
    assert_eq!(sent(&server), (json!({"attributes": attributes}), "application/json".to_owned()));
    assert_eq!(server.requests().pop().unwrap().method(), "PUT");
    assert_eq!(current(&server, &flat)["attributes"], json!(attributes));

    let second = client(&server).delete_account(id(&flat)).send().await.unwrap();
    assert_eq!(server.requests().pop().unwrap().method(), "DELETE");
    assert_eq!(server.tasks(), [task.as_str(), second.as_str()]);
    let listed = list_all(client(&server).list_accounts()).await;
    assert_eq!(listed.len(), 59);
    assert!(listed.iter().all(|account| account.id != id(&flat)));

    let errors = [
        client(&server).put_account(id(&direct), attributes).send().await.unwrap_err(),
        client(&server).delete_account(id(&direct)).send().await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(400)));
        assert!(error.message().contains("DelimitedFile"), "{error}");
    }
    assert_eq!(current(&server, &direct), direct);
}

#[tokio::test]
async fn remove_works_on_any_source() {
    let server = server().await;
    for flat_file in [true, false] {
        let account = account(&server, flat_file);
        let result = client(&server).remove_account(id(&account)).send().await.unwrap();
        assert_eq!(result.id.unwrap().as_str(), server.tasks().pop().unwrap());
        assert_eq!((result.kind.as_deref(), result.name), (Some("TASK_RESULT"), None));
        assert!(!server.ids().iter().any(|listed| listed == id(&account)));
    }
}

#[tokio::test]
async fn accepted_change_may_be_pending() {
    let builder = SailPoint::builder().accounts(60).task_duration(Duration::from_secs(3600));
    let server = builder.rate_limit(None).start().await.unwrap();
    let flat = account(&server, true);
    client(&server).delete_account(id(&flat)).send().await.unwrap();
    assert_eq!(server.tasks().len(), 1);
    assert!(client(&server).get_account(id(&flat)).send().await.is_ok(), "the task is still running");
}
