//! Collects a snapshot.

use std::{sync::Arc, time::Duration};

use datafusion::{
    error::{DataFusionError, Result},
    object_store::{ObjectStoreExt, path::Path},
};
use futures::{StreamExt, TryStreamExt, stream};
use headcount::{Completeness, IncompleteReason, ListingReport, Source, chrono::Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Snapshot, SnapshotPlan, SnapshotStore,
    manifest::{Manifest, Part},
    part::PartWriter,
};
use crate::{Tenants, listing::SourceListing};

/// Lists all sources of a plan into Parquet files.
///
/// A source that was listed is committed by its manifest, which is written once. So collecting a run again lists only
/// the sources that are not committed, and two collectors may work on one run. A source that fails for a reason that may
/// pass is listed again, up to [`attempts`](Self::attempts) times in a run. A source that fails does not stop the others.
///
/// ```
/// use std::sync::Arc;
/// use datafusion::prelude::SessionContext;
/// use headcount_datafusion::{Collect, SnapshotPlan, SnapshotStore, Tenants, TenantsFile};
///
/// # async fn run() -> datafusion::error::Result<()> {
/// let tenants = TenantsFile::read("tenants.toml").map_err(|error| error.to_string()).expect("a valid file");
/// let store = SnapshotStore::open(&SessionContext::new().runtime_env(), "snapshots")?;
/// let plan = SnapshotPlan::new("2026-11-29", tenants.sources())?;
/// let snapshot = Collect::new(Arc::new(tenants), store, plan).run().await?;
/// println!("{snapshot}");
/// assert!(snapshot.is_complete());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is collected until it is run"]
pub struct Collect {
    collector: Collector,
    concurrency: usize,
}

impl Collect {
    /// Creates a collection of `plan` into `store`.
    pub fn new(tenants: Arc<dyn Tenants>, store: SnapshotStore, plan: SnapshotPlan) -> Self {
        Self { collector: Collector { tenants, store, plan: Arc::new(plan), attempts: 3 }, concurrency: 16 }
    }

    /// Sets how many sources are listed at a time. Default: 16.
    ///
    /// Each needs the memory of a page and about 6 MiB for its file.
    pub fn concurrency(mut self, sources: usize) -> Self {
        self.concurrency = sources.max(1);
        self
    }

    /// Sets how often a source may fail in a run before it is given up. Default: 3.
    ///
    /// A source that was given up is tried once more whenever the run is collected again.
    pub fn attempts(mut self, attempts: usize) -> Self {
        self.collector.attempts = attempts.max(1);
        self
    }

    /// Collects all sources that are not committed, and returns the snapshot, which may be incomplete.
    ///
    /// # Errors
    /// Fails if the run exists with another plan, or if the store fails for the plan. Whatever fails for a source is
    /// reported by the snapshot.
    pub async fn run(&self) -> Result<Snapshot> {
        self.begin().await?;
        stream::iter(self.collector.plan.sources.clone())
            .map(|source| async move { self.collector.collect(&source).await })
            .buffer_unordered(self.concurrency)
            .for_each(|_| async {})
            .await;
        self.finish().await
    }

    /// Stores the plan, or checks that it is the stored one.
    pub(crate) async fn begin(&self) -> Result<()> {
        let Collector { store, plan, .. } = &self.collector;
        let path = store.plan_path(&plan.run);
        if store.create(&path, plan.to_json()?).await? {
            return Ok(());
        }
        let stored = Snapshot::read_plan(store, &plan.run).await?;
        if stored == **plan {
            return Ok(());
        }
        Err(DataFusionError::Plan(format!(
            "run {} exists with other sources or columns: expected the {} sources and {} columns of its plan.json; \
             choose another name for a new run",
            plan.run,
            stored.sources.len(),
            stored.columns.len()
        )))
    }

    pub(crate) async fn finish(&self) -> Result<Snapshot> {
        Snapshot::open(&self.collector.store, &self.collector.plan.run).await
    }

    #[cfg(feature = "ballista")]
    pub(crate) fn collector(&self) -> &Collector {
        &self.collector
    }
}

/// Collects single sources.
#[derive(Clone, Debug)]
pub(crate) struct Collector {
    pub(crate) tenants: Arc<dyn Tenants>,
    pub(crate) store: SnapshotStore,
    pub(crate) plan: Arc<SnapshotPlan>,
    pub(crate) attempts: usize,
}

/// How an attempt to collect a source ended.
pub(crate) enum Attempt {
    /// The source is committed, or was given up.
    Done(ListingReport),
    /// The attempt failed for a reason that may pass.
    Again(ListingReport),
}

impl Collector {
    /// Collects a source, with as many attempts as it has.
    async fn collect(&self, source: &Source) -> ListingReport {
        loop {
            if let Attempt::Done(report) = self.attempt(source).await {
                return report;
            }
        }
    }

