//! Runs simulated tenants until Ctrl-C, for other programs: writes a tenants file, and a file with the credentials.
//!
//! ```sh
//! cargo run --example simulate -- --dir simulated
//! ```

use std::{error::Error, fmt::Write as _, fs, path::PathBuf};

use clap::Parser;

use simulated_tenants::SimulatedTenants;

/// Runs simulated tenants until Ctrl-C.
///
/// Other programs list them with `--tenants DIR/tenants.toml`, after `set -a; . DIR/credentials.env; set +a`.
#[derive(Parser)]
#[command(name = "simulate", version)]
struct Args {
    /// The folder for the files tenants.toml and credentials.env.
    #[arg(long)]
    dir: PathBuf,
    /// The number of tenants, each with a source of every provider.
    #[arg(long, default_value_t = 50)]
    tenants: usize,
    /// The number of accounts of each source.
    #[arg(long, default_value_t = 100)]
    accounts: usize,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let args = Args::parse();
    let simulated = SimulatedTenants::start(args.tenants, args.accounts).await?;
    fs::create_dir_all(&args.dir)?;
    fs::write(args.dir.join("tenants.toml"), simulated.toml())?;
    let mut env = String::new();
    for (name, value) in simulated.env() {
        writeln!(env, "{name}='{}'", value.replace('\'', r"'\''"))?;
    }
    fs::write(args.dir.join("credentials.env"), env)?;
    eprintln!(
        "wrote {0}/tenants.toml and {0}/credentials.env; Ctrl-C stops the simulators",
        args.dir.display()
    );
    tokio::signal::ctrl_c().await?;
    Ok(())
}
