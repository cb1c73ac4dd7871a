//! Runs a collection on a cluster.

use std::{collections::HashSet, sync::Arc, time::Duration};

use ballista::prelude::SessionConfigExt;
use ballista_core::execution_plans::execute_physical_plan;
use datafusion::{error::Result, prelude::SessionConfig};
use datafusion_proto::protobuf::PhysicalPlanNode;
use futures::TryStreamExt;
use headcount::Source;
use uuid::Uuid;

use super::{
    exec::{CollectExec, CollectJob, sources_input},
    physical_codec,
};
use crate::{Collect, Snapshot, SourceStatus, snapshot::Collector};

/// How often a job that failed is sent again.
const MAX_JOBS: u32 = 5;

impl Collect {
    /// Collects as [`run`](Self::run) does, on the executors of a Ballista scheduler, such as `http://localhost:50050`.
    ///
    /// `concurrency` and the tenants of this process are not used: executors have their own.
    ///
    /// # Errors
    /// Fails as [`run`](Self::run) does, and if the scheduler cannot be reached or fails the job five times. Collecting
    /// the run again continues it.
    pub async fn run_on(&self, scheduler: &str) -> Result<Snapshot> {
        let collector = self.begin().await?;
        let before = self.snapshot().await?;
        let given_up_before: HashSet<_> =
            before.sources().iter().filter_map(SourceStatus::given_up).collect();
        let mut failure = None;
        for job in 0..=MAX_JOBS {
            // In this collection, by an executor.
            let was_given_up =
                |status: &SourceStatus| status.given_up().is_some_and(|path| !given_up_before.contains(path));
            let snapshot = self.snapshot().await?;
            let left =
                snapshot.sources().iter().filter(|status| !status.is_committed() && !was_given_up(status));
            let left: Vec<_> = left.map(|status| status.source.clone()).collect();
            if left.is_empty() {
                return Ok(snapshot);
            }
            if job == MAX_JOBS {
                break;
            }
            tokio::time::sleep(Duration::from_secs(job.into())).await;
            failure = run_job(&collector, scheduler, &left).await.err();
        }
        match failure {
            Some(error) => Err(error.context(format!("the scheduler at {scheduler} failed the job"))),
            // The job ended, and yet there are sources that no executor reports on.
            None => self.snapshot().await,
        }
    }
}

async fn run_job(collector: &Collector, scheduler: &str, sources: &[Source]) -> Result<()> {
    let job = CollectJob::new(collector.run.clone(), collector.store.url().to_owned(), collector.attempts);
    let plan = Arc::new(CollectExec::new(Arc::new(job), None, sources_input(sources)?));
    // A task has one source: one that takes long holds up no others.
    let config =
        SessionConfig::new_with_ballista().set_usize("ballista.scheduler.max_partitions_per_task", 1);
    let (ballista, codec, session) =
        (config.ballista_config(), physical_codec(None), Uuid::new_v4().to_string());
    let scheduler = scheduler.to_owned();
    let rows =
        execute_physical_plan::<PhysicalPlanNode>(scheduler, &ballista, plan, &*codec, session, config);
    // The rows are not needed: the manifests are read.
    rows.await?.try_for_each(|_| async { Ok(()) }).await
}
