//! Shows who joined, who left and what changed between two snapshots.
//!
//! ```sh
//! cargo run --example diff
//! ```

use std::{error::Error, process::ExitCode};

use clap::Parser;
use datafusion::prelude::SessionContext;
use headcount_datafusion::{Collect, Require, Snapshot, SnapshotDiff, SnapshotPlan, SnapshotStore};
use headcount_sim::Simulator;

use simulated_tenants::{OpenTenants, SimulatedTenants, format_table};

/// Shows who joined, who left and what changed between two snapshots.
///
/// Without arguments, two snapshots of simulated tenants are compared.
#[derive(Parser)]
#[command(name = "diff", version)]
struct Args {
    /// The name of the earlier run.
    #[arg(requires = "later")]
    earlier: Option<String>,
    /// The name of the later run.
    later: Option<String>,
    /// The folder of the snapshots.
    #[arg(long, default_value = "snapshots")]
    store: String,
    /// What both snapshots must be: complete, end (all listings reached their end) or any.
    #[arg(long, default_value = "complete")]
    require: Require,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> Result<(), Box<dyn Error + Send + Sync>> {
    let runtime = SessionContext::new().runtime_env();
    if let (Some(earlier), Some(later)) = (&args.earlier, &args.later) {
        let store = SnapshotStore::open(&runtime, &args.store)?;
        let (earlier, later) = (Snapshot::open(&store, earlier).await?, Snapshot::open(&store, later).await?);
        return print(&earlier, &later, args.require).await;
    }
    let folder = std::env::temp_dir().join(format!("headcount-diff-{}", std::process::id()));
    let store = SnapshotStore::open(&runtime, &folder.to_string_lossy())?;
    let diff = match simulate(&store).await {
        Ok((earlier, later)) => print(&earlier, &later, args.require).await,
        Err(error) => Err(error),
    };
    std::fs::remove_dir_all(folder)?;
    diff
}

async fn print(
    earlier: &Snapshot,
    later: &Snapshot,
    require: Require,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let diff = SnapshotDiff::new(earlier, later, require).await?;
    println!("{}", format_table(&diff.changes.collect().await?)?);
    for (sources, run) in [(diff.only_earlier, earlier.plan().run()), (diff.only_later, later.plan().run())] {
        for source in sources {
            println!("{source} is only in run {run}");
        }
    }
    Ok(())
}

/// Collects simulated tenants, changes some accounts, and collects them again.
async fn simulate(store: &SnapshotStore) -> Result<(Snapshot, Snapshot), Box<dyn Error + Send + Sync>> {
    let open = OpenTenants::open(None, 1, 100).await?;
    let collect = |run: &str| -> Result<Collect, Box<dyn Error + Send + Sync>> {
        let plan = SnapshotPlan::new(run, open.tenants.sources())?;
        Ok(Collect::new(open.tenants.clone(), store.clone(), plan))
    };
    let earlier = collect("earlier")?.run().await?;
    for (_, simulator) in open.simulated.iter().flat_map(SimulatedTenants::simulators) {
        change(simulator);
    }
    let later = collect("later")?.run().await?;
    Ok((earlier, later))
}

/// Adds an account, removes one and renames one.
fn change(simulator: &dyn Simulator) {
    simulator.generate(1);
    let ids = simulator.ids();
    if let [first, second, ..] = ids.as_slice() {
        simulator.remove(first);
        simulator.update(second, |record| record["name"] = "renamed".into());
    }
}
