//! A Ballista scheduler that can plan collections of snapshots. It has no credentials.

use std::{net::SocketAddr, sync::Arc};

use ballista_scheduler::{
    cluster::BallistaCluster, config::SchedulerConfig, scheduler_process::start_server,
};
use clap::Parser;
use headcount_datafusion::ballista::physical_codec;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

/// Schedules collections of snapshots on `headcount-executor` processes.
///
/// The variable `RUST_LOG` sets what is logged to standard error, such as `debug`. Default: `info`.
#[derive(Parser)]
#[command(name = "headcount-scheduler", version)]
struct Args {
    /// The address to listen on. Ballista authenticates nobody: use a private network.
    #[arg(long, default_value = "127.0.0.1:50050")]
    bind: SocketAddr,
    /// The name or address at which executors reach this process.
    #[arg(long, default_value = "localhost")]
    external_host: String,
    /// After how many seconds without a sign of life an executor is given up.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    executor_timeout: u64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
    let config = SchedulerConfig {
        bind_host: args.bind.ip().to_string(),
        bind_port: args.bind.port(),
        external_host: args.external_host,
        executor_timeout_seconds: args.executor_timeout,
        expire_dead_executor_interval_seconds: args.executor_timeout.div_ceil(4),
        no_executors_grace_period_seconds: args.executor_timeout.max(60),
        // The store counts the attempts: the task of a source that is given up ends without an error.
        task_max_failures: 1000,
        override_physical_codec: Some(physical_codec(None)),
        ..SchedulerConfig::default()
    };
    let cluster = BallistaCluster::new_from_config(&config).await?;
    start_server(cluster, args.bind, Arc::new(config)).await?;
    Ok(())
}
