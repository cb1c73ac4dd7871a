//! What the tables and snapshots cost, as ratios: `cargo bench --bench speed`.
//!
//! The simulators run in a process of their own, so that only the client is measured.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use cpu_time::ThreadTime;
use datafusion::prelude::SessionContext;
use headcount_datafusion::{
    Collect, ListRequest, SnapshotPlan, SnapshotStore, Tenants, TenantsFile, accounts_batch, accounts_schema,
};
use headcount_sim::{SailPoint, SimConfig};
use simulated_tenants::SimulatedTenants;

/// The rate limit of the simulators for a collection: requests in an interval.
const RATE_LIMIT: (u32, Duration) = (10, Duration::from_secs(30));
const TENANTS: usize = 100;
const ACCOUNTS: usize = 10_000;
/// The page size of SailPoint lists.
const PAGE: usize = 250;

fn main() {
    let args: Vec<_> = env::args().collect();
    if let Some(at) = args.iter().position(|arg| arg == "--serve") {
        serve(&args[at + 1], Path::new(&args[at + 2]));
        return;
    }
    conversion();
    memory();
    rate_limit();
}

/// Runs simulators until standard input is closed.
#[tokio::main]
async fn serve(what: &str, folder: &Path) {
    let mut simulated = SimulatedTenants::default();
    if what == "conversion" {
        for provider in ["huawei", "sailpoint"] {
            let config = SimConfig::new().accounts(25_000);
            simulated.add("acme", provider, provider, config).await.expect("a free port");
        }
    } else {
        for tenant in 0..TENANTS {
            let config = SimConfig::new().accounts(ACCOUNTS).seed(tenant as u64);
            let limit = (what == "limited").then_some(RATE_LIMIT);
            let simulator = SailPoint::builder().config(config).rate_limit(limit).start().await;
            let simulator = Box::new(simulator.expect("a free port"));
            simulated.add_simulator(&format!("tenant-{tenant:03}"), "hr", simulator);
        }
    }
    fs::write(folder.join("tenants.toml"), simulated.toml()).expect("a writable folder");
    fs::write(folder.join("env.json"), serde_json::to_vec(simulated.env()).expect("text"))
        .expect("a writable folder");
    println!("ready");
    let _ = std::io::stdin().lines().count();
}

/// Simulators in another process, and their tenants.
struct Simulators {
    process: Child,
    tenants: Arc<dyn Tenants>,
    folder: tempfile::TempDir,
}

impl Simulators {
    fn start(what: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut process = Command::new(env::current_exe().expect("a path"))
            .args(["--serve", what, folder.path().to_str().expect("UTF-8")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let mut ready = String::new();
        BufReader::new(process.stdout.as_mut().expect("piped")).read_line(&mut ready).expect("a line");
        assert_eq!(ready, "ready\n");
        let toml = fs::read_to_string(folder.path().join("tenants.toml")).expect("a file");
        let env: BTreeMap<String, String> =
            serde_json::from_slice(&fs::read(folder.path().join("env.json")).expect("a file")).expect("JSON");
        let tenants = TenantsFile::parse(&toml).expect("a valid file");
        let tenants = Arc::new(tenants.with_lookup(move |name| env.get(name).cloned()));
        Self { process, tenants, folder }
    }
}

impl Drop for Simulators {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// CPU time of the conversion to Arrow, of all columns, against that of the listing itself. Medians of 7.
#[tokio::main(flavor = "current_thread")]
async fn conversion() {
    let simulators = Simulators::start("conversion");
    println!(
        "| conversion of 25,000 accounts | listing, CPU ms | conversion, CPU ms | ratio (at most 0.3) |"
    );
    println!("|---|---|---|---|");
    for source in simulators.tenants.sources() {
        let mut runs = Vec::new();
        for _ in 0..7 {
            let (mut listing_time, mut conversion_time) = (Duration::ZERO, Duration::ZERO);
            let listing = simulators.tenants.open(&source, &ListRequest::default()).expect("credentials");
            let mut pages = listing.accounts.pages();
            let mut rows = 0;
            loop {
                let started = ThreadTime::now();
                let page = pages.try_next().await.expect("a page");
                listing_time += started.elapsed();
                let Some(page) = page else { break };
                let started = ThreadTime::now();
                rows += accounts_batch(&source, &page.items, &accounts_schema()).expect("a batch").num_rows();
                conversion_time += started.elapsed();
            }
            assert_eq!(rows, 25_000);
            runs.push((listing_time.as_secs_f64() * 1e3, conversion_time.as_secs_f64() * 1e3));
        }
        runs.sort_by(|a, b| (a.1 / a.0).total_cmp(&(b.1 / b.0)));
        let (listing, conversion) = runs[runs.len() / 2];
        println!("| {} | {listing:.0} | {conversion:.0} | {:.2} |", source.name(), conversion / listing);
    }
}

/// The memory of a collection with the default concurrency, by the number of tenants.
#[tokio::main]
async fn memory() {
    println!();
    println!("| tenants × {ACCOUNTS} accounts, 16 at a time | memory at most, MiB (at most 200) | s |");
    println!("|---|---|---|");
    let simulators = Simulators::start("unlimited");
    for tenants in [25, 50, TENANTS] {
        // The peak since now.
        fs::write("/proc/self/clear_refs", "5").expect("Linux");
        let elapsed = collect(&simulators, tenants, |collect| collect).await;
        println!("| {tenants} | {:.0} | {:.1} |", peak_mib(), elapsed.as_secs_f64());
    }
}

/// The time of a collection of all tenants at a time against the least time that the rate limit permits.
#[tokio::main]
async fn rate_limit() {
    let simulators = Simulators::start("limited");
    let elapsed = collect(&simulators, TENANTS, |collect| collect.concurrency(TENANTS)).await;
    // Each page repeats the last account of the one before it, and one page shows the end.
    let requests = ACCOUNTS.div_ceil(PAGE - 1) + 1;
    let intervals = (u32::try_from(requests).expect("few") - 1) / RATE_LIMIT.0;
    let least = RATE_LIMIT.1 * intervals;
    let seconds = RATE_LIMIT.1.as_secs();
    println!();
    println!("| {TENANTS} tenants × {ACCOUNTS} accounts, all at a time | |");
    println!("|---|---|");
    println!(
        "| {requests} requests each, {} in {seconds} s: at least | {} s |",
        RATE_LIMIT.0,
        least.as_secs()
    );
    println!("| collected in | {:.1} s |", elapsed.as_secs_f64());
    println!("| ratio (at most 1.05) | {:.3} |", elapsed.as_secs_f64() / least.as_secs_f64());
}

/// Collects some of the tenants into a new folder, and returns how long that took.
async fn collect(simulators: &Simulators, tenants: usize, configure: fn(Collect) -> Collect) -> Duration {
    let folder = simulators.folder.path().join(format!("snapshots-{tenants}"));
    let runtime = SessionContext::new().runtime_env();
    let store = SnapshotStore::open(&runtime, folder.to_str().expect("UTF-8")).expect("a folder");
    let sources = simulators.tenants.sources().into_iter().take(tenants);
    let plan = SnapshotPlan::new("r", sources).expect("a plan");
    let started = Instant::now();
    let snapshot =
        configure(Collect::new(simulators.tenants.clone(), store, plan)).run().await.expect("a snapshot");
    let elapsed = started.elapsed();
    assert!(snapshot.is_complete(), "{snapshot}");
    assert_eq!(snapshot.accounts_count(), (tenants * ACCOUNTS) as u64);
    elapsed
}

/// Returns the most memory that this process had resident.
fn peak_mib() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) / 1024.0
}
