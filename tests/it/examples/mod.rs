//! End-to-end tests of the examples.

mod account_lifecycle;
mod checkpoint;
mod create_fortanix_account;
mod custom_provider;
mod diff;
mod hostile_text;
mod report;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader, Read},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use headcount_sim::PROVIDERS;

/// The time after which a hanging process is killed.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Returns a command that runs an example, which `cargo test` has built next to the tests.
pub(crate) fn example(name: &str) -> Command {
    let mut path: PathBuf = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    let mut command = Command::new(path.join("examples").join(name));
    command.env_remove("COLUMNS");
    // Credentials in the environment of the tests must not be used.
    for (name, _) in std::env::vars() {
        if ["FORTANIX_", "HUAWEICLOUD_", "ANNATURE_", "SAIL_"].iter().any(|start| name.starts_with(start)) {
            command.env_remove(name);
        }
    }
    command
}

/// A running process. It is killed after a timeout, or when this is dropped.
///
/// Killing the process closes its pipes, so that a test cannot wait forever for output.
struct Running {
    child: Arc<Mutex<Child>>,
    timeout: Duration,
    deadline: Instant,
    /// Ends the watchdog thread when it is dropped.
    _watchdog: mpsc::Sender<()>,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        Self::start_with_timeout(TIMEOUT, command)
    }

    fn start_with_timeout(timeout: Duration, command: &mut Command) -> Self {
        let child = command.spawn().expect("cargo test builds the examples");
        let child = Arc::new(Mutex::new(child));
        let (watchdog, dropped) = mpsc::channel();
        let watched = Arc::clone(&child);
        thread::spawn(move || {
            if dropped.recv_timeout(timeout) == Err(mpsc::RecvTimeoutError::Timeout) {
                let _ = watched.lock().unwrap().kill();
            }
        });
        Self { child, timeout, deadline: Instant::now() + timeout, _watchdog: watchdog }
    }

    /// Takes the standard output, which must be a pipe.
    fn stdout(&self) -> impl Read + Send + 'static {
        self.child.lock().unwrap().stdout.take().unwrap()
    }

    fn stderr(&self) -> impl Read + Send + 'static {
        self.child.lock().unwrap().stderr.take().unwrap()
    }

    fn id(&self) -> u32 {
        self.child.lock().unwrap().id()
    }

    fn kill(&self) {
        self.child.lock().unwrap().kill().unwrap();
    }

    /// Waits for the exit code. Returns `None` if the process was killed.
    fn code(&self) -> Option<i32> {
        loop {
            let status = self.child.lock().unwrap().try_wait().unwrap();
            assert!(Instant::now() < self.deadline, "the process ran longer than {:?}", self.timeout);
            match status {
                Some(status) => return status.code(),
                None => thread::sleep(Duration::from_millis(5)),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(mut child) = self.child.lock() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
#[should_panic(expected = "the process ran longer than 200ms")]
fn hanging_process_is_killed() {
    let mut command = Command::new("sleep");
    let hanging =
        Running::start_with_timeout(Duration::from_millis(200), command.arg("600").stdout(Stdio::piped()));
    let mut printed = String::new();
    hanging.stdout().read_to_string(&mut printed).unwrap();
    hanging.code();
}

/// A running `simulate`, and the environment that it printed.
struct Simulate {
    _process: Running,
    env: BTreeMap<String, String>,
}

impl Simulate {
    fn start(args: &[&str]) -> Self {
        let mut command = example("simulate");
        let process = Running::start(command.args(args).stdout(Stdio::piped()).stderr(Stdio::null()));
        let mut env = BTreeMap::new();
        // A line of another form ends the variables.
        for line in BufReader::new(process.stdout()).lines().map(Result::unwrap) {
            let Some(export) = line.strip_prefix("export ") else { break };
            let (name, value) = export.split_once('=').unwrap();
            env.insert(name.to_owned(), value.trim_matches('\'').to_owned());
        }
        assert!(!env.is_empty(), "`simulate` did not start");
        Self { _process: process, env }
    }

    fn list(&self, args: &[&str]) -> Command {
        let mut command = example("list_accounts");
        command.args(args).envs(&self.env);
        command
    }
}

fn utf8(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Returns the (source, id) pairs in NDJSON.
fn accounts(ndjson: &str) -> Vec<(String, String)> {
    let account = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        (line["source"].as_str().unwrap().to_owned(), line["id"].as_str().unwrap().to_owned())
    };
    ndjson.lines().map(account).collect()
}

/// Runs a command to its end. Returns the exit code, the standard output and the standard error.
pub(crate) fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let process = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let read = |mut pipe: Box<dyn Read + Send>| {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            pipe.read_to_end(&mut bytes).map(|_| utf8(&bytes)).unwrap()
        })
    };
    let (out, err) = (read(Box::new(process.stdout())), read(Box::new(process.stderr())));
    let (out, err) = (out.join().unwrap(), err.join().unwrap());
    (process.code(), out, err)
}