    /// Collects a source unless it is committed. A failed attempt is recorded in the store.
    ///
    /// Returns [`Attempt::Again`] fewer than `attempts` times for each source of a run, since it counts the records.
    pub(crate) async fn attempt(&self, source: &Source) -> Attempt {
        let folder = self.store.source_folder(&self.plan.run, source);
        let mut started = ListingReport::start(source.clone());
        let failure = match self.list(source, &folder).await {
            Ok(Listed::Committed(report)) => return Attempt::Done(report),
            Ok(Listed::Failed { report, may_pass }) => Failure { report, may_pass },
            Err(error) => {
                started.ended_at = Some(Utc::now());
                started.error = Some(format!("cannot write the snapshot: {error}"));
                Failure { report: started, may_pass: true }
            }
        };
        match self.record_failure(&folder, &failure.report).await {
            Ok(failures) if failure.may_pass && failures < self.attempts => {
                // The clients wait for what a provider asks for. This is for whatever else is out of order.
                tokio::time::sleep(Duration::from_secs(failures as u64)).await;
                Attempt::Again(failure.report)
            }
            // Without a record, the attempts could not be counted.
            _ => Attempt::Done(failure.report),
        }
    }

    async fn list(&self, source: &Source, folder: &Path) -> Result<Listed> {
        let manifest_path = folder.clone().join("manifest.json");
        if let Some(json) = self.store.read(&manifest_path).await? {
            return Ok(Listed::Committed(Manifest::from_json(&json)?.report));
        }
        let schema = self.plan.schema();
        let mut listing =
            SourceListing::open(&self.tenants, source.clone(), &self.plan.request(), schema.clone());
        if let Some(error) = listing.failed() {
            return Ok(Listed::Failed { report: listing.report().clone(), may_pass: error.is_retryable() });
        }
        let mut part = PartWriter::create(&self.store, folder, schema)?;
        while let Some(accounts) = listing.next().await? {
            part.write(&accounts, &listing.batch(&accounts)?).await?;
        }
        let report = listing.report().clone();
        if let Some(error) = listing.failed() {
            return Ok(Listed::Failed { report, may_pass: error.is_retryable() });
        }
        if may_pass(&report.summary.completeness) && self.failures(folder).await? + 1 < self.attempts {
            return Ok(Listed::Failed { report, may_pass: true });
        }
        let (path, part) = part.finish().await?;
        self.commit(&manifest_path, &path, report, part).await
    }

    /// Writes the manifest, unless another collector was faster.
    async fn commit(
        &self,
        manifest: &Path,
        path: &Path,
        report: ListingReport,
        part: Part,
    ) -> Result<Listed> {
        let content = Manifest::new(self.plan.digest()?, report.clone(), part);
        if self.store.create(manifest, content.to_json()?).await? {
            return Ok(Listed::Committed(report));
        }
        // Only tidiness: no manifest names the file.
        let _ = self.store.object_store().delete(path).await;
        let json = self.store.read(manifest).await?.unwrap_or_default();
        Ok(Listed::Committed(Manifest::from_json(&json)?.report))
    }

    /// Records a failed attempt, and returns the number of failed attempts.
    async fn record_failure(&self, folder: &Path, report: &ListingReport) -> Result<usize> {
        let failures = self.failures(folder).await?;
        let path = folder.clone().join(format!("failed-{}.json", Uuid::new_v4()));
        self.store.create(&path, FailedAttempt::to_json(report)?).await?;
        Ok(failures + 1)
    }

    async fn failures(&self, folder: &Path) -> Result<usize> {
        let files = self.store.object_store().list(Some(folder));
        let failed = files.try_filter(|file| futures::future::ready(FailedAttempt::is_name(&file.location)));
        Ok(failed.try_fold(0, |count, _| futures::future::ok(count + 1)).await?)
    }
}

/// How a listing ended.
enum Listed {
    /// A manifest exists.
    Committed(ListingReport),
    Failed {
        report: ListingReport,
        may_pass: bool,
    },
}

struct Failure {
    report: ListingReport,
    may_pass: bool,
}

/// Returns `true` if the listing may be complete next time: accounts changed while it ran.
fn may_pass(completeness: &Completeness) -> bool {
    let passes = |reason: &IncompleteReason| {
        matches!(
            reason,
            IncompleteReason::TotalChanged { .. }
                | IncompleteReason::CountMismatch { .. }
                | IncompleteReason::BoundariesUnverified
        )
    };
    matches!(completeness, Completeness::Uncertain(reasons) if reasons.iter().all(passes))
}

/// The record of a failed attempt: `failed-UUID.json`.
#[derive(Serialize, Deserialize)]
pub(crate) struct FailedAttempt {
    pub(crate) report: ListingReport,
}

impl FailedAttempt {
    fn to_json(report: &ListingReport) -> Result<Vec<u8>> {
        let attempt = Self { report: report.clone() };
        serde_json::to_vec(&attempt).map_err(|error| DataFusionError::External(Box::new(error)))
    }

    pub(crate) fn is_name(path: &Path) -> bool {
        path.filename().is_some_and(|name| name.starts_with("failed-") && name.ends_with(".json"))
    }
}
