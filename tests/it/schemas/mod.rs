//! Checks the requests of the clients and the responses of the simulators against the vendors' own schemas.
//!
//! The vendors' files are not part of this project. `HEADCOUNT_SPECS` names the folder that contains them;
//! the default is a folder next to the project. If the variable is not set and a file is missing, these tests
//! print a note and check nothing. If it is set, a missing file fails the test. The tests of the checker
//! itself always run.
//!
//! For SailPoint, only the list is checked: its files contain `GET /accounts` and nothing else. Its mutations
//! are checked against the documentation in `providers/sailpoint`.
//!
//! To check a new request, send it in the provider's `requests()`, and remove its operation from `UNSENT`.

mod checker;
mod fortanix;
mod responses;
mod sailpoint;
mod schema;
mod spec;

use std::{collections::BTreeSet, io::Write as _, path::PathBuf};

use headcount_sim::Request;
use serde_json::Value;
use spec::{SentRequest, Spec};

/// Loads the vendor's file of this name, from the folder that `HEADCOUNT_SPECS` names or from the default
/// folder.
fn load_spec(name: &str) -> Option<Spec> {
    let default_folder = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/specs"));
    let named = std::env::var_os("HEADCOUNT_SPECS");
    let is_named = named.is_some();
    let path = named.map_or_else(default_folder, PathBuf::from).join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        assert!(!is_named, "HEADCOUNT_SPECS: {name} is not in the folder");
        // Not `eprintln`: the test harness captures its output when a test passes.
        let _ = writeln!(std::io::stderr(), "not checked: {} does not exist", path.display());
        return None;
    };
    let file: Value = serde_json::from_str(&text).expect("the vendor's file is JSON");
    Some(Spec::new(file))
}

/// Asserts that all `requests` are valid, and that they cover all operations of the spec except `unsent`.
fn check(spec: &Spec, requests: &[Request], unsent: &[&str]) {
    let mut failures = Vec::new();
    let mut missing: BTreeSet<String> = spec.operations().collect();
    for request in requests {
        assert!(request.status().is_some_and(|status| status < 300), "{request:?}");
        let mut sent = SentRequest::from(request);
        match spec.check(&sent) {
            Ok(operation) => drop(missing.remove(&operation)),
            Err(violations) => failures.push(format!("{request:?}: {}", violations.join("; "))),
        }
        sent.query.push(("undeclared".to_owned(), String::new()));
        assert!(spec.check(&sent).is_err(), "an undeclared parameter is accepted: {request:?}");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(missing, unsent.iter().copied().map(str::to_owned).collect(), "operations without a request");
}
