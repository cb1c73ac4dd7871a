//! Collects a snapshot of all tenants: Parquet files, and manifests that say whether it is complete.
//!
//! ```sh
//! cargo run --example collect
//! ```

use std::{
    error::Error,
    path::PathBuf,
    process::{self, ExitCode},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use clap::Parser;
use datafusion::prelude::SessionContext;
use headcount::{Source, chrono::Utc};
use headcount_datafusion::{Collect, ListRequest, Listing, Require, SnapshotPlan, SnapshotStore, Tenants};

use simulated_tenants::{OpenTenants, format_table};

/// Collects a snapshot of the accounts of all tenants.
///
/// A run that was interrupted continues with the same command. Exit code: 0 if the snapshot is complete, 2 if not.
#[derive(Parser)]
#[command(name = "collect", version)]
struct Args {
    /// The tenants file. Without it, 50 tenants with 4 providers each are simulated.
    #[arg(long)]
    tenants: Option<PathBuf>,
    /// The folder of the snapshots.
    #[arg(long, default_value = "snapshots")]
    store: String,
    /// The name of the run. Default: the date, after `simulated-` for simulated tenants.
    #[arg(long)]
    run: Option<String>,
    /// How many sources are listed at a time.
    #[arg(long, default_value_t = 16)]
    concurrency: usize,
    /// Stops as if the machine had failed, before listing one more than this number of sources.
    #[arg(long)]
    abort_after: Option<usize>,
    /// Collects on the executors of this Ballista scheduler, such as `http://localhost:50050`. Needs `--tenants`.
    #[cfg(feature = "ballista")]
    #[arg(long, requires = "tenants")]
    scheduler: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(2),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<bool, Box<dyn Error + Send + Sync>> {
    let open = OpenTenants::open(args.tenants.as_deref(), 50, 100).await?;
    let run = args.run.clone().unwrap_or_else(|| {
        let prefix = if open.simulated.is_some() { "simulated-" } else { "" };
        format!("{prefix}{}", Utc::now().date_naive())
    });
    let plan = SnapshotPlan::new(run, open.tenants.sources())?;
    let store = SnapshotStore::open(&SessionContext::new().runtime_env(), &args.store)?;
    let tenants = match args.abort_after {
        Some(sources) => {
            Arc::new(AbortAfter { tenants: open.tenants.clone(), left: AtomicUsize::new(sources) })
        }
        None => open.tenants.clone(),
    };
    let collect = Collect::new(tenants, store, plan).concurrency(args.concurrency);
    #[cfg(feature = "ballista")]
    let snapshot = match &args.scheduler {
        Some(scheduler) => collect.run_on(scheduler).await?,
        None => collect.run().await?,
    };
    #[cfg(not(feature = "ballista"))]
    let snapshot = collect.run().await?;
    let snapshot = snapshot.verify().await?;
    println!("{snapshot}");

    let ctx = SessionContext::new();
    snapshot.register(&ctx, Require::Any)?;
    let by_provider = "select provider, count(distinct tenant) as tenants, count(*) as accounts from accounts
                       group by provider order by provider";
    println!("{}", format_table(&ctx.sql(by_provider).await?.collect().await?)?);
    if !snapshot.is_complete() {
        let why = "select tenant, source, state, reasons from sources where complete is distinct from true";
        println!("{}", format_table(&ctx.sql(why).await?.collect().await?)?);
    }
    Ok(snapshot.is_complete())
}

/// Ends the process instead of listing one source too many.
struct AbortAfter {
    tenants: Arc<dyn Tenants>,
    left: AtomicUsize,
}

impl Tenants for AbortAfter {
    fn sources(&self) -> Vec<Source> {
        self.tenants.sources()
    }

    fn open(&self, source: &Source, request: &ListRequest) -> headcount::Result<Listing> {
        if self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err() {
            eprintln!("stopped, as asked by --abort-after; the same command without it continues");
            process::exit(3);
        }
        self.tenants.open(source, request)
    }
}