/// Returns the number of accounts of all providers.
fn total(per_provider: usize) -> usize {
    per_provider * PROVIDERS.len()
}

#[test]
fn lists_simulators_without_credentials() {
    let (code, out, err) = run(example("list_accounts").args(["--format", "ndjson", "--raw"]));
    assert_eq!(code, Some(0), "{err}");
    assert!(err.starts_with("no credentials in the environment"), "{err}");
    let distinct: BTreeSet<_> = accounts(&out).into_iter().collect();
    assert_eq!((distinct.len(), out.lines().count()), (total(250), total(250)));
    for source in PROVIDERS.iter().map(|provider| provider.name()) {
        assert_eq!(distinct.iter().filter(|(name, _)| name == source).count(), 250);
        assert!(err.contains(&format!("{source}: 250 accounts")), "{err}");
    }
    assert!(out.lines().all(|line| line.contains("\"record\":{")));
    assert!(out.contains("[redacted]"), "some Fortanix records have a client secret");
}

#[test]
fn every_simulated_row_says_so() {
    let count = |format: &str, is_marked: fn(&str) -> bool| {
        let (code, out, err) = run(example("list_accounts").args(["--max", "8", "--format", format]));
        assert_eq!(code, Some(0), "{err}");
        out.lines().filter(|line| is_marked(line)).count()
    };
    assert_eq!(count("ndjson", |line| line.contains(r#""simulated":true"#)), 8);
    assert_eq!(count("csv", |line| line.ends_with(",true")), 8);
    assert_eq!(count("table", |line| line.trim_end().ends_with(" yes")), 8);

    let simulate = Simulate::start(&["--accounts", "3"]);
    let listed = run(&mut simulate.list(&["--format", "ndjson"])).1;
    assert_eq!(
        listed.lines().filter(|line| !line.contains("simulated")).count(),
        total(3),
        "as real providers"
    );
    let (code, forced, err) = run(&mut simulate.list(&["--format", "ndjson", "--simulate", "--max", "8"]));
    assert_eq!((code, forced.matches(r#""simulated":true"#).count()), (Some(0), 8), "{err}");
}

#[test]
fn incomplete_credentials_never_start_simulators() {
    for (name, value, says) in [
        ("SAIL_BASE_URL", "https://acme.example", "environment variable SAIL_CLIENT_ID is not set"),
        (
            "FORTANIX_CCM_BASE_URL",
            "https://ccm.example",
            "FORTANIX_CCM_BASE_URL is set, but fortanix has no credentials",
        ),
        ("FORTANIX_CCM_TOKEN", "", "FORTANIX_CCM_TOKEN is empty, but fortanix has no credentials"),
        ("HUAWEICLOUD_SDK_AK", "", "HUAWEICLOUD_SDK_AK is empty, but huawei has no credentials"),
        ("ANNATURE_ID", "id", "ANNATURE_KEY"),
    ] {
        let (code, out, err) = run(example("list_accounts").env(name, value));
        assert_eq!((code, out.as_str()), (Some(2), ""), "{name}: {err}");
        assert!(err.contains(says), "{name}: {err}");
        assert!(!err.contains("simulators"), "{name}: {err}");
    }
    // The other providers are listed if they are selected.
    let simulate = Simulate::start(&["--accounts", "3"]);
    let mut selected = simulate.list(&["--format", "ndjson", "--provider", "annature"]);
    let (code, out, err) = run(selected.env_remove("SAIL_CLIENT_ID").env("FORTANIX_CCM_TOKEN", ""));
    assert_eq!((code, out.lines().count()), (Some(0), 3), "{err}");
}

#[test]
fn simulate_supports_strict_clients() {
    let strict = ["--documented-only", "--stable-order", "--temporary-keys", "--accounts", "300"];
    let strict = Simulate::start(&strict);
    assert!(strict.env.contains_key("HUAWEICLOUD_SDK_SECURITY_TOKEN"));
    let plain = Simulate::start(&["--accounts", "300"]);
    assert!(!plain.env.contains_key("HUAWEICLOUD_SDK_SECURITY_TOKEN"));
    for (simulate, has_undocumented) in [(strict, false), (plain, true)] {
        let (code, out, err) = run(&mut simulate.list(&["--format", "ndjson", "--raw"]));
        assert_eq!((code, accounts(&out).len()), (Some(0), total(300)), "{err}");
        assert_eq!(out.contains("nannounced"), has_undocumented);
    }
}

#[test]
fn all_formats_have_a_row_per_account() {
    let simulate = Simulate::start(&["--accounts", "30"]);
    let (code, out, _) = run(&mut simulate.list(&["--page-size", "7"]));
    assert_eq!((code, out.lines().filter(|line| line.contains(" huawei ")).count()), (Some(0), 30));
    for (more, count) in [
        (&["--concurrency", "4"][..], total(30)),
        (&["--max", "33"], 33),
        (&["--sailpoint-api", "beta"], total(30)),
        (&["--ahead", "18446744073709551615"], total(30)),
        (&["--concurrency", "18446744073709551615"], total(30)),
    ] {
        let args: Vec<&str> =
            ["--format", "ndjson", "--page-size", "7"].iter().chain(more).copied().collect();
        let (code, out, err) = run(&mut simulate.list(&args));
        assert_eq!((code, accounts(&out).len()), (Some(0), count), "{more:?}: {err}");
    }
    let (code, out, _) = run(&mut simulate.list(&["--format", "csv", "--ahead", "2"]));
    assert_eq!(code, Some(0));
    let mut reader = csv::Reader::from_reader(out.as_bytes());
    let columns: Vec<_> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!((columns.len(), columns[2].as_str()), (15, "id"));
    assert_eq!(columns[10..], ["parent_id", "owner_id", "owner", "roles", "simulated"]);
    let records: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.iter().map(|record| record[2].to_owned()).collect::<BTreeSet<_>>().len(), total(30));
    for record in records {
        let owned = !record[11].is_empty();
        assert!(!owned || record[0] == *"sailpoint", "only SailPoint returns owners: {record:?}");
        assert!(owned || record[12].is_empty(), "a name without an id: {record:?}");
    }
    let (_, out, _) = run(&mut simulate.list(&["--format", "ndjson", "--provider", "sailpoint"]));
    assert!(out.contains(r#""owner":{"id":""#) && out.contains(r#""owner":null"#), "{out}");
}

#[test]
fn table_fits_the_terminal() {
    let simulate = Simulate::start(&["--accounts", "40"]);
    let table = |args: &[&str], columns: &str| {
        let (code, out, err) = run(simulate.list(args).env("COLUMNS", columns));
        assert_eq!(code, Some(0), "{err}");
        out
    };
    for columns in ["80", "160"] {
        let out = table(&["--provider", "annature"], columns);
        let limit: usize = columns.parse().unwrap();
        assert!(out.lines().all(|line| console::measure_text_width(line) <= limit), "{out}");
        assert!(
            out.lines()
                .next()
                .unwrap()
                .split_whitespace()
                .eq(["source", "id", "name", "email", "status", "since"])
        );
        assert_eq!(out.lines().count(), 41, "one line for each account");
    }
    assert!(table(&["--provider", "annature"], "80").contains('…'));
    let wide = table(&["--provider", "annature", "--wide"], "80");
    assert!(!wide.contains('…') && wide.lines().next().unwrap().contains("parent_id"), "{wide}");
    let id = wide.lines().nth(1).unwrap().split_whitespace().nth(2).unwrap();
    assert!(table(&["--provider", "annature"], "160").contains(id), "ids are not shortened");
}

#[test]
fn long_waits_are_reported() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("faults.json");
    let plan = r#"{"seed": 1, "rules": [
        {"on": {"list": 1}, "fault": {"too_many_requests": {"retry_after": {"seconds": 2}}}}
    ]}"#;
    std::fs::write(&file, plan).unwrap();
    let simulate = Simulate::start(&["--accounts", "3", "--faults", file.to_str().unwrap()]);
    let (code, _, err) = run(&mut simulate.list(&["--provider", "annature"]));
    assert_eq!(code, Some(0), "{err}");
    assert!(err.starts_with("annature: waits 2 s because the provider limits the rate\n"), "{err}");
}

#[test]
fn inventory_says_whether_each_list_is_complete() {
    let simulate = Simulate::start(&["--accounts", "30"]);
    let read = |args: &[&str]| {
        let (_, out, err) = run(&mut simulate.list(args));
        (headcount::Inventory::read(out.as_bytes()).unwrap_or_else(|error| panic!("{error}: {out}")), err)
    };
    let (inventory, err) = read(&["--format", "inventory", "--tenant", "acme"]);
    assert!(inventory.is_complete(), "{err}");
    for source in inventory.sources() {
        let report = source.report();
        assert_eq!((report.source.tenant(), source.accounts().len()), ("acme", 30));
        assert!(report.endpoint.as_deref().unwrap().starts_with("GET http://127.0.0.1:"), "{report:?}");
        assert!(report.ended_at.unwrap() >= report.started_at);
    }
    let (stopped, err) = read(&["--format", "inventory", "--max", "9"]);
    assert!(!stopped.is_complete(), "{err}");
    assert_eq!(stopped.sources().len(), PROVIDERS.len());
}

#[test]
fn annature_v1_is_reported_as_truncated() {
    let simulate = Simulate::start(&["--accounts", "1500"]);
    let args = ["--format", "ndjson", "--provider", "annature", "--annature-api", "v1"];
    let (code, out, err) = run(&mut simulate.list(&args));
    assert_eq!((code, out.lines().count()), (Some(1), 1000));
    assert!(err.contains("may be incomplete: the endpoint returned its maximum of 1000 rows"), "{err}");
}

#[test]
fn huawei_contacts_add_email() {
    let simulate = Simulate::start(&["--accounts", "450"]);
    for (more, has_email) in [(&[][..], false), (&["--huawei-contacts"], true)] {
        let args: Vec<&str> =
            ["--format=ndjson", "--provider=huawei", "--page-size=300"].iter().chain(more).copied().collect();
        let (code, out, err) = run(&mut simulate.list(&args));
        assert_eq!((code, out.lines().count()), (Some(0), 450), "{err}");
        let line_has_email =
            |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["email"].is_string();
        // Not every account has an email address.
        assert_eq!(out.lines().any(line_has_email), has_email, "{more:?}");
    }
}

#[test]
fn version_option() {
    for name in
        ["list_accounts", "simulate", "create_fortanix_account", "account_lifecycle", "diff", "report"]
    {
        let (code, out, err) = run(example(name).arg("--version"));
        assert_eq!((code, out), (Some(0), format!("{name} {}\n", env!("CARGO_PKG_VERSION"))), "{err}");
    }
}

#[test]
fn failed_source_does_not_stop_others() {
    let mut simulate = Simulate::start(&["--accounts", "20"]);
    simulate.env.insert("ANNATURE_KEY".into(), "wrong".into());
    let (code, out, err) = run(&mut simulate.list(&["--format", "ndjson"]));
    assert_eq!((code, out.lines().count()), (Some(1), total(20) - 20), "{err}");
    assert!(err.contains("annature: 0 accounts on 0 pages; failed: annature: GET "), "{err}");
}

#[test]
fn wrong_usage_exits_with_2() {
    for (args, reason) in [
        (&["--format", "yaml"][..], "invalid value 'yaml'"),
        (&["--page-size", "1"], "1 is not in 2.."),
        (&["--checkpoint", "x"], "--checkpoint requires --format ndjson, csv or inventory"),
        (&["--raw"], "--raw requires --format ndjson"),
        (&["--wide", "--format", "csv"], "--wide requires --format table"),
        (&["--tenant", "acme"], "--tenant requires --format inventory"),
        (&["--simulate", "--tenant", "a/b", "--format", "inventory"], "tenant name \"a/b\": expected"),
        (
            &["--tenant", "acme", "--format", "inventory"],
            "no credentials are set; set them, or add --simulate",
        ),
        (&["--ahead", "1", "--concurrency", "2"], "cannot be used with"),
        (&["--ahead", "0"], "0 is not in 1.."),
        (&["--concurrency", "0"], "0 is not in 1.."),
        (
            &["--provider", "annature", "--page-size", "9"],
            "--page-size has no effect: it applies only to fortanix, ",
        ),
        (&["--provider", "annature", "--huawei-contacts"], "--huawei-contacts has no effect"),
        (&["--provider", "huawei", "--annature-api", "v2"], "--annature-api has no effect"),
        (&["--provider", "huawei", "--sailpoint-api", "v3"], "--sailpoint-api has no effect"),
    ] {
        let (code, out, err) = run(example("list_accounts").args(args));
        assert_eq!((code, out.as_str()), (Some(2), ""), "{args:?}");
        assert!(err.contains(reason), "{args:?}: {err}");
    }
    let (code, _, err) = run(example("list_accounts").env("SAIL_CLIENT_ID", "x").arg("--max=1"));
    assert_eq!(code, Some(2));
    assert!(err.contains("SAIL_BASE_URL is not set"), "{err}");
    let (code, _, err) = run(example("simulate").args(["--faults", "Cargo.toml"]));
    assert_eq!(code, Some(2));
    assert!(err.contains("Cargo.toml: "), "{err}");
}

#[test]
fn closed_pipe_exits_quietly() {
    let simulate = Simulate::start(&["--accounts", "3000"]);
    for format in ["ndjson", "csv", "table"] {
        let mut command = simulate.list(&["--format", format]);
        let process = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
        let mut first = [0; 100];
        process.stdout().read_exact(&mut first).unwrap();
        let mut err = String::new();
        process.stderr().read_to_string(&mut err).unwrap();
        // As if a signal had killed it: the list is not complete.
        assert_eq!(process.code(), Some(141), "{format}: {err}");
        assert!(!err.contains("panic") && !err.contains("Broken pipe"), "{format}: {err}");
    }
}

#[test]
fn interrupt_exits_soon() {
    let simulate = Simulate::start(&["--accounts", "3000"]);
    for reads in [true, false] {
        let mut command = simulate.list(&["--format", "ndjson"]);
        let process = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::null()));
        let mut out = process.stdout();
        out.read_exact(&mut [0; 100]).unwrap();
        let status = Command::new("kill").args(["-INT", &process.id().to_string()]).status().unwrap();
        assert!(status.success());
        // Without a reader, the pipe is full and stays open.
        let (reader, unread) = if reads {
            (Some(thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()))), None)
        } else {
            (None, Some(out))
        };
        assert_eq!(process.code(), Some(130), "reads: {reads}");
        drop(unread);
        if let Some(reader) = reader {
            reader.join().unwrap().unwrap();
        }
    }
}

#[test]
fn lists_through_faults_from_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("faults.json");
    let plan = r#"{"seed": 7, "rules": [
        {"on": {"login": 1}, "fault": "token_endpoint_down"},
        {"on": {"rate": 0.2}, "faults": ["reset_mid_body", "truncated_json", {"status": {"status": 502, "body": "html"}}]}
    ]}"#;
    std::fs::write(&file, plan).unwrap();
    let simulate = Simulate::start(&["--accounts", "500", "--faults", file.to_str().unwrap()]);
    let (code, out, err) = run(&mut simulate.list(&["--format", "ndjson", "--page-size", "50"]));
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(accounts(&out).into_iter().collect::<BTreeSet<_>>().len(), total(500));
}
