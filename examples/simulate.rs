//! Starts the simulators of the four providers, prints the environment that makes clients talk to them,
//! and serves until it is stopped.

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use headcount::sim;

/// Serves simulated accounts of Fortanix, Huawei Cloud, Annature and SailPoint on this machine.
///
/// Copy the `export` lines into another terminal, and run `list_accounts`, curl or a vendor's SDK there.
#[derive(Parser)]
struct Args {
    /// Accounts at each provider.
    #[arg(long, value_name = "N", default_value_t = 250)]
    accounts: usize,
    /// The same seed makes the same accounts.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// How long each answer takes, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("simulate: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> io::Result<()> {
    let latency = Duration::from_millis(args.latency);
    macro_rules! start {
        ($provider:ident) => {
            sim::$provider::builder()
                .accounts(args.accounts)
                .seed(args.seed)
                .latency(latency)
                .start()
                .await?
        };
    }
    let simulators = sim::Simulators {
        fortanix: start!(Fortanix),
        huawei: start!(Huawei),
        annature: start!(Annature),
        sailpoint: start!(SailPoint),
    };
    let mut out = io::stdout();
    for (name, value) in simulators.env() {
        writeln!(out, "export {name}='{value}'")?;
    }
    out.flush()?;
    eprintln!(
        "serving {} accounts at each provider; Ctrl-C stops",
        args.accounts
    );
    tokio::signal::ctrl_c().await
}
