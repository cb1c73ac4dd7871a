//! The shared account, for whole generated worlds, against what each record's JSON says.

use headcount::{Account, Paginator};
use headcount_sim::{SailPoint, Settings};
use serde_json::Value;

use super::support::{plain, sailpoint, whole};
use crate::kit::{Habits, PROVIDERS, Setup};

const ACCOUNTS: usize = 240;

#[tokio::test]
async fn a_shared_account_says_what_the_record_says() {
    for &provider in PROVIDERS {
        let server = provider.start(Settings::new().accounts(ACCOUNTS), Habits::default()).await;
        provider.add_rare_accounts(&*server);
        let accounts = whole(provider.client(&*server, &Setup::http(plain())).full_list()).await;
        let records = server.records();
        assert_eq!(accounts.len(), records.len(), "{provider}");
        for (account, record) in accounts.iter().zip(&records) {
            assert_eq!(account, &provider.account(record), "{record}");
            let raw: Value = serde_json::from_str(account.record().raw()).unwrap();
            assert_eq!(&raw, record, "the record's own JSON is kept");
            let line = serde_json::to_string(account).unwrap();
            assert_eq!(&serde_json::from_str::<Account>(&line).unwrap(), account, "{line}");
            let shown = format!("{account:?} {line}");
            assert!(!shown.contains("secret-"), "a secret of the record shows: {shown}");
        }
        // A mapping that is right of a world without a status says nothing of it.
        let (kinds, statuses) = provider.seen();
        for kind in kinds {
            assert!(
                accounts.iter().any(|account| account.kind == *kind),
                "{provider}: no account is a {kind}"
            );
        }
        for status in statuses {
            let came = accounts.iter().any(|account| account.status == *status);
            assert!(came, "{provider}: no account is {status}");
        }
    }
}

#[tokio::test]
async fn a_shared_account_gives_its_providers_own_record_back() {
    let server = SailPoint::builder().accounts(20).start().await.unwrap();
    let list = sailpoint(&server).build().unwrap().list_accounts();
    let typed = whole(list.clone()).await;
    for (typed, shared) in typed.iter().zip(whole(list.into_accounts()).await) {
        let again: headcount::sailpoint::Account = shared.record().parse().unwrap();
        assert_eq!(again.raw(), typed.raw());
        let written = serde_json::to_value(typed).unwrap();
        assert_eq!(Some(written), server.world(|world| world.record(&typed.id)));
    }
}
