//! Listing in a separate process, for measurements of a whole process.

use std::{
    process::{Command, Stdio},
    time::Instant,
};

use serde::{Deserialize, Serialize};

use super::{
    lister::{Lister, Method, Provider},
    machine, runtime,
};

/// The cost of listing all accounts.
#[derive(Serialize, Deserialize)]
pub(crate) struct Measurement {
    pub(crate) accounts: u64,
    pub(crate) seconds: f64,
    /// The peak memory of the process, in KiB.
    pub(crate) peak_kib: u64,
}

/// Returns the arguments of this program to list all accounts at `url`.
pub(crate) fn arguments(provider: Provider, method: Method, url: &str) -> [String; 4] {
    ["list".to_owned(), provider.name().to_owned(), method.name(), url.to_owned()]
}

/// Lists all accounts in another process.
pub(crate) fn run_child(provider: Provider, method: Method, url: &str) -> Measurement {
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(arguments(provider, method, url))
        .stderr(Stdio::inherit())
        .output()
        .expect("a process");
    serde_json::from_slice(&output.stdout).expect("a measurement")
}

/// Lists all accounts on one thread, with one client. The entry point of the other process.
pub(crate) fn list(arguments: &[String]) {
    let [provider, method, url] = arguments else { panic!("expected a provider, a method and a URL") };
    let provider = Provider::named(provider).expect("a provider");
    let method = Method::named(method).expect("a method");
    let runtime = runtime(true);
    let lister = Lister::new(provider, method, url);
    let began = Instant::now();
    let accounts = runtime.block_on(lister.list());
    let seconds = began.elapsed().as_secs_f64();
    let measurement = Measurement { accounts, seconds, peak_kib: machine::peak_memory_kib() };
    println!("{}", serde_json::to_string(&measurement).expect("JSON"));
}
