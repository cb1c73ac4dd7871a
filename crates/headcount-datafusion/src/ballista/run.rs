//! Runs a collection on a cluster.

use std::sync::Arc;

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
use crate::{Collect, Snapshot};

/// How often a job that failed is sent again.
const MAX_JOBS: usize = 5;

impl Collect {
    /// Collects as [`run`](Self::run) does, on the executors of a Ballista scheduler, such as `http://localhost:50050`.
    ///
    /// `concurrency` and the tenants of this process are not used: executors have their own.
    ///
    /// # Errors
    /// Fails as [`run`](Self::run) does, and if the scheduler cannot be reached or fails the job five times. Collecting
    /// the run again continues it.
    pub async fn run_on(&self, scheduler: &str) -> Result<Snapshot> {
        self.begin().await?;
        let mut failure = None;
        for _ in 0..MAX_JOBS {
            let left = self.uncommitted().await?;
            if left.is_empty() {
                failure = None;
                break;
            }
            failure = self.run_job(scheduler, left).await.err();
            if failure.is_none() {
                break;
            }
        }
        match failure {
            None => self.finish().await,
            Some(error) => Err(error.context(format!("the scheduler at {scheduler} failed the job"))),
        }
    }

    async fn uncommitted(&self) -> Result<Vec<Source>> {
        let snapshot = self.finish().await?;
        let left = snapshot.sources().iter().filter(|status| !status.is_committed());
        Ok(left.map(|status| status.source.clone()).collect())
    }

    async fn run_job(&self, scheduler: &str, sources: Vec<Source>) -> Result<()> {
        let collector = self.collector();
        let plan = (*collector.plan).clone();
        let job = CollectJob::new(plan, collector.store.url().to_owned(), collector.attempts);
        // A task has one source: one that takes long holds up no others.
        let config =
            SessionConfig::new_with_ballista().set_usize("ballista.scheduler.max_partitions_per_task", 1);
        let ballista = config.ballista_config();
        let plan = Arc::new(CollectExec::new(Arc::new(job), None, sources_input(&sources)?));
        let codec = physical_codec(None);
        let session = Uuid::new_v4().to_string();
        let rows = execute_physical_plan::<PhysicalPlanNode>(
            scheduler.to_owned(),
            &ballista,
            plan,
            &*codec,
            session,
            config,
        );
        // The rows are not needed: the manifests are read.
        rows.await?.try_for_each(|_| async { Ok(()) }).await
    }
}
