//! The programs, as their users run them.

mod account_lifecycle;
mod checkpoint;
mod create_fortanix_account;
mod hostile_text;

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

/// How long a program of a test may run: far longer than any does.
const LIMIT: Duration = Duration::from_secs(60);

/// An example, which `cargo test` has built beside the tests.
pub(crate) fn program(name: &str) -> Command {
    let mut path: PathBuf = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    let mut command = Command::new(path.join("examples").join(name));
    // Nothing of the environment that the tests run in.
    for (name, _) in std::env::vars() {
        if ["FORTANIX_", "HUAWEICLOUD_", "ANNATURE_", "SAIL_"].iter().any(|start| name.starts_with(start)) {
            command.env_remove(name);
        }
    }
    command
}

/// A program that runs, and is killed when it has run for too long or is dropped.
///
/// Killing it closes its pipes, so that a test does not wait for ever for what it does not print.
struct Running {
    child: Arc<Mutex<Child>>,
    limit: Duration,
    end: Instant,
    /// Dropped with it, and so ends the thread that waits to kill it.
    _alive: mpsc::Sender<()>,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        Self::start_for(LIMIT, command)
    }

    fn start_for(limit: Duration, command: &mut Command) -> Self {
        let child = command.spawn().expect("cargo test builds the examples");
        let child = Arc::new(Mutex::new(child));
        let (running, dropped) = mpsc::channel();
        let watched = Arc::clone(&child);
        thread::spawn(move || {
            if dropped.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
                let _ = watched.lock().unwrap().kill();
            }
        });
        Self { child, limit, end: Instant::now() + limit, _alive: running }
    }

    /// Its output, if that is a pipe and was not taken before.
    fn out(&self) -> impl Read + Send + 'static {
        self.child.lock().unwrap().stdout.take().unwrap()
    }

    fn err(&self) -> impl Read + Send + 'static {
        self.child.lock().unwrap().stderr.take().unwrap()
    }

    fn id(&self) -> u32 {
        self.child.lock().unwrap().id()
    }

    fn kill(&self) {
        self.child.lock().unwrap().kill().unwrap();
    }

    /// Its exit code, once it has ended; `None` if it was killed.
    fn code(&self) -> Option<i32> {
        loop {
            let status = self.child.lock().unwrap().try_wait().unwrap();
            assert!(Instant::now() < self.end, "it ran longer than {:?}", self.limit);
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
#[should_panic(expected = "it ran longer than 200ms")]
fn a_program_that_hangs_is_killed() {
    let mut command = Command::new("sleep");
    let hanging = Running::start_for(Duration::from_millis(200), command.arg("600").stdout(Stdio::piped()));
    let mut printed = String::new();
    hanging.out().read_to_string(&mut printed).unwrap();
    hanging.code();
}

/// A running `simulate`, and the environment that it printed.
struct Simulate {
    _program: Running,
    env: BTreeMap<String, String>,
}

impl Simulate {
    fn start(args: &[&str]) -> Self {
        let mut command = program("simulate");
        let program = Running::start(command.args(args).stdout(Stdio::piped()).stderr(Stdio::null()));
        let mut env = BTreeMap::new();
        // A line of another form ends them.
        for line in BufReader::new(program.out()).lines().map(Result::unwrap) {
            let Some(export) = line.strip_prefix("export ") else { break };
            let (name, value) = export.split_once('=').unwrap();
            env.insert(name.to_owned(), value.trim_matches('\'').to_owned());
        }
        assert!(!env.is_empty(), "it did not start");
        Self { _program: program, env }
    }

    fn list(&self, args: &[&str]) -> Command {
        let mut command = program("list_accounts");
        command.args(args).envs(&self.env);
        command
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The (source, id) pairs of NDJSON.
fn accounts(ndjson: &str) -> Vec<(String, String)> {
    let account = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        (line["source"].as_str().unwrap().to_owned(), line["id"].as_str().unwrap().to_owned())
    };
    ndjson.lines().map(account).collect()
}

pub(crate) fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let program = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let read = |mut from: Box<dyn Read + Send>| {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            from.read_to_end(&mut bytes).map(|_| text(&bytes)).unwrap()
        })
    };
    let (out, err) = (read(Box::new(program.out())), read(Box::new(program.err())));
    let (out, err) = (out.join().unwrap(), err.join().unwrap());
    (program.code(), out, err)
}

/// How many accounts there are, if each provider has so many.
fn of_all(each: usize) -> usize {
    each * PROVIDERS.len()
}

