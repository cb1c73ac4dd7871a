//! The shared account, checked against the JSON of each generated record.

use headcount::Account;
use headcount_sim::{SailPoint, SimConfig};
use serde_json::Value;

use super::support::{list_all, plain, sailpoint};
use crate::kit::{PROVIDERS, ServerBehavior, Setup};

const ACCOUNTS: usize = 240;

#[tokio::test]
async fn matches_record() {
    for &provider in PROVIDERS {
        let server = provider.start(SimConfig::new().accounts(ACCOUNTS), ServerBehavior::default()).await;
        provider.add_rare_accounts(&*server);
        let accounts = list_all(provider.client(&*server, &Setup::http(plain())).detailed_list()).await;
        let records = server.records();
        assert_eq!(accounts.len(), records.len(), "{provider}");
        for (account, record) in accounts.iter().zip(&records) {
            assert_eq!(account, &provider.account(record), "{record}");
            let raw: Value = serde_json::from_str(account.record().raw()).unwrap();
            assert_eq!(&raw, record, "the JSON of the record is kept");
            let line = serde_json::to_string(account).unwrap();
            assert_eq!(&serde_json::from_str::<Account>(&line).unwrap(), account, "{line}");
            let shown = format!("{account:?} {line}");
            assert!(!shown.contains("secret-"), "contains a secret of the record: {shown}");
        }
        // A status that does not occur in the data would not be checked.
        let (kinds, statuses) = provider.expected_values();
        for kind in kinds {
            assert!(
                accounts.iter().any(|account| account.kind == *kind),
                "{provider}: no account is a {kind}"
            );
        }
        for status in statuses {
            let occurs = accounts.iter().any(|account| account.status == *status);
            assert!(occurs, "{provider}: no account is {status}");
        }
    }
}

#[tokio::test]
async fn record_parses_to_provider_type() {
    let server = SailPoint::builder().accounts(20).start().await.unwrap();
    let list = sailpoint(&server).build().unwrap().list_accounts();
    let typed = list_all(list.clone()).await;
    for (typed, shared) in typed.iter().zip(list_all(list.into_accounts()).await) {
        let parsed: headcount::sailpoint::Account = shared.record().parse().unwrap();
        assert_eq!(parsed.raw(), typed.raw());
        let serialized = serde_json::to_value(typed).unwrap();
        assert_eq!(Some(serialized), server.world(|world| world.record(&typed.id)));
    }
}
