//! Entities, delegated services and invitations of the organization.

use headcount::{
    Checkpoint, Completeness, ErrorKind, Paginator,
    huawei::{
        CloseAccountState, CreateAccountState, EntityType, HandshakeStatus, InviteTarget,
        ListCloseAccountStatuses, ListCreateAccountStatuses,
    },
};
use headcount_sim::{Conformance, Huawei, LastMarker};

use super::support::{assert_api_error, start};
use crate::providers::support::{
    Canned, assert_list_unsent, assert_unsent, canned, list_all, list_error, respond, walk,
};

#[tokio::test]
async fn entities_are_the_whole_tree() {
    let (server, client) = start(Huawei::builder().accounts(40)).await;
    let entities = list_all(client.list_entities().limit(7)).await;
    let mut expected = server.parents();
    expected.extend(server.ids());
    assert_eq!(entities.iter().map(|entity| entity.id.clone()).collect::<Vec<_>>(), expected);
    assert_eq!(server.requests().len(), 45_usize.div_ceil(7));
    let count_of = |kind: &EntityType| {
        entities.iter().filter(|entity| entity.entity_type.as_ref() == Some(kind)).count()
    };
    assert_eq!(
        [EntityType::Root, EntityType::OrganizationalUnit, EntityType::Account].map(|kind| count_of(&kind)),
        [1, 4, 40]
    );
    for (entity, record) in entities[5..].iter().zip(server.records()) {
        assert_eq!(entity.name.as_deref(), record["name"].as_str());
    }
}

#[tokio::test]
async fn entities_by_parent_and_by_child() {
    let (server, client) = start(Huawei::builder().accounts(40)).await;
    let parents = server.parents();
    for (index, parent) in parents.iter().enumerate() {
        let mut expected = if index == 0 { parents[1..].to_vec() } else { Vec::new() };
        expected.extend(server.ids().into_iter().filter(|id| server.parent_of(id) == *parent));
        let children = list_all(client.list_entities().parent_id(parent).limit(3)).await;
        assert_eq!(children.into_iter().map(|entity| entity.id).collect::<Vec<_>>(), expected);
    }
    for child in [&parents[2], &server.ids()[7]] {
        let parent = list_all(client.list_entities().child_id(child)).await;
        let expected = if *child == parents[2] { parents[0].clone() } else { server.parent_of(child) };
        assert_eq!(parent.into_iter().map(|entity| entity.id).collect::<Vec<_>>(), [expected]);
    }
    assert!(
        list_all(client.list_entities().child_id(&parents[0])).await.is_empty(),
        "the root has no parent"
    );
    let last = server.requests().pop().unwrap();
    assert_eq!(last.raw_query(), Some(format!("child_id={}&limit=1000", parents[0]).as_str()));
    let unknown = list_error(client.list_entities().parent_id("ou-unknown")).await;
    assert_eq!((unknown.kind(), unknown.code()), (ErrorKind::NotFound, Some("Organizations.1201")));
}

#[tokio::test]
async fn delegated_services() {
    let (server, client) = start(Huawei::builder().accounts(40)).await;
    let mut max_services = 0;
    for id in server.ids() {
        let services = list_all(client.list_delegated_services(&id).limit(2)).await;
        let names: Vec<_> = services.iter().map(|service| service.service_principal.as_str()).collect();
        assert_eq!(names, server.delegated_services(&id));
        assert!(services.iter().all(|it| it.delegation_enabled_at.as_ref().unwrap().utc().is_some()));
        max_services = max_services.max(names.len());
    }
    assert!(max_services > 2, "more than one page");
    let unknown = list_error(client.list_delegated_services("nobody")).await;
    assert_eq!((unknown.kind(), unknown.code()), (ErrorKind::NotFound, Some("Organizations.1301")));
}

#[tokio::test]
async fn invalid_list_arguments_are_not_sent() {
    let (server, client) = start(Huawei::builder().accounts(1)).await;
    let long = "x".repeat(101);
    let entities = || client.list_entities();
    assert_list_unsent(&server, entities().limit(0), &["limit is 0", "expected 1 to 2000"]).await;
    assert_list_unsent(&server, entities().limit(2001), &["limit is 2001"]).await;
    assert_list_unsent(&server, entities().marker("m"), &["marker has 1 character", "4 to 400"]).await;
    assert_list_unsent(&server, entities().parent_id(""), &["parent_id has 0", "1 to 100"]).await;
    assert_list_unsent(&server, entities().child_id(&long), &["child_id has 101", "1 to 100"]).await;
    let services = || client.list_delegated_services("a");
    assert_list_unsent(&server, services().limit(2001), &["limit is 2001"]).await;
    assert_list_unsent(&server, services().marker("m"), &["marker has 1 character"]).await;
    assert_list_unsent(&server, client.list_delegated_services("a/b"), &["account id", "expected an id"])
        .await;
}