#[test]
fn without_credentials_the_simulators_of_all_providers_are_listed() {
    let (code, out, err) = run(program("list_accounts").args(["--format", "ndjson", "--raw"]));
    assert_eq!(code, Some(0), "{err}");
    assert!(err.starts_with("no credentials in the environment"), "{err}");
    let distinct: BTreeSet<_> = accounts(&out).into_iter().collect();
    assert_eq!((distinct.len(), out.lines().count()), (of_all(250), of_all(250)));
    for source in PROVIDERS.iter().map(|provider| provider.name()) {
        assert_eq!(distinct.iter().filter(|(name, _)| name == source).count(), 250);
        assert!(err.contains(&format!("{source}: 250 accounts")), "{err}");
    }
    assert!(out.lines().all(|line| line.contains("\"record\":{")));
    assert!(out.contains("[redacted]"), "some of Fortanix's records have a client secret");
}

#[test]
fn simulate_serves_what_strict_clients_need() {
    let strict = ["--documented-only", "--stable-order", "--temporary-keys", "--accounts", "300"];
    let strict = Simulate::start(&strict);
    assert!(strict.env.contains_key("HUAWEICLOUD_SDK_SECURITY_TOKEN"));
    let plain = Simulate::start(&["--accounts", "300"]);
    assert!(!plain.env.contains_key("HUAWEICLOUD_SDK_SECURITY_TOKEN"));
    for (simulate, unannounced) in [(strict, false), (plain, true)] {
        let (code, out, err) = run(&mut simulate.list(&["--format", "ndjson", "--raw"]));
        assert_eq!((code, accounts(&out).len()), (Some(0), of_all(300)), "{err}");
        assert_eq!(out.contains("nannounced"), unannounced);
    }
}

