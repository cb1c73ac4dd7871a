//! A checkpoint is taken only by the listing that it is of: whatever chooses accounts belongs into its identity.

use std::collections::{BTreeMap, BTreeSet};

use headcount::ErrorKind;
use headcount_sim::Settings;

use crate::kit::{Habits, PROVIDERS, Provider, Settable, Setup, debug};

/// All lists of all providers, each client with every credential, so that a list can be without one.
async fn all() -> Vec<(&'static dyn Provider, Vec<Settable>)> {
    let mut all = Vec::new();
    for &provider in PROVIDERS {
        let server = provider.start(Settings::new().accounts(1), Habits::default()).await;
        let client = provider.client(&*server, &Setup { every_credential: true, ..Setup::default() });
        all.push((provider, client.settable()));
    }
    all
}

fn assert_refused(result: headcount::Result<()>, case: &str) {
    let error = result.expect_err(case);
    assert_eq!(error.kind(), ErrorKind::Checkpoint, "{case}");
    assert!(error.message().contains("another listing"), "{case}: {error}");
}

#[tokio::test]
async fn every_setter_makes_another_listing() {
    for (provider, lists) in all().await {
        let mut identities = BTreeMap::new();
        for Settable { plain, others, alike, .. } in lists {
            let listing = format!("{provider} {}", name(&debug(&plain)));
            let saved = plain.checkpoint();
            for (setter, other) in &others {
                let case = format!("{listing}.{setter}");
                assert_ne!(plain.identity(), other.identity(), "{case} is not in the identity");
                assert_refused(other.resumed(&saved), &case);
                assert_refused(plain.resumed(&other.checkpoint()), &case);
            }
            for (setter, other) in &alike {
                assert_eq!(plain.identity(), other.identity(), "{listing}.{setter} lists the same");
                other.resumed(&saved).unwrap();
                plain.resumed(&other.checkpoint()).unwrap();
            }
            for (setter, list) in others.into_iter().chain([("no setter", plain)]) {
                let case = format!("{listing} with {setter}");
                let checkpoint = serde_json::to_string(&list.checkpoint()).unwrap();
                if let Some(other) = identities.insert(checkpoint, case.clone()) {
                    panic!("{case} and {other} are one listing");
                }
            }
        }
    }
}

/// The type's name, with which its debug text begins.
fn name(shown: &str) -> &str {
    shown.split([' ', '\n']).next().unwrap()
}

/// The fields that a value shows of itself, those within others by their path.
fn fields(shown: &str) -> BTreeMap<String, String> {
    let mut path: Vec<&str> = Vec::new();
    let mut fields = BTreeMap::<String, String>::new();
    for line in shown.lines() {
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

/// A setter that is not in the table would not be seen to be left out of the identity.
#[tokio::test]
async fn every_field_is_set_by_a_setter_of_the_table() {
    for (provider, lists) in all().await {
        for Settable { plain, others, alike, .. } in lists {
            let before = fields(&format!("{plain:#?}"));
            let after: Vec<_> =
                others.iter().chain(&alike).map(|(_, list)| fields(&format!("{list:#?}"))).collect();
            let mut count = 0;
            for (field, value) in before {
                // A struct is its fields, and what is chosen before the setters is no setter's.
                let given = ["", "client", "account_id"].contains(&field.as_str());
                if given || field.starts_with("client.") || value.ends_with('{') {
                    continue;
                }
                count += 1;
                let is_set = after.iter().any(|other| other.get(&field) != Some(&value));
                assert!(is_set, "{provider}: no setter of the table sets {field} of {plain:?}");
            }
            assert!(count > 0, "{plain:#?}");
        }
    }
}

#[tokio::test]
async fn every_list_is_in_the_table() {
    for (provider, lists) in all().await {
        let folder = format!("{}/src/{}", env!("CARGO_MANIFEST_DIR"), provider.name());
        let mut written = BTreeSet::new();
        for file in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let lists = text.lines().filter_map(|line| line.strip_prefix("impl Paginator for "));
            written.extend(lists.map(|list| name(list).to_owned()));
        }
        let table: BTreeSet<_> = lists.iter().map(|list| name(&debug(&list.plain)).to_owned()).collect();
        assert_eq!(table, written, "{provider}");
    }
}