#[tokio::test]
async fn conformance_for_all_last_markers() {
    for last in [LastMarker::Null, LastMarker::Absent, LastMarker::Empty] {
        let builder = Huawei::builder().accounts(20).creation_polls(0).last_marker(last);
        let (server, client) = start(builder.empty_page_every(3).short_page_every(4)).await;
        for number in 0..11 {
            client.create_resource_account(format!("new {number}")).send().await.unwrap();
        }
        let mut entities = server.parents();
        entities.extend(server.ids());
        let check = Conformance::new(|| client.list_entities().limit(5)).expected_ids(entities);
        check.run().await.unwrap();
        Conformance::new(|| client.list_create_account_statuses().limit(3)).run().await.unwrap();
        let delegate = server.ids().into_iter().max_by_key(|id| server.delegated_services(id).len()).unwrap();
        let services = server.delegated_services(&delegate).into_iter().map(str::to_owned);
        let check = Conformance::new(|| client.list_delegated_services(&delegate).limit(2));
        check.expected_ids(services).run().await.unwrap();
    }
}

#[tokio::test]
async fn checkpoint_is_bound_to_its_listing() {
    let (server, client) = start(Huawei::builder().accounts(20)).await;
    let ids = server.ids();
    let checkpoint: Checkpoint = client.list_delegated_services(&ids[0]).items().checkpoint();
    assert!(client.list_delegated_services(&ids[0]).resume(&checkpoint).is_ok());
    let error = client.list_delegated_services(&ids[1]).resume(&checkpoint).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Checkpoint);
    let checkpoint = client.list_close_account_statuses().items().checkpoint();
    let state = CloseAccountState::Suspended;
    assert!(client.list_close_account_statuses().state(state).resume(&checkpoint).is_err());
}

#[tokio::test]
async fn checkpoint_ignores_order_of_states() {
    let (server, client) = start(Huawei::builder().accounts(1)).await;
    let creations = |states: &[CreateAccountState]| {
        let list = client.list_create_account_statuses();
        states.iter().cloned().fold(list, ListCreateAccountStatuses::state)
    };
    let (failed, in_progress) = (CreateAccountState::Failed, CreateAccountState::InProgress);
    let checkpoint = creations(&[failed.clone(), in_progress.clone()]).items().checkpoint();
    for states in
        [&[in_progress.clone(), failed.clone()][..], &[failed.clone(), in_progress.clone(), failed.clone()]]
    {
        assert!(creations(states).resume(&checkpoint).is_ok(), "{states:?}");
    }
    assert!(creations(&[in_progress]).resume(&checkpoint).is_err());

    let closures = |states: &[CloseAccountState]| {
        let list = client.list_close_account_statuses();
        states.iter().cloned().fold(list, ListCloseAccountStatuses::state)
    };
    let (closing, closed) = (CloseAccountState::PendingClosure, CloseAccountState::Suspended);
    let checkpoint = closures(&[closed.clone(), closing.clone()]).items().checkpoint();
    let duplicates = closures(&[closing.clone(), closed, closing]);
    assert!(duplicates.clone().resume(&checkpoint).is_ok());
    list_all(duplicates).await;
    let sent = server.requests().pop().unwrap();
    assert_eq!(sent.raw_query(), Some("states=pending_closure&states=suspended"), "no duplicates");
}

/// Returns the number of items, the number of invalid rows, and whether the list is complete.
async fn counts<P: Paginator>(list: P) -> (usize, usize, bool) {
    let walk = walk(list).await;
    assert!(walk.errors.iter().all(|error| error.kind() == ErrorKind::InvalidRecord), "{:?}", walk.errors);
    (walk.items.len(), walk.errors.len(), walk.summary.completeness == Completeness::Complete)
}