#[test]
fn a_table_and_csv_have_a_row_for_each_account() {
    let simulate = Simulate::start(&["--accounts", "30"]);
    let (code, out, _) = run(&mut simulate.list(&["--page-size", "7"]));
    assert_eq!((code, out.lines().filter(|line| line.contains(" huawei ")).count()), (Some(0), 30));
    for (more, count) in [
        (&["--concurrency", "4"][..], of_all(30)),
        (&["--max", "33"], 33),
        (&["--sailpoint-api", "beta"], of_all(30)),
        (&["--ahead", "18446744073709551615"], of_all(30)),
        (&["--concurrency", "18446744073709551615"], of_all(30)),
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
    assert_eq!((columns.len(), columns[2].as_str()), (14, "id"));
    assert_eq!(columns[10..], ["parent_id", "owner_id", "owner", "roles"]);
    let records: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.iter().map(|record| record[2].to_owned()).collect::<BTreeSet<_>>().len(), of_all(30));
    for record in records {
        let owned = !record[11].is_empty();
        assert!(!owned || record[0] == *"sailpoint", "only SailPoint tells owners: {record:?}");
        assert!(owned || record[12].is_empty(), "a name without an id: {record:?}");
    }
    let (_, out, _) = run(&mut simulate.list(&["--format", "ndjson", "--provider", "sailpoint"]));
    assert!(out.contains(r#""owner":{"id":""#) && out.contains(r#""owner":null"#), "{out}");
}

#[test]
fn annatures_first_version_is_told_to_be_truncated() {
    let simulate = Simulate::start(&["--accounts", "1500"]);
    let args = ["--format", "ndjson", "--provider", "annature", "--annature-api", "v1"];
    let (code, out, err) = run(&mut simulate.list(&args));
    assert_eq!((code, out.lines().count()), (Some(1), 1000));
    assert!(err.contains("may not be whole: the endpoint gives at most 1000 rows"), "{err}");
}

#[test]
fn huaweis_accounts_have_an_e_mail_address_when_it_is_asked_for() {
    let simulate = Simulate::start(&["--accounts", "450"]);
    for (more, asked) in [(&[][..], false), (&["--huawei-contacts"], true)] {
        let args: Vec<&str> =
            ["--format=ndjson", "--provider=huawei", "--page-size=300"].iter().chain(more).copied().collect();
        let (code, out, err) = run(&mut simulate.list(&args));
        assert_eq!((code, out.lines().count()), (Some(0), 450), "{err}");
        let with = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["email"].is_string();
        // Not every account has registered one.
        assert_eq!(out.lines().any(with), asked, "{more:?}");
    }
}

#[test]
fn each_tells_its_version() {
    for name in ["list_accounts", "simulate", "create_fortanix_account", "account_lifecycle"] {
        let (code, out, err) = run(program(name).arg("--version"));
        let version = format!(" {}\n", env!("CARGO_PKG_VERSION"));
        assert!(code == Some(0) && out.ends_with(&version), "{name}: {out}{err}");
    }
}

#[test]
fn a_failing_source_fails_alone_and_the_exit_code_tells() {
    let mut simulate = Simulate::start(&["--accounts", "20"]);
    simulate.env.insert("ANNATURE_KEY".into(), "wrong".into());
    let (code, out, err) = run(&mut simulate.list(&["--format", "ndjson"]));
    assert_eq!((code, out.lines().count()), (Some(1), of_all(20) - 20), "{err}");
    assert!(err.contains("annature: 0 accounts on 0 pages; failed: annature: GET "), "{err}");
}

#[test]
fn wrong_usage_exits_with_2_and_says_why() {
    for (args, why) in [
        (&["--format", "yaml"][..], "invalid value 'yaml'"),
        (&["--page-size", "1"], "1 is not in 2.."),
        (&["--checkpoint", "x"], "--checkpoint needs --format ndjson or csv"),
        (&["--raw"], "--raw needs --format ndjson"),
        (&["--ahead", "1", "--concurrency", "2"], "cannot be used with"),
        (&["--ahead", "0"], "0 is not in 1.."),
        (&["--concurrency", "0"], "0 is not in 1.."),
        (
            &["--provider", "annature", "--page-size", "9"],
            "--page-size would do nothing: it is for fortanix, ",
        ),
        (&["--provider", "annature", "--huawei-contacts"], "--huawei-contacts would do nothing"),
        (&["--provider", "huawei", "--annature-api", "v2"], "--annature-api would do nothing"),
        (&["--provider", "huawei", "--sailpoint-api", "v3"], "--sailpoint-api would do nothing"),
    ] {
        let (code, out, err) = run(program("list_accounts").args(args));
        assert_eq!((code, out.as_str()), (Some(2), ""), "{args:?}");
        assert!(err.contains(why), "{args:?}: {err}");
    }
    let (code, _, err) = run(program("list_accounts").env("SAIL_CLIENT_ID", "x").arg("--max=1"));
    assert_eq!(code, Some(2));
    assert!(err.contains("SAIL_BASE_URL is not set"), "{err}");
    let (code, _, err) = run(program("simulate").args(["--faults", "Cargo.toml"]));
    assert_eq!(code, Some(2));
    assert!(err.contains("Cargo.toml: "), "{err}");
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let simulate = Simulate::start(&["--accounts", "3000"]);
    for format in ["ndjson", "csv", "table"] {
        let mut command = simulate.list(&["--format", format]);
        let program = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
        let mut first = [0; 100];
        program.out().read_exact(&mut first).unwrap();
        let mut err = String::new();
        program.err().read_to_string(&mut err).unwrap();
        assert_eq!(program.code(), Some(0), "{format}: {err}");
        assert!(!err.contains("panic") && !err.contains("Broken pipe"), "{format}: {err}");
    }
}

#[test]
fn an_interrupt_ends_it_soon_also_when_nobody_reads() {
    let simulate = Simulate::start(&["--accounts", "3000"]);
    for reads in [true, false] {
        let mut command = simulate.list(&["--format", "ndjson"]);
        let program = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::null()));
        let mut out = program.out();
        out.read_exact(&mut [0; 100]).unwrap();
        let status = Command::new("kill").args(["-INT", &program.id().to_string()]).status().unwrap();
        assert!(status.success());
        // With nobody reading, the pipe is full, and stays open.
        let (reader, kept) = if reads {
            (Some(thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()))), None)
        } else {
            (None, Some(out))
        };
        assert_eq!(program.code(), Some(130), "reads: {reads}");
        drop(kept);
        if let Some(reader) = reader {
            reader.join().unwrap().unwrap();
        }
    }
}

#[test]
fn faults_from_a_file_are_lived_through() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("faults.json");
    let plan = r#"{"seed": 7, "rules": [
        {"on": {"login": 1}, "fault": "token_endpoint_down"},
        {"on": {"rate": 0.2}, "faults": ["reset_mid_body", "truncated_json", {"status": {"status": 502, "body": "html"}}]}
    ]}"#;
    std::fs::write(&file, plan).unwrap();
    let simulate = Simulate::start(&["--accounts", "500", "--faults", file.to_str().unwrap()]);
    let (code, out, err) = run(&mut simulate.list(&["--format", "ndjson", "--page-size", "50"]));
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(accounts(&out).into_iter().collect::<BTreeSet<_>>().len(), of_all(500));
}
