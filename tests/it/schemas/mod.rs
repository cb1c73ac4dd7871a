//! The requests of the clients, and the answers of the simulators, against the vendors' own schemas.
//!
//! The vendors' files are no part of this project. Where they are not at hand, these tests say so and check
//! nothing, unless `HEADCOUNT_SPECS` says where they are to be; the checker's own tests always run.
//!
//! Of SailPoint, only the listing is checked: its files hold `GET /accounts` and nothing else. What its changes send
//! is told in the tests of each, from the documentation.
//!
//! To have a new request checked, make the client send it in the provider's `requests()`, and take its
//! operation out of `UNSENT`.

mod answers;
mod checker;
mod fortanix;
mod sailpoint;
mod schema;
mod spec;

use std::{collections::BTreeSet, io::Write as _, path::PathBuf};

use headcount_sim::Request;
use serde_json::Value;
use spec::{Sent, Spec};

/// The vendor's file of this name, from the folder that `HEADCOUNT_SPECS` names or from beside the project.
fn published(name: &str) -> Option<Spec> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/specs"));
    let named = std::env::var_os("HEADCOUNT_SPECS");
    let is_named = named.is_some();
    let path = named.map_or_else(beside, PathBuf::from).join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        assert!(!is_named, "HEADCOUNT_SPECS names a folder without {name}");
        // Not by `eprintln`, which the test harness keeps to itself when a test passes.
        let _ = writeln!(std::io::stderr(), "not checked: {} is not there", path.display());
        return None;
    };
    let file: Value = serde_json::from_str(&text).expect("the vendor's file is JSON");
    Some(Spec::new(file))
}

/// Checks that the schema takes all of `requests`, and that they are all of its operations but `unsent`.
fn check(spec: &Spec, requests: &[Request], unsent: &[&str]) {
    let mut complaints = Vec::new();
    let mut missing: BTreeSet<String> = spec.operations().collect();
    for request in requests {
        assert!(request.status().is_some_and(|status| status < 300), "{request:?}");
        let mut sent = Sent::from(request);
        match spec.check(&sent) {
            Ok(operation) => drop(missing.remove(&operation)),
            Err(wrong) => complaints.push(format!("{request:?}: {}", wrong.join("; "))),
        }
        sent.query.push(("undeclared".to_owned(), String::new()));
        assert!(spec.check(&sent).is_err(), "{request:?} is looked at");
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert_eq!(
        missing,
        unsent.iter().copied().map(str::to_owned).collect(),
        "the operations without a request"
    );
}
