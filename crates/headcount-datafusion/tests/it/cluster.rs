//! Collections on a Ballista cluster: one scheduler and two executors, each a process of its own.

use std::{
    collections::BTreeSet,
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use datafusion::prelude::SessionContext;
use headcount_datafusion::{Collect, Require, Snapshot, SnapshotPlan, SnapshotStore};
use headcount_sim::{ErrorBody, Fault, Faults, SimConfig};
use tempfile::TempDir;

use crate::{
    canary::{search_files, secrets},
    kit::{PROVIDERS, SimulatedTenants, free_port, ids, query, shared},
};

/// A process that is killed when it is dropped. Its output goes to a file.
struct Process(Child);

impl Process {
    fn start(program: &str, log: &Path, args: &[&str], env: &SimulatedTenants) -> Self {
        let log = fs::File::create(log).unwrap();
        let child = Command::new(program)
            .args(args)
            .envs(env.env())
            .env("RUST_LOG", "debug")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self(child)
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Cluster {
    _scheduler: Process,
    executors: Vec<Process>,
    url: String,
    folder: TempDir,
}

impl Cluster {
    fn start(simulated: &SimulatedTenants, executors: usize, concurrency: usize) -> Self {
        let folder = TempDir::new().unwrap();
        let tenants = folder.path().join("tenants.toml");
        fs::write(&tenants, simulated.toml()).unwrap();
        let nobody = SimulatedTenants::default();
        let port = free_port().unwrap().to_string();
        let bind = format!("127.0.0.1:{port}");
        let scheduler = Process::start(
            env!("CARGO_BIN_EXE_headcount-scheduler"),
            &folder.path().join("scheduler.log"),
            &["--bind", &bind, "--executor-timeout", "4"],
            &nobody,
        );
        // The executors wait for the scheduler.
        let executors = (0..executors).map(|n| {
            let work_dir = folder.path().join(format!("work-{n}")).to_string_lossy().into_owned();
            let args = [
                "--tenants",
                tenants.to_str().unwrap(),
                "--scheduler-host",
                "127.0.0.1",
                "--scheduler-port",
                &port,
                "--port",
                &free_port().unwrap().to_string(),
                "--concurrency",
                &concurrency.to_string(),
                "--heartbeat",
                "1",
                "--work-dir",
                &work_dir,
            ];
            let log = folder.path().join(format!("executor-{n}.log"));
            Process::start(env!("CARGO_BIN_EXE_headcount-executor"), &log, &args, simulated)
        });
        let executors = executors.collect();
        let cluster = Self { _scheduler: scheduler, executors, url: format!("http://{bind}"), folder };
        cluster.wait_for_executors();
        cluster
    }

    fn wait_for_executors(&self) {
        let started = Instant::now();
        while self.registered() < self.executors.len() {
            assert!(started.elapsed() < Duration::from_mins(1), "{}", self.log("scheduler.log"));
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn registered(&self) -> usize {
        let log = self.log("scheduler.log");
        log.lines().filter(|line| line.contains("Received register executor request")).count()
    }

    fn log(&self, name: &str) -> String {
        let file = fs::File::open(self.folder.path().join(name)).unwrap();
        BufReader::new(file).lines().map_while(Result::ok).collect::<Vec<_>>().join("\n")
    }

    fn store(&self) -> SnapshotStore {
        store(&self.folder.path().join("snapshots"))
    }
}

fn store(folder: &Path) -> SnapshotStore {
    SnapshotStore::open(&SessionContext::new().runtime_env(), folder.to_str().unwrap()).unwrap()
}

/// Tenants with one source each, of all providers in turn.
async fn tenants(count: usize, config: impl Fn(usize) -> SimConfig) -> SimulatedTenants {
    let mut simulated = SimulatedTenants::default();
    for n in 0..count {
        let config = config(n).seed(n as u64);
        simulated.add(&format!("tenant-{n:03}"), "main", PROVIDERS[n % 4], config).await.unwrap();
    }
    simulated
}

fn collect(simulated: &SimulatedTenants, store: &SnapshotStore) -> Collect {
    let plan = SnapshotPlan::new("r", shared(simulated).sources()).unwrap();
    Collect::new(shared(simulated), store.clone(), plan)
}

async fn check_every_account_once(simulated: &SimulatedTenants, snapshot: &Snapshot) {
    assert!(snapshot.is_complete(), "{snapshot}");
    let ctx = SessionContext::new();
    snapshot.register(&ctx, Require::Complete).unwrap();
    let expected: BTreeSet<_> = simulated
        .simulators()
        .flat_map(|(source, simulator)| simulator.ids().into_iter().map(move |id| format!("{source}/{id}")))
        .collect();
    let found = ids(&ctx, "select concat(tenant, '/', source, '/', id) as id from accounts").await;
    assert!(found == expected, "{} accounts of {}", found.len(), expected.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_executor_is_killed_and_every_account_is_collected_once() {
    let simulated = tenants(200, |_| SimConfig::new().accounts(40).latency(Duration::from_millis(150))).await;
    let mut cluster = Cluster::start(&simulated, 2, 8);
    // A folder for another engine that reads the snapshot later.
    let kept = env::var_os("HEADCOUNT_CLUSTER_SNAPSHOTS").map(PathBuf::from);
    let store = kept.as_deref().map_or_else(|| cluster.store(), store);
    let running = {
        let (collect, url) = (collect(&simulated, &store), cluster.url.clone());
        tokio::spawn(async move { collect.run_on(&url).await })
    };
    // The second executor works when it is killed, and so does the job.
    let committed =
        |snapshot: &Snapshot| snapshot.sources().iter().filter(|status| status.problem.is_none()).count();
    let started = Instant::now();
    loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(started.elapsed() < Duration::from_mins(2), "{}", cluster.log("scheduler.log"));
        assert!(!running.is_finished(), "the job ended before the executor was killed");
        if let Ok(snapshot) = Snapshot::open(&store, "r").await
            && committed(&snapshot) > 20
        {
            break;
        }
    }
    cluster.executors[1].kill();
    let snapshot = Snapshot::open(&store, "r").await.unwrap();
    assert!(committed(&snapshot) < 190, "{snapshot}");
    let snapshot = running.await.unwrap().unwrap().verify().await.unwrap();
    check_every_account_once(&simulated, &snapshot).await;
    let secrets = secrets(&simulated);
    let files = search_files(cluster.folder.path(), &secrets);
    let kept = kept.map_or(0, |folder| search_files(&folder, &secrets));
    assert!(files + kept > 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_fails_does_not_fail_the_job() {
    let simulated = tenants(12, |n| {
        let faults = match n {
            // Passes after the client's own retries and one attempt.
            3 => (1..=6).fold(Faults::none(), |faults, n| faults.on_list(n, Fault::ResetBeforeResponse)),
            5 => Faults::none().always(Fault::Status {
                status: 403,
                retry_after: None,
                body: ErrorBody::Vendor,
            }),
            _ => Faults::none(),
        };
        SimConfig::new().accounts(40).faults(faults)
    })
    .await;
    let cluster = Cluster::start(&simulated, 2, 4);
    let snapshot = collect(&simulated, &cluster.store()).run_on(&cluster.url).await.unwrap();
    let failed: Vec<_> = snapshot.sources().iter().filter(|status| status.problem.is_some()).collect();
    assert_eq!(failed.len(), 1, "{snapshot}");
    assert_eq!(failed[0].source.tenant(), "tenant-005");
    assert!(failed[0].problem.as_ref().unwrap().contains("403"), "{snapshot}");

    simulated.simulator("tenant-005/main").set_faults(Faults::none());
    let snapshot = collect(&simulated, &cluster.store()).run_on(&cluster.url).await.unwrap();
    check_every_account_once(&simulated, &snapshot).await;
    let ctx = SessionContext::new();
    snapshot.register(&ctx, Require::Complete).unwrap();
    assert_eq!(query(&ctx, "select count(*) from sources where complete").await.unwrap(), ["12"]);
    assert!(search_files(cluster.folder.path(), &secrets(&simulated)) > 20);
}

#[tokio::test]
async fn a_scheduler_that_cannot_be_reached_is_an_error() {
    let simulated = tenants(1, |_| SimConfig::new().accounts(1)).await;
    let (_folder, store) = crate::kit::local_store();
    let error = collect(&simulated, &store).run_on("http://127.0.0.1:9").await.unwrap_err().to_string();
    assert!(error.contains("the scheduler at http://127.0.0.1:9 failed the job"), "{error}");
}
