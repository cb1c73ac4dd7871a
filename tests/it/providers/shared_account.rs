//! The shared account, for whole generated worlds, against what each record's JSON says.

use chrono::{DateTime, NaiveDateTime, Utc};
use headcount::{Account, Kind, Paginator, Provider, Status};
use headcount_sim::{Annature, Fortanix, Huawei, SailPoint};
use serde_json::Value;

use super::support::{annature, fortanix, huawei, sailpoint, whole};

const ACCOUNTS: usize = 240;

fn text(record: &Value, name: &str) -> Option<String> {
    record[name].as_str().map(str::to_owned)
}

/// In any of the layouts that the simulators write.
fn date(record: &Value, name: &str) -> Option<DateTime<Utc>> {
    let text = record[name].as_str()?;
    let zoned = DateTime::parse_from_rfc3339(text).map(|date| date.to_utc());
    let plain = || NaiveDateTime::parse_from_str(&text.replace('T', " "), "%Y-%m-%d %H:%M:%S");
    Some(zoned.unwrap_or_else(|_| plain().unwrap().and_utc()))
}

fn alternate(account: &Account, name: &str) -> Option<String> {
    let mut found = account.alternate_ids.iter().filter(|id| id.name == name);
    let first = found.next().map(|id| id.value.clone());
    assert!(found.next().is_none());
    first
}

/// Asserts that the lists are the same accounts in the same order, and that the records came whole.
fn pairs<'a>(
    accounts: &'a [Account],
    records: &'a [Value],
) -> impl Iterator<Item = (&'a Account, &'a Value)> {
    assert_eq!(accounts.len(), records.len());
    accounts.iter().zip(records).inspect(|(account, record)| {
        let raw: Value = serde_json::from_str(account.record().raw().get()).unwrap();
        assert_eq!(&raw, *record, "the record's own JSON is kept");
        let line = serde_json::to_string(account).unwrap();
        assert_eq!(&serde_json::from_str::<Account>(&line).unwrap(), *account, "{line}");
    })
}

/// How often each status came: a mapping that is right of a world without that status says nothing.
fn assert_all_seen(accounts: &[Account], statuses: &[Status]) {
    for status in statuses {
        assert!(accounts.iter().any(|account| account.status == *status), "no account was {status}");
    }
}

#[tokio::test]
async fn fortanix_accounts_tell_their_own_status_before_the_callers() {
    let server = Fortanix::builder().accounts(ACCOUNTS).start().await.unwrap();
    let list = fortanix(&server).build().unwrap().list_accounts().into_accounts();
    let accounts = whole(list).await;
    for (account, record) in pairs(&accounts, &server.records()) {
        assert_eq!((&account.provider, &account.kind), (&Provider::Fortanix, &Kind::Tenant));
        assert_eq!(Some(&account.id), text(record, "acct_id").as_ref());
        assert_eq!(account.name, text(record, "name"));
        let own = text(record, "account_status");
        let status = match (own.as_deref(), record["status"].as_str()) {
            (Some("Active"), _) | (None, Some("ACTIVE")) => Status::Active,
            (Some("Deactivated"), _) | (None, Some("DISABLED")) => Status::Disabled,
            (None, Some("PENDING")) => Status::Pending,
            _ => Status::Unstated,
        };
        assert_eq!(account.status, status, "{record}");
        assert_eq!(account.raw_status, own.or_else(|| text(record, "status")));
        let created = record["created_at"].as_i64();
        assert_eq!(account.created_at.map(|date| date.timestamp()), created);
        assert!(account.roles.is_empty(), "they are the caller's");
        assert_eq!(
            (&account.email, &account.container, &account.owner, account.joined_at, account.modified_at),
            (&None, &None, &None, None, None)
        );
        assert!(account.alternate_ids.is_empty());
        let shown = format!("{account:?} {}", serde_json::to_string(account).unwrap());
        assert!(!shown.contains("secret-"), "a client_secret of the record shows");
    }
    let seen = [Status::Active, Status::Disabled, Status::Pending, Status::Unstated];
    assert_all_seen(&accounts, &seen);
}

#[tokio::test]
async fn huawei_accounts_tell_their_status_in_any_case() {
    let server = Huawei::builder().accounts(ACCOUNTS).start().await.unwrap();
    let list = huawei(&server).build().unwrap().list_accounts();
    let accounts = whole(list.with_register_contact_info(true).into_accounts()).await;
    for (account, record) in pairs(&accounts, &server.records()) {
        assert_eq!((&account.provider, &account.kind), (&Provider::Huawei, &Kind::CloudAccount));
        assert_eq!(Some(&account.id), text(record, "id").as_ref());
        assert_eq!(account.name, text(record, "name"));
        assert_eq!(account.email, text(record, "email"));
        let raw = text(record, "status").map(|status| status.to_lowercase());
        let status = match raw.as_deref() {
            Some("active") => Status::Active,
            Some("suspended") => Status::Suspended,
            Some("pending_closure") => Status::Closing,
            _ => Status::Unstated,
        };
        assert_eq!((&account.status, &account.raw_status), (&status, &raw), "{record}");
        assert_eq!(account.joined_at, date(record, "joined_at"), "{record}");
        let urn = text(record, "urn").unwrap();
        let organization = urn.split(":account:").nth(1).unwrap().split('/').next();
        assert_eq!(account.container.as_deref(), organization);
        assert_eq!(alternate(account, "urn"), Some(urn));
        assert_eq!((account.created_at, account.modified_at, &account.owner), (None, None, &None));
        assert!(account.roles.is_empty());
    }
    let seen = [Status::Active, Status::Suspended, Status::Closing, Status::Unstated];
    assert_all_seen(&accounts, &seen);
}

