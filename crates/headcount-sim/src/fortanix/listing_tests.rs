use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::super::accounts::Accounts;
use super::super::builder::{FortanixBuilder, FortanixPaging, FortanixUnknownId, Rules};
use super::super::routes::Manager;
use super::super::sessions::Sessions;
use super::{Column, order};
use crate::exchange::Incoming;
use crate::gate::lock;
use crate::world::World;

fn manager(paging: FortanixPaging) -> Manager {
    Manager {
        world: Arc::new(Mutex::new(World::new(Arc::new(Accounts::new(5)), 10, false))),
        sessions: Mutex::new(Sessions::new(5, Duration::ZERO, Duration::ZERO)),
        rules: Rules { paging, ..FortanixBuilder::default().rules() },
        views: Mutex::default(),
        email: String::new(),
        password: String::new(),
        idp_id: String::new(),
        seed: 5,
    }
}

/// The ids of a page, by their places in the default order.
fn page(manager: &Manager, query: &str) -> Result<Vec<usize>, String> {
    let request = http::Request::builder().uri(format!("/v1/accounts?{query}")).body(()).expect("a request");
    let incoming = Incoming::new(&request.into_parts().0, "", Bytes::new());
    let reply = manager.list(&incoming).map_err(|refusal| format!("{refusal:?}"))?;
    let body: Value = serde_json::from_slice(&reply.body).expect("JSON");
    let items = body["items"].as_array().expect("an array").iter();
    let ids = items.map(|item| item["acct_id"].as_str().unwrap_or_default().to_owned());
    let world = lock(&manager.world);
    Ok(ids.map(|id| world.find(&id).expect("an account")).collect())
}

fn id(manager: &Manager, place: usize) -> String {
    lock(&manager.world).ids()[place].clone()
}

#[test]
fn a_page_starts_after_the_previous_id_or_at_it() {
    let after = manager(FortanixPaging::After);
    let fifth = id(&after, 4);
    assert_eq!(page(&after, "limit=3"), Ok(vec![0, 1, 2]));
    assert_eq!(page(&after, &format!("limit=3&previous_id={fifth}")), Ok(vec![5, 6, 7]));
    let upper = fifth.to_uppercase();
    assert_eq!(page(&after, &format!("limit=3&previous_id={upper}")), Ok(vec![5, 6, 7]));
    let down = format!("limit=3&previous_id={fifth}&sort_by=acct_id:DESC");
    assert_eq!(page(&after, &down), Ok(vec![3, 2, 1]));
    let at = manager(FortanixPaging::At);
    assert_eq!(page(&at, &format!("limit=3&previous_id={fifth}")), Ok(vec![4, 5, 6]));
    assert_eq!(page(&at, &down), Ok(vec![4, 3, 2]));
}

#[test]
fn a_deleted_previous_id_keeps_its_place_in_the_order_of_ids() {
    for paging in [FortanixPaging::After, FortanixPaging::At] {
        let manager = manager(paging);
        let fifth = id(&manager, 4);
        lock(&manager.world).remove(&fifth);
        // What was the sixth is the fifth now.
        assert_eq!(page(&manager, &format!("limit=2&previous_id={fifth}")), Ok(vec![4, 5]));
        let down = format!("limit=2&sort_by=acct_id:DESC&previous_id={fifth}");
        assert_eq!(page(&manager, &down), Ok(vec![3, 2]));
        assert!(page(&manager, &format!("sort_by=name:ASC&previous_id={fifth}")).is_err());
    }
}

#[test]
fn an_unknown_previous_id_is_answered_as_was_chosen() {
    for (unknown_id, expected) in [
        (FortanixUnknownId::Keyset, Ok(vec![4, 5])),
        (FortanixUnknownId::BadRequest, Err("BadQuery(\"previous_id is not an account\")".to_owned())),
        (FortanixUnknownId::NotFound, Err("NotFound".to_owned())),
        (FortanixUnknownId::Empty, Ok(Vec::new())),
        (FortanixUnknownId::StartOver, Ok(vec![0, 1])),
    ] {
        let mut manager = manager(FortanixPaging::After);
        manager.rules.unknown_id = unknown_id;
        let (fourth, fifth) = (id(&manager, 3), id(&manager, 4));
        lock(&manager.world).remove(&fifth);
        assert_eq!(page(&manager, &format!("limit=2&previous_id={fifth}")), expected, "{unknown_id:?}");
        assert_eq!(
            page(&manager, &format!("limit=2&previous_id={fourth}")),
            Ok(vec![4, 5]),
            "{unknown_id:?}"
        );
    }
}

#[test]
fn servers_that_ignore_parameters_say_the_same_again() {
    let first = manager(FortanixPaging::IgnoresPreviousId);
    let query = format!("limit=3&previous_id={}", id(&first, 4));
    assert_eq!(page(&first, &query), Ok(vec![0, 1, 2]));
    let all = manager(FortanixPaging::IgnoresAll);
    assert_eq!(page(&all, &query), Ok((0..10).collect()));
    assert_eq!(page(&all, "limit=none&scope=MINE"), Ok((0..10).collect()));
}

#[test]
fn malformed_parameters_are_refused() {
    let manager = manager(FortanixPaging::After);
    for query in
        ["limit=0", "limit=-1", "limit=", "previous_id=x", "scope=user", "sort_by=name", "sort_by=roles:ASC"]
    {
        assert!(page(&manager, query).is_err(), "{query}");
    }
    assert!(page(&manager, "scope=SYSTEM&limit=1&sort_by=created_at:DESC,name:ASC&other=1").is_ok());
}

#[test]
fn sort_by_knows_three_keys_and_upper_case_directions() {
    assert_eq!(order("name:DESC,acct_id:ASC"), Some(vec![(Column::Name, true), (Column::Id, false)]));
    for wrong in ["", "name", "name:asc", "status:ASC", "acct_id:ASC,", "acct_id: ASC"] {
        assert_eq!(order(wrong), None, "{wrong}");
    }
}
