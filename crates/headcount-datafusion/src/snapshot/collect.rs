//! Collects a snapshot.

use std::{sync::Arc, time::Duration};

use datafusion::{
    error::{DataFusionError, Result},
    object_store::{ObjectStoreExt, path::Path},
};
use futures::{StreamExt, TryStreamExt, stream};
use headcount::{Completeness, Error, ErrorKind, IncompleteReason, ListingReport, Source, chrono::Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Snapshot, SnapshotPlan, SnapshotStore,
    manifest::{Manifest, Part},
    part::PartWriter,
    plan::Run,
};
use crate::{Tenants, listing::SourceListing, tenants::SharedTenants};

/// A source that has to wait longer is given up until the run is collected again.
const MAX_WAIT: Duration = Duration::from_mins(20);

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
    tenants: SharedTenants,
    store: SnapshotStore,
    plan: SnapshotPlan,
    attempts: usize,
    concurrency: usize,
}

impl Collect {
    /// Creates a collection of `plan` into `store`.
    pub fn new(tenants: Arc<dyn Tenants>, store: SnapshotStore, plan: SnapshotPlan) -> Self {
        Self { tenants: SharedTenants(tenants), store, plan, attempts: 3, concurrency: 16 }
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
    /// A listing that is not complete because accounts changed while it ran counts as a failure, except for the last: it is
    /// committed as it is, and only a new run lists the source again. A source that was given up is tried once more whenever
    /// the run is collected again.
    pub fn attempts(mut self, attempts: usize) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// Collects all sources that are not committed, and returns the snapshot, which may be incomplete.
    ///
    /// # Errors
    /// Fails if the run exists with another plan, or if the store fails for the plan. Whatever fails for a source is
    /// reported by the snapshot.
    pub async fn run(&self) -> Result<Snapshot> {
        let collector = self.begin().await?;
        stream::iter(self.plan.sources())
            .for_each_concurrent(self.concurrency, |source| collector.collect(source))
            .await;
        self.snapshot().await
    }

    /// Stores the plan, or checks that it is the stored one.
    pub(crate) async fn begin(&self) -> Result<Collector> {
        let Self { store, plan, .. } = self;
        if !store.create(&store.plan_path(plan.run()), plan.to_json()?).await? {
            let stored = Snapshot::read_plan(store, plan.run()).await?;
            if stored != *plan {
                return Err(DataFusionError::Plan(format!(
                    "run {} exists with other sources or columns: expected the {} sources and {} columns of its plan.json; \
                     choose another name for a new run",
                    plan.run(),
                    stored.sources().len(),
                    stored.columns().len()
                )));
            }
        }
        Ok(Collector {
            tenants: self.tenants.clone(),
            store: store.clone(),
            run: Run::of(plan)?,
            attempts: self.attempts,
        })
    }

    pub(crate) async fn snapshot(&self) -> Result<Snapshot> {
        Snapshot::open(&self.store, self.plan.run()).await
    }
}

/// Collects single sources.
#[derive(Clone, Debug)]
pub(crate) struct Collector {
    pub(crate) tenants: SharedTenants,
    pub(crate) store: SnapshotStore,
    pub(crate) run: Run,
    pub(crate) attempts: usize,
}

/// How an attempt to collect a source ended.
pub(crate) enum Attempt {
    /// The source is committed, or was given up.
    Done,
    /// The attempt failed for a reason that may pass.
    Again(Box<ListingReport>),
}

/// How a listing ended.
enum Outcome {
    /// A manifest exists.
    Committed,
    Failed {
        report: Box<ListingReport>,
        /// After which time it may succeed; `None` if nothing suggests that it will.
        retry_after: Option<Duration>,
    },
}

impl Collector {
    /// Collects a source, with as many attempts as it has.
    async fn collect(&self, source: &Source) {
        while let Attempt::Again(_) = self.attempt(source).await {}
    }

    /// Collects a source unless it is committed. A failed attempt is recorded in the store.
    ///
    /// The records are counted: a source is attempted at most `attempts` times before it is given up.
    pub(crate) async fn attempt(&self, source: &Source) -> Attempt {
        let folder = self.store.source_folder(&self.run.name, source);
        let mut report = Box::new(ListingReport::start(source.clone()));
        let (report, retry_after) = match self.list(source, &folder).await {
            Ok(Outcome::Committed) => return Attempt::Done,
            Ok(Outcome::Failed { report, retry_after }) => (report, retry_after),
            Err(error) => {
                report.ended_at = Some(Utc::now());
                report.error = Some(format!("cannot write the snapshot: {error}"));
                (report, Some(Duration::ZERO))
            }
        };
        match (self.record_failure(&folder, &report).await, retry_after) {
            (Ok(failures), Some(wait)) if failures < self.attempts => {
                tokio::time::sleep(wait.max(Duration::from_secs(failures as u64))).await;
                Attempt::Again(report)
            }
            // Without a record, the attempts could not be counted.
            _ => Attempt::Done,
        }
    }

    async fn list(&self, source: &Source, folder: &Path) -> Result<Outcome> {
        let manifest = folder.clone().join("manifest.json");
        // Also if it is damaged: a manifest is never replaced, and the snapshot reports the damage.
        if self.store.read(&manifest).await?.is_some() {
            return Ok(Outcome::Committed);
        }
        let schema = self.run.schema();
        let mut listing =
            SourceListing::open(&self.tenants, source.clone(), &self.run.request(), schema.clone());
        let mut part = PartWriter::create(&self.store, folder, schema)?;
        while let Some(mut accounts) = listing.next().await {
            accounts.retain(|account| part.is_new(account));
            part.write(&listing.batch(&accounts)?).await?;
        }
        let report = Box::new(listing.report().clone());
        if let Some(error) = listing.failed() {
            return Ok(Outcome::Failed { report, retry_after: retry_after(error) });
        }
        if may_pass(&report.summary.completeness) && self.failures(folder).await? + 1 < self.attempts {
            return Ok(Outcome::Failed { report, retry_after: Some(Duration::ZERO) });
        }
        let (path, part) = part.finish().await?;
        self.commit(&manifest, &path, *report, part).await
    }

    /// Writes the manifest, unless another collector was faster.
    async fn commit(
        &self,
        manifest: &Path,
        path: &Path,
        report: ListingReport,
        part: Part,
    ) -> Result<Outcome> {
        let (source, file) = (report.source.clone(), part.file.clone());
        let content = Manifest::new(self.run.plan.clone(), report, part);
        if !self.store.create(manifest, content.to_json()?).await? {
            // It may be this one: a store that is asked again after a lost response says that the file exists.
            let existing = Manifest::read(&self.store, manifest, &self.run.plan, &source).await?;
            if existing.is_some_and(|existing| existing.is_ok_and(|existing| existing.part.file != file)) {
                // Only tidiness: no manifest names the file.
                let _ = self.store.object_store().delete(path).await;
            }
        }
        Ok(Outcome::Committed)
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

/// Returns after which time a listing that failed may succeed.
fn retry_after(error: &Error) -> Option<Duration> {
    let may_pass = error.is_retryable() || error.kind() == ErrorKind::ListingChanged;
    may_pass.then(|| error.retry_after().unwrap_or_default()).filter(|wait| *wait <= MAX_WAIT)
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
        path.filename().is_some_and(|name| name.starts_with("failed-"))
    }
}
