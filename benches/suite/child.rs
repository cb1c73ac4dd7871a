//! Listing in a process of its own: for what is counted of a whole process.

use std::{
    process::{Command, Stdio},
    time::Instant,
};

use serde::{Deserialize, Serialize};

use super::{
    lister::{Lister, Provider, Way},
    machine, runtime,
};

/// What listing took.
#[derive(Serialize, Deserialize)]
pub(crate) struct Ran {
    pub(crate) accounts: u64,
    pub(crate) seconds: f64,
    /// The most memory that the process had, in KiB.
    pub(crate) peak: u64,
}

/// The arguments of this program that list all accounts at `url`.
pub(crate) fn arguments(provider: Provider, way: Way, url: &str) -> [String; 4] {
    ["list".to_owned(), provider.name().to_owned(), way.name(), url.to_owned()]
}

/// Lists, in another process.
pub(crate) fn run_child(provider: Provider, way: Way, url: &str) -> Ran {
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(arguments(provider, way, url))
        .stderr(Stdio::inherit())
        .output()
        .expect("a process");
    serde_json::from_slice(&output.stdout).expect("what it took")
}

/// That other process: one thread, one client.
pub(crate) fn list(arguments: &[String]) {
    let [provider, way, url] = arguments else { panic!("a provider, a way, a URL") };
    let provider = Provider::named(provider).expect("a provider");
    let way = Way::named(way).expect("a way");
    let runtime = runtime(true);
    let lister = Lister::new(provider, way, url);
    let began = Instant::now();
    let accounts = runtime.block_on(lister.list());
    let seconds = began.elapsed().as_secs_f64();
    let ran = Ran { accounts, seconds, peak: machine::peak_memory() };
    println!("{}", serde_json::to_string(&ran).expect("JSON"));
}