#[tokio::test]
async fn invalid_rows_are_isolated() {
    let body = |array: &str, id: &str| {
        let rows = format!(r#"[{{"{id}":"a"}},{{"{id}":null,"x":"hunter2"}},{{"{id}":"b"}},7]"#);
        format!(r#"{{"{array}":{rows},"page_info":{{"next_marker":null}}}}"#)
    };
    let client = |array: &'static str, id: &'static str| {
        canned::huawei(&Canned::new(move |_, _| respond(200, body(array, id))))
    };
    let creations = client("create_account_statuses", "id").list_create_account_statuses();
    assert_eq!(counts(creations).await, (2, 2, false));
    let closures = client("close_account_statuses", "account_id").list_close_account_statuses();
    assert_eq!(counts(closures).await, (2, 2, false));
    assert_eq!(counts(client("entities", "id").list_entities()).await, (2, 2, false));
    let services = client("delegated_services", "service_principal").list_delegated_services("a");
    assert_eq!(counts(services).await, (2, 2, false));
}

#[tokio::test]
async fn unexpected_bodies_are_decode_errors() {
    for body in [
        "{}",
        r#"{"accounts":[],"page_info":{}}"#,
        r#"{"create_account_statuses":null,"page_info":{}}"#,
        r#"{"close_account_statuses":null}"#,
        r#"{"entities":null,"page_info":{}}"#,
        r#"{"delegated_services":null,"page_info":{}}"#,
        r#"{"create_account_statuses":[],"entities":[],"delegated_services":[]}"#,
        r#"{"create_account_statuses":[],"entities":[],"delegated_services":[],"page_info":null}"#,
        "<html>",
        "",
    ] {
        let client = canned::huawei(&Canned::new(move |_, _| respond(200, body)));
        for error in [
            list_error(client.list_create_account_statuses()).await,
            list_error(client.list_close_account_statuses()).await,
            list_error(client.list_entities()).await,
            list_error(client.list_delegated_services("a")).await,
        ] {
            assert_eq!(error.kind(), ErrorKind::Decode, "{body}: {error}");
        }
    }
}

#[tokio::test]
async fn invitation_fields() {
    let (server, client) = start(Huawei::builder().accounts(5)).await;
    let request =
        client.invite_account(InviteTarget::Name("somebody".into()), "welcome – 欢迎").tag("k", "v");
    let handshake = request.send().await.unwrap();
    assert_eq!(handshake.status, Some(HandshakeStatus::Pending));
    let target = handshake.target.as_ref().unwrap();
    let actual = (target.target_type.as_deref(), target.entity.as_deref());
    assert_eq!(actual, (Some("name"), Some("somebody")));
    assert_eq!(handshake.notes.as_deref(), Some("welcome – 欢迎"));
    assert_eq!(handshake.organization_id.as_deref(), Some(server.organization_id()));
    assert_eq!(handshake.management_account_id.as_deref(), Some(server.domain_id()));
    assert!(handshake.management_account_name.is_some());
    assert!(handshake.urn.as_ref().unwrap().ends_with(&handshake.id));
    let at = |date: &Option<headcount::Timestamp>| date.as_ref().unwrap().utc().unwrap();
    assert_eq!(at(&handshake.created_at), at(&handshake.updated_at));
    assert!(at(&handshake.expired_at) > at(&handshake.created_at));
    assert_eq!(server.requests()[0].path(), "/v1/organizations/accounts/invite");
    let id = InviteTarget::Account("05261f923e80d3890f33c0056e9b3f80".into());
    assert!(client.invite_account(id, "").send().await.is_ok());
}

#[tokio::test]
async fn invalid_invitations_are_rejected() {
    let (server, client) = start(Huawei::builder().accounts(5)).await;
    let name = |name: &str| InviteTarget::Name(name.to_owned());
    let long = "x".repeat(1025);
    let invite = |target, notes: &str| client.invite_account(target, notes);
    let words = ["the target's name has 0", "expected 1 to 100"];
    assert_unsent(&server, invite(name(""), "").send().await, &words);
    let id = InviteTarget::Account(long.clone());
    assert_unsent(&server, invite(id, "").send().await, &["the target's account id has 1025"]);
    assert_unsent(&server, invite(name("a"), &long).send().await, &["notes has 1025", "0 to 1024"]);
    assert_unsent(&server, invite(name("a"), "").tag("", "").send().await, &["a tag's key"]);

    let member = InviteTarget::Account(server.ids()[0].clone());
    assert_api_error(invite(member, "").send().await, ErrorKind::Api, 400, "Organizations.1303");
    for number in 0..20 {
        invite(name(&format!("guest {number}")), "").send().await.unwrap();
    }
    let one_more = invite(name("guest 20"), "").send().await;
    let error = assert_api_error(one_more, ErrorKind::Api, 400, "Organizations.1302");
    assert_eq!(error.message(), "quota exceeded: invitations within 24 hours");
}
