//! Starts the simulators of all providers, prints environment variables that point clients to them, and
//! serves requests until interrupted.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use headcount_sim as sim;

/// Serves simulated accounts of Fortanix, Huawei Cloud, Annature and SailPoint on this machine.
///
/// Copy the `export` lines into another terminal, then run `list_accounts`, curl or a vendor's SDK there.
#[derive(Parser)]
#[command(name = "simulate", version)]
struct Args {
    /// The number of accounts at each provider.
    #[arg(long, value_name = "N", default_value_t = 250)]
    accounts: usize,
    /// The seed of the generated accounts.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// The delay before each response, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency: u64,
    /// Return only documented values: no unknown enumeration values and no nulls that violate a schema. For
    /// strict SDKs.
    #[arg(long)]
    documented_only: bool,
    /// Keep SailPoint's order stable also without `sorters`. For SDKs that do not send them.
    #[arg(long)]
    stable_order: bool,
    /// Use temporary Huawei keys with a security token.
    #[arg(long)]
    temporary_keys: bool,
    /// A JSON file with faults to inject; see the documentation of `headcount_sim::Faults`.
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let faults = match read_faults(&args) {
        Ok(faults) => faults,
        Err(error) => {
            eprintln!("simulate: {error}");
            return ExitCode::from(2);
        }
    };
    match run(&args, &faults).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("simulate: {error}");
            ExitCode::FAILURE
        }
    }
}

fn read_faults(args: &Args) -> Result<sim::Faults, String> {
    let Some(file) = &args.faults else {
        return Ok(sim::Faults::none());
    };
    let json = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    sim::Faults::from_json(&json).map_err(|error| format!("{}: {error}", file.display()))
}

async fn run(args: &Args, faults: &sim::Faults) -> io::Result<()> {
    let latency = Duration::from_millis(args.latency);
    let mut simulators: Vec<Box<dyn sim::Simulator>> = Vec::new();
    for provider in sim::PROVIDERS {
        let config = sim::SimConfig::new()
            .accounts(args.accounts)
            .seed(args.seed)
            .latency(latency)
            .documented_only(args.documented_only)
            .faults(faults.clone());
        simulators.push(match provider.name() {
            "huawei" => {
                let builder = sim::Huawei::builder().config(config).temporary(args.temporary_keys);
                Box::new(builder.start().await?)
            }
            "sailpoint" => {
                let builder = sim::SailPoint::builder().config(config).stable_order(args.stable_order);
                Box::new(builder.start().await?)
            }
            _ => provider.start(config).await?,
        });
    }
    let simulators: sim::Simulators = simulators.into_iter().collect();
    let mut out = io::stdout();
    for (name, value) in simulators.env() {
        writeln!(out, "export {name}='{value}'")?;
    }
    // A comment for shells. Programs that parse the output stop here.
    writeln!(out, "# serving {} accounts at each provider; Ctrl-C stops", args.accounts)?;
    out.flush()?;
    tokio::signal::ctrl_c().await
}
