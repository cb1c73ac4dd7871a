//! What a second executor saves: `cargo bench --profile dev --features ballista --bench cluster`.
//!
//! Simulators answer after 50 ms, so that the time is theirs and not the processors'.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use datafusion::prelude::SessionContext;
use headcount_datafusion::{Collect, SnapshotPlan, SnapshotStore, Tenants};
use headcount_sim::SimConfig;
use simulated_tenants::{SimulatedTenants, free_port};

const LATENCY: Duration = Duration::from_millis(50);
const TENANTS: usize = 100;
const ACCOUNTS: usize = 500;
/// How many sources an executor lists at a time.
const CONCURRENCY: usize = 2;

struct Process(Child);

impl Process {
    fn start(program: &str, args: &[&str], simulated: &SimulatedTenants) -> Self {
        let mut command = Command::new(program);
        command.args(args).envs(simulated.env()).env("RUST_LOG", "warn").stdout(Stdio::null());
        Self(command.spawn().expect("a process"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::main]
async fn main() {
    let mut simulated = SimulatedTenants::default();
    for n in 0..TENANTS {
        let config = SimConfig::new().accounts(ACCOUNTS).seed(n as u64).latency(LATENCY);
        simulated.add(&format!("tenant-{n:03}"), "hr", "sailpoint", config).await.expect("a free port");
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("tenants.toml"), simulated.toml()).expect("a writable folder");
    let mut times = Vec::new();
    for executors in [1, 2, 1, 2, 1, 2] {
        times.push(collect(&simulated, folder.path(), executors, times.len()).await.as_secs_f64());
    }
    let median = |first: usize| {
        let mut times: Vec<_> = times.iter().skip(first).step_by(2).copied().collect();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let (one, two) = (median(0), median(1));
    println!("| {TENANTS} tenants × {ACCOUNTS} accounts, {} ms a response | |", LATENCY.as_millis());
    println!("|---|---|");
    println!("| one executor | {one:.1} s |");
    println!("| two executors | {two:.1} s |");
    println!("| ratio (at most 0.6) | {:.2} |", two / one);
}

/// Collects a new run on a new cluster, and returns how long that took.
async fn collect(simulated: &SimulatedTenants, folder: &Path, executors: usize, run: usize) -> Duration {
    let port = free_port().expect("a free port").to_string();
    let (tenants, bind) = (folder.join("tenants.toml"), format!("127.0.0.1:{port}"));
    let _scheduler = Process::start(env!("CARGO_BIN_EXE_headcount-scheduler"), &["--bind", &bind], simulated);
    let ports = [free_port().expect("a free port"), free_port().expect("a free port")];
    let executor = |n: usize| {
        let work_dir = folder.join(format!("work-{n}")).to_string_lossy().into_owned();
        let args = [
            "--tenants",
            tenants.to_str().expect("UTF-8"),
            "--scheduler-host",
            "127.0.0.1",
            "--scheduler-port",
            &port,
            "--port",
            &ports[n].to_string(),
            "--concurrency",
            &CONCURRENCY.to_string(),
            "--work-dir",
            &work_dir,
        ];
        Process::start(env!("CARGO_BIN_EXE_headcount-executor"), &args, simulated)
    };
    let _executors: Vec<_> = (0..executors).map(executor).collect();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let runtime = SessionContext::new().runtime_env();
    let store =
        SnapshotStore::open(&runtime, folder.join("snapshots").to_str().expect("UTF-8")).expect("a folder");
    let tenants = std::sync::Arc::new(simulated.tenants().expect("a valid file"));
    let plan = SnapshotPlan::new(format!("run-{run}"), tenants.sources()).expect("a plan");
    let started = Instant::now();
    let snapshot =
        Collect::new(tenants, store, plan).run_on(&format!("http://{bind}")).await.expect("a snapshot");
    let elapsed = started.elapsed();
    assert!(snapshot.is_complete(), "{snapshot}");
    eprintln!("{executors} executors: {:.1} s", elapsed.as_secs_f64());
    elapsed
}
