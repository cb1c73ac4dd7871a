//! The shared account type: creation, serialisation and comparison.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use headcount::{
    Account, AccountKind, AccountOwner, AccountStatus, AlternateId, ErrorKind, Event, ListingId, Merge, Page,
    Paginator, Provider, Result,
};
use proptest::{collection::vec, option, prelude::*};

fn date() -> impl Strategy<Value = Option<DateTime<Utc>>> {
    // RFC 3339 ends with the year 9999.
    let date = (0..253_402_300_800_i64, 0..1_000_000_000_u32);
    option::of(date.prop_map(|(seconds, nanos)| DateTime::from_timestamp(seconds, nanos).unwrap()))
}

fn text() -> impl Strategy<Value = Option<String>> {
    option::of(any::<String>())
}

fn account() -> impl Strategy<Value = Account> {
    let words = ("[a-z]{0,9}|fortanix|Huawei", "[a-z]{0,9}|user", "[a-z]{0,9}|active", any::<String>());
    let texts = [text(), text(), text(), text(), text(), text()];
    let lists = (vec(any::<String>(), 0..3), vec(any::<(String, String)>(), 0..4));
    (words, texts, [date(), date(), date()], lists).prop_map(|(words, texts, dates, (roles, ids))| {
        let (provider, kind, status, id) = words;
        let mut account = Account::new(Provider::from(&*provider), AccountKind::from(&*kind), id);
        account.status = AccountStatus::from(&*status);
        let [name, email, raw_status, parent_id, owner, owner_name] = texts;
        (account.name, account.email, account.raw_status, account.parent_id) =
            (name, email, raw_status.map(Into::into), parent_id);
        let named = owner.is_some() || owner_name.is_some();
        account.owner = named.then(|| AccountOwner::new(owner, owner_name));
        [account.created_at, account.joined_at, account.modified_at] = dates;
        account.roles = roles;
        account.alternate_ids = ids.into_iter().map(|(name, value)| AlternateId::new(name, value)).collect();
        account
    })
}

proptest! {
    #[test]
    fn json_round_trip(account in account()) {
        let line = serde_json::to_string(&account).unwrap();
        prop_assert!(!line.contains('\n'));
        let read: Account = serde_json::from_str(&line).unwrap();
        prop_assert_eq!(&read, &account);
        prop_assert_eq!(serde_json::to_string(&read).unwrap(), line);
    }
}

#[test]
fn equality_compares_every_member() {
    let json = r#"{"provider":"sailpoint","kind":"user","id":"1","name":"n","email":"e","status":"active",
        "raw_status":"r","created_at":"2025-01-01T00:00:00Z","joined_at":"2025-01-01T00:00:00Z",
        "modified_at":"2025-01-01T00:00:00Z","parent_id":"c","owner":{"id":"o","name":"O"},"roles":["x"],
        "alternate_ids":{"uuid":"u"}}"#;
    let account: Account = serde_json::from_str(json).unwrap();
    let members: serde_json::Map<_, _> = serde_json::from_str(json).unwrap();
    assert_eq!(
        serde_json::to_value(&account).unwrap().as_object().unwrap(),
        &members,
        "no other members are written"
    );
    for name in members.keys() {
        let mut changed = members.clone();
        changed[name] = match name.as_str() {
            "owner" => serde_json::json!({"id": "p", "name": "O"}),
            "roles" => serde_json::json!([]),
            "alternate_ids" => serde_json::json!({"uuid": "v"}),
            date if date.ends_with("_at") => "2025-01-02T00:00:00Z".into(),
            _ => "other".into(),
        };
        let changed: Account = serde_json::from_value(changed.into()).unwrap();
        assert_ne!(changed, account, "{name}");
    }
    assert_eq!(account.record().raw(), "null");
    assert_eq!(account.record().parse::<Account>().unwrap_err().kind(), ErrorKind::InvalidRecord);
}

/// A user-defined paginator of user-defined records.
struct Badges;

struct Badge(u32);

impl From<Badge> for Account {
    fn from(badge: Badge) -> Self {
        let mut account = Self::new(Provider::from("doors"), AccountKind::from("badge"), badge.0.to_string());
        account.status = AccountStatus::Active;
        account
    }
}

impl Paginator for Badges {
    type Item = Badge;
    type Cursor = u32;

    fn listing_id(&self) -> ListingId {
        ListingId::new("doors", [])
    }

    async fn fetch(&self, at: Option<&u32>) -> Result<Page<Badge, u32>> {
        let first = at.copied().unwrap_or(0);
        Ok(Page::new(vec![Badge(first), Badge(first + 1)], (first < 4).then_some(first + 2)))
    }
}

#[tokio::test]
async fn custom_paginator_merges_as_accounts() {
    let mut merge = Merge::new([("doors", Badges.into_accounts())]);
    let mut by_id: BTreeMap<(Provider, String), Account> = BTreeMap::new();
    while let Some(event) = merge.next().await {
        if let Event::Item { item, .. } = event {
            by_id.insert((item.provider.clone(), item.id.clone()), item);
        }
    }
    assert_eq!(by_id.len(), 6);
    let key = ("doors".parse().unwrap(), "5".to_owned());
    assert_eq!(by_id[&key].kind.as_str(), "badge");
}
