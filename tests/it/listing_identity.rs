//! Every option that selects accounts is part of the listing's id, so a checkpoint is accepted only by its
//! listing.

use std::collections::{BTreeMap, BTreeSet};

use headcount::ErrorKind;
use headcount_sim::SimConfig;

use crate::kit::{ListCase, PROVIDERS, Provider, ServerBehavior, Setup, debug};

/// Returns the lists of all providers. Clients have every optional credential, so that a setter can remove
/// one.
async fn all_lists() -> Vec<(&'static dyn Provider, Vec<ListCase>)> {
    let mut all = Vec::new();
    for &provider in PROVIDERS {
        let server = provider.start(SimConfig::new().accounts(1), ServerBehavior::default()).await;
        let client = provider.client(&*server, &Setup { all_credentials: true, ..Setup::default() });
        all.push((provider, client.list_cases()));
    }
    all
}

fn assert_rejected(result: headcount::Result<()>, case: &str) {
    let error = result.expect_err(case);
    assert_eq!(error.kind(), ErrorKind::Checkpoint, "{case}");
    assert!(error.message().contains("another listing"), "{case}: {error}");
}

#[tokio::test]
async fn every_setter_changes_the_id() {
    for (provider, lists) in all_lists().await {
        let mut identities = BTreeMap::new();
        for ListCase { default, different, equivalent, .. } in lists {
            let listing = format!("{provider} {}", type_name(&debug(&default)));
            let saved = default.checkpoint();
            for (setter, other) in &different {
                let case = format!("{listing}.{setter}");
                assert_ne!(default.identity(), other.identity(), "{case} is not in the identity");
                assert_rejected(other.check_resume(&saved), &case);
                assert_rejected(default.check_resume(&other.checkpoint()), &case);
            }
            for (setter, other) in &equivalent {
                assert_eq!(default.identity(), other.identity(), "{listing}.{setter} lists the same");
                other.check_resume(&saved).unwrap();
                default.check_resume(&other.checkpoint()).unwrap();
            }
            for (setter, list) in different.into_iter().chain([("no setter", default)]) {
                let case = format!("{listing} with {setter}");
                let checkpoint = serde_json::to_string(&list.checkpoint()).unwrap();
                if let Some(other) = identities.insert(checkpoint, case.clone()) {
                    panic!("{case} and {other} have the same id");
                }
            }
        }
    }
}

/// Returns the type's name, which starts its `Debug` output.
fn type_name(debug: &str) -> &str {
    debug.split([' ', '\n']).next().unwrap()
}

/// Parses the fields in `{:#?}` output. Nested fields are keyed by their path.
fn fields(debug: &str) -> BTreeMap<String, String> {
    let mut path: Vec<&str> = Vec::new();
    let mut fields = BTreeMap::<String, String>::new();
    for line in debug.lines() {
        let text = line.trim_start();
        let depth = (line.len() - text.len()) / 4;
        path.truncate(depth.saturating_sub(1));
        if let Some((name, _)) = text.split_once(": ")
            && depth > 0
        {
            path.resize(depth - 1, "");
            path.push(name);
        }
        *fields.entry(path.join(".")).or_default() += text;
    }
    fields
}

/// The test above can only check the setters that are in the table.
#[tokio::test]
async fn every_field_has_a_setter_in_the_table() {
    for (provider, lists) in all_lists().await {
        for ListCase { default, different, equivalent, .. } in lists {
            let before = fields(&format!("{default:#?}"));
            let after: Vec<_> =
                different.iter().chain(&equivalent).map(|(_, list)| fields(&format!("{list:#?}"))).collect();
            let mut count = 0;
            for (field, value) in before {
                // Structs are checked by their fields. Constructor arguments have no setter.
                let is_argument = ["", "client", "account_id"].contains(&field.as_str());
                if is_argument || field.starts_with("client.") || value.ends_with('{') {
                    continue;
                }
                count += 1;
                let is_set = after.iter().any(|other| other.get(&field) != Some(&value));
                assert!(is_set, "{provider}: no setter of the table sets {field} of {default:?}");
            }
            assert!(count > 0, "{default:#?}");
        }
    }
}

#[tokio::test]
async fn every_list_is_in_the_table() {
    for (provider, lists) in all_lists().await {
        let folder = format!("{}/src/{}", env!("CARGO_MANIFEST_DIR"), provider.name());
        let mut implemented = BTreeSet::new();
        for file in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let lists = text.lines().filter_map(|line| line.strip_prefix("impl Paginator for "));
            implemented.extend(lists.map(|list| type_name(list).to_owned()));
        }
        let table: BTreeSet<_> =
            lists.iter().map(|list| type_name(&debug(&list.default)).to_owned()).collect();
        assert_eq!(table, implemented, "{provider}");
    }
}
