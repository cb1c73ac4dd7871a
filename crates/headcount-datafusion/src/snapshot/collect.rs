//! Collects a snapshot.

use std::{sync::Arc, time::Duration};

use datafusion::{
    error::{DataFusionError, Result},
    object_store::{ObjectStoreExt, path::Path},
};
use futures::{StreamExt, TryStreamExt, future::ready, stream};
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
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let tenants = TenantsFile::read("tenants.toml")?;
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
    /// Each needs about 5 MiB of memory.
    pub fn concurrency(mut self, sources: usize) -> Self {
        self.concurrency = sources.max(1);
        self
    }

    /// Sets how often a source may fail in a run before it is given up. Default: 3.
    ///
    /// A listing that is not complete because accounts changed while it ran is repeated as often. The last one is committed
    /// as it is: only a new run lists the source again. A source that was given up is tried once more whenever the run is
    /// collected again.
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
    Again(
        #[cfg_attr(not(feature = "ballista"), expect(dead_code, reason = "for the error of a task"))]
        Box<ListingReport>,
    ),
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
        match self.record_failure(&folder, &report, retry_after).await {
            Ok(Some(wait)) => {
                tokio::time::sleep(wait).await;
                Attempt::Again(report)
            }
            // Without a record, the attempts could not be counted.
            Ok(None) | Err(_) => Attempt::Done,
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
        let mut report = Box::new(listing.report().clone());
        if let Some(error) = listing.failed() {
            return Ok(Outcome::Failed { report, retry_after: retry_after(error) });
        }
        // A repeat may have hidden a missing account from the provider's count.
        let listed = part.rows().saturating_add(report.summary.rejected);
        if let Some(total) = report.summary.total
            && report.is_complete()
            && listed < total
        {
            let reason = IncompleteReason::CountMismatch { total, listed };
            report.summary.completeness = Completeness::Uncertain(vec![reason]);
        }
        if may_pass(&report.summary.completeness)
            && self.count(folder, FailedAttempt::UNCERTAIN).await? + 1 < self.attempts
        {
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

    /// Records a failed attempt, and returns after which time the next one is due, unless the source is given up.
    async fn record_failure(
        &self,
        folder: &Path,
        report: &ListingReport,
        retry_after: Option<Duration>,
    ) -> Result<Option<Duration>> {
        let prefix = if report.error.is_some() { FailedAttempt::FAILED } else { FailedAttempt::UNCERTAIN };
        let failures = self.count(folder, prefix).await? + 1;
        let retry_after = retry_after.filter(|_| failures < self.attempts);
        let attempt = FailedAttempt { report: report.clone(), is_final: retry_after.is_none() };
        let path = folder.clone().join(format!("{prefix}{}.json", Uuid::new_v4()));
        self.store.create(&path, attempt.to_json()?).await?;
        Ok(retry_after.map(|wait| wait.max(Duration::from_secs(failures as u64))))
    }

    /// Counts the files of a source with this prefix.
    async fn count(&self, folder: &Path, prefix: &str) -> Result<usize> {
        let files = self.store.object_store().list(Some(folder));
        let has_prefix = |name: &str| name.starts_with(prefix);
        let counted = files.try_filter(|file| ready(file.location.filename().is_some_and(has_prefix)));
        Ok(counted.try_fold(0, |count, _| ready(Ok(count + 1))).await?)
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

/// The record of a failed attempt: `failed-UUID.json`, or `uncertain-UUID.json` if the listing reached its end.
#[derive(Serialize, Deserialize)]
pub(crate) struct FailedAttempt {
    pub(crate) report: ListingReport,
    /// Whether the source was given up.
    pub(crate) is_final: bool,
}

impl FailedAttempt {
    const FAILED: &'static str = "failed-";
    const UNCERTAIN: &'static str = "uncertain-";

    fn to_json(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|error| DataFusionError::External(Box::new(error)))
    }

    pub(crate) fn is_name(path: &Path) -> bool {
        let is_name = |name: &str| name.starts_with(Self::FAILED) || name.starts_with(Self::UNCERTAIN);
        path.filename().is_some_and(is_name)
    }
}
