//! Answers SQL over the accounts of all tenants, which are listed for it.
//!
//! ```sh
//! cargo run --example sql -- "select source, status, count(*) from accounts group by 1, 2 order by 1, 2"
//! ```

use std::{error::Error, path::PathBuf, process::ExitCode};

use clap::Parser;
use datafusion::prelude::SessionContext;
use headcount_datafusion::{AccountsTable, Require, session_config};

use simulated_tenants::{OpenTenants, format_table};

/// Answers SQL over the accounts of all tenants.
///
/// The tables are `accounts` and `sources`. A listing that is not complete fails the query: see `--require`.
#[derive(Parser)]
#[command(name = "sql", version)]
struct Args {
    /// The queries, which share one session: a query on `sources` reports on the listings of the queries before it.
    #[arg(required = true)]
    queries: Vec<String>,
    /// The tenants file. Without it, tenants are simulated.
    #[arg(long)]
    tenants: Option<PathBuf>,
    /// How each listing must end: complete, end or any.
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
    let open = OpenTenants::open(args.tenants.as_deref(), 2, 250).await?;
    let config = session_config().set_str("headcount.require", &args.require.to_string());
    let ctx = SessionContext::new_with_config(config);
    AccountsTable::new(open.tenants.clone()).register(&ctx)?;
    for query in &args.queries {
        let rows = ctx.sql(query).await?.collect().await?;
        println!("{}", format_table(&rows)?);
    }
    Ok(())
}
