//! A Ballista executor that lists accounts: it has a tenants file, and the credentials in its environment.

use std::{path::PathBuf, sync::Arc};

use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use clap::Parser;
use headcount_datafusion::{Tenants as _, TenantsFile, ballista::physical_codec};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

/// Lists the sources of a tenants file for a `headcount-scheduler`.
///
/// The variable `RUST_LOG` sets what is logged to standard error, such as `debug`. Default: `info`.
#[derive(Parser)]
#[command(name = "headcount-executor", version)]
struct Args {
    /// The tenants file. The variables that it names must be set.
    #[arg(long)]
    tenants: PathBuf,
    /// The host of the scheduler.
    #[arg(long, default_value = "localhost")]
    scheduler_host: String,
    /// The port of the scheduler.
    #[arg(long, default_value_t = 50050)]
    scheduler_port: u16,
    /// The address to listen on. Ballista authenticates nobody: use a private network.
    #[arg(long, default_value = "127.0.0.1")]
    bind_host: String,
    /// The name or address at which the scheduler reaches this process. By default, the scheduler uses the address that
    /// it sees.
    #[arg(long)]
    external_host: Option<String>,
    /// The port for results, and the next one for tasks.
    #[arg(long, default_value_t = 50051, value_parser = clap::value_parser!(u16).range(1..=65534))]
    port: u16,
    /// How many sources are listed at a time.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,
    /// The folder for the rows of finished tasks, which name sources and say how they ended. Default: a new one, which is
    /// removed at the end.
    #[arg(long)]
    work_dir: Option<PathBuf>,
    /// After how many seconds a sign of life is sent.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..))]
    heartbeat: u64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
    let tenants = TenantsFile::read(&args.tenants)?;
    eprintln!(
        "{} sources for the scheduler at {}:{}",
        tenants.sources().len(),
        args.scheduler_host,
        args.scheduler_port
    );
    let temporary = std::env::temp_dir().join(format!("headcount-executor-{}", std::process::id()));
    let work_dir = args.work_dir.as_ref().unwrap_or(&temporary);
    std::fs::create_dir_all(work_dir)?;
    let config = ExecutorProcessConfig {
        work_dir: Some(work_dir.to_string_lossy().into_owned()),
        job_data_ttl_seconds: 3600,
        job_data_clean_up_interval_seconds: 600,
        bind_host: args.bind_host,
        external_host: args.external_host,
        port: args.port,
        grpc_port: args.port + 1,
        scheduler_host: args.scheduler_host,
        scheduler_port: args.scheduler_port,
        scheduler_connect_timeout_seconds: 30,
        vcores: args.concurrency.into(),
        executor_heartbeat_interval_seconds: args.heartbeat,
        override_physical_codec: Some(physical_codec(Some(Arc::new(tenants)))),
        ..ExecutorProcessConfig::default()
    };
    let ended = start_executor_process(Arc::new(config)).await;
    if args.work_dir.is_none() {
        std::fs::remove_dir_all(temporary)?;
    }
    Ok(ended?)
}