#[tokio::test]
async fn annature_accounts_are_pending_until_they_are_verified() {
    let server = Annature::builder().accounts(ACCOUNTS).start().await.unwrap();
    // As in the oldest answers known, and too rare to be in every world.
    server.update(&server.ids()[1], |record| {
        record.as_object_mut().unwrap().remove("active");
    });
    let list = annature(&server).build().unwrap().list_accounts().into_accounts();
    let accounts = whole(list).await;
    for (account, record) in pairs(&accounts, &server.records()) {
        assert_eq!((&account.provider, &account.kind), (&Provider::Annature, &Kind::User));
        assert_eq!(Some(&account.id), text(record, "id").as_ref());
        assert_eq!(account.name, text(record, "name"));
        assert_eq!(account.email, text(record, "email"));
        let status = match (record["active"].as_bool(), record["verified"].is_null()) {
            (Some(false), _) => Status::Disabled,
            (Some(true), true) => Status::Pending,
            (Some(true), false) => Status::Active,
            (None, _) => Status::Unstated,
        };
        assert_eq!(account.status, status, "{record}");
        assert_eq!(account.created_at, date(record, "created"));
        assert_eq!(account.container, text(record, "organisation_id"));
        let role = account.roles.join(" ");
        assert!(role.eq_ignore_ascii_case(&text(record, "role").unwrap()), "{record}");
        assert_eq!((account.joined_at, account.modified_at, &account.owner), (None, None, &None));
        assert!(account.alternate_ids.is_empty());
    }
    let seen = [Status::Active, Status::Disabled, Status::Pending, Status::Unstated];
    assert_all_seen(&accounts, &seen);
}

#[tokio::test]
async fn sailpoint_accounts_are_disabled_before_they_are_locked() {
    let server = SailPoint::builder().accounts(ACCOUNTS).start().await.unwrap();
    let list = sailpoint(&server).build().unwrap().list_accounts().into_accounts();
    let accounts = whole(list).await;
    for (account, record) in pairs(&accounts, &server.records()) {
        let kind = match record["systemAccount"].as_bool() {
            Some(true) => Kind::SystemAccount,
            _ => Kind::SourceAccount,
        };
        assert_eq!((&account.provider, &account.kind), (&Provider::SailPoint, &kind));
        assert_eq!(Some(&account.id), text(record, "id").as_ref());
        let native = text(record, "nativeIdentity");
        assert_eq!(account.name, text(record, "name").or_else(|| native.clone()));
        let status = match (record["disabled"].as_bool(), record["locked"].as_bool()) {
            (Some(true), _) => Status::Disabled,
            (_, Some(true)) => Status::Locked,
            _ => Status::Active,
        };
        assert_eq!(account.status, status, "{record}");
        assert_eq!(account.created_at, date(record, "created"));
        assert_eq!(account.modified_at, date(record, "modified"));
        assert_eq!(account.container, text(record, "sourceId"));
        let stated = Some(&record["ownerIdentity"]).filter(|owner| owner.is_object());
        let (machine, correlated) = (record["isMachine"] == true, text(record, "identityId"));
        let owner = match stated.filter(|_| machine || correlated.is_none()) {
            Some(owner) => Some((text(owner, "id"), text(owner, "name"))),
            None => correlated.map(|id| (Some(id), text(&record["identity"], "name"))),
        };
        assert_eq!(account.owner.clone().map(|owner| (owner.id, owner.name)), owner, "{record}");
        assert_eq!(alternate(account, "nativeIdentity"), native);
        assert_eq!(alternate(account, "uuid"), text(record, "uuid"));
        assert_eq!((&account.email, account.joined_at), (&None, None));
        assert!(account.roles.is_empty());
    }
    assert_all_seen(&accounts, &[Status::Active, Status::Disabled, Status::Locked]);
    assert!(accounts.iter().any(|account| account.kind == Kind::SystemAccount));
}

#[tokio::test]
async fn a_shared_account_gives_its_providers_own_record_back() {
    let server = SailPoint::builder().accounts(20).start().await.unwrap();
    let list = sailpoint(&server).build().unwrap().list_accounts();
    let typed = whole(list.clone()).await;
    for (typed, shared) in typed.iter().zip(whole(list.into_accounts()).await) {
        let again: headcount::sailpoint::Account = shared.record().parse().unwrap();
        assert_eq!(again.raw().get(), typed.raw().get());
        let written = serde_json::to_value(typed).unwrap();
        assert_eq!(Some(written), server.world(|world| world.record(&typed.id)));
    }
}
