//! Opens a snapshot, and decides whether it is complete.

use std::{fmt, sync::Arc};

use datafusion::{
    arrow::datatypes::SchemaRef,
    catalog::TableProvider,
    common::cast::as_string_array,
    datasource::MemTable,
    error::{DataFusionError, Result},
    object_store::path::Path,
    prelude::SessionContext,
};
use futures::{StreamExt, TryStreamExt, stream};
use headcount::{ListingReport, Source};

use super::{
    SnapshotPlan, SnapshotStore,
    collect::FailedAttempt,
    manifest::{IdsDigest, Manifest, Part, id_digest},
    part::{PartsTable, part_file},
};
use crate::{
    Require,
    sources::{sources_batch, sources_schema},
};

/// How many files are read at a time.
const CONCURRENCY: usize = 16;

/// The most sources that an error names.
const MAX_NAMED: usize = 3;

/// A snapshot: the accounts of all sources of a plan.
///
/// It is complete if every source of the plan has a manifest of this plan, whose listing was complete and whose Parquet
/// file exists with its size. [`verify`](Self::verify) compares the rows of the files with the manifests, too. Checksums
/// detect accidents, not forgery by someone who may write to the store.
///
/// `Display` is the verdict in one line.
#[derive(Clone, Debug)]
pub struct Snapshot {
    store: SnapshotStore,
    plan: SnapshotPlan,
    sources: Vec<SourceStatus>,
}

/// The state of one source in a [`Snapshot`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SourceStatus {
    /// The source.
    pub source: Source,
    /// The report of its listing, or of the latest attempt that failed. `None` if it was not listed.
    pub report: Option<ListingReport>,
    /// Why the source is not complete; `None` if it is.
    pub problem: Option<String>,
    /// Whether a manifest exists.
    #[cfg(feature = "ballista")]
    committed: bool,
    /// The record of the latest attempt, if the source was given up in it.
    #[cfg(feature = "ballista")]
    given_up: Option<Path>,
    /// The committed file, if it can be read.
    part: Option<(Path, Part)>,
}

impl Snapshot {
    /// Opens the snapshot `run`.
    ///
    /// # Errors
    /// Fails if there is no such run, if its plan is malformed or of another version, or if the store fails.
    pub async fn open(store: &SnapshotStore, run: &str) -> Result<Self> {
        let plan = Self::read_plan(store, run).await?;
        let digest = plan.digest()?;
        let sources = stream::iter(plan.sources().to_vec())
            .map(|source| {
                let (run, digest) = (plan.run(), &digest);
                async move { SourceStatus::read(store, run, digest, source).await }
            })
            .buffered(CONCURRENCY)
            .try_collect()
            .await?;
        Ok(Self { store: store.clone(), plan, sources })
    }

    pub(crate) async fn read_plan(store: &SnapshotStore, run: &str) -> Result<SnapshotPlan> {
        super::plan::check_run(run)?;
        let json = store
            .read(&store.plan_path(run))
            .await?
            .ok_or_else(|| DataFusionError::Plan(format!("there is no run {run} at {}", store.url())))?;
        let plan = SnapshotPlan::from_json("plan.json", &json)?;
        if plan.run() != run {
            return Err(DataFusionError::Plan(format!(
                "plan.json of run {run} is that of run {}",
                plan.run()
            )));
        }
        Ok(plan)
    }

    /// Returns the plan.
    pub fn plan(&self) -> &SnapshotPlan {
        &self.plan
    }

    pub(crate) fn store(&self) -> &SnapshotStore {
        &self.store
    }

    /// Returns the state of each source, in the order of the plan.
    pub fn sources(&self) -> &[SourceStatus] {
        &self.sources
    }

    /// Returns `true` if every source is complete.
    pub fn is_complete(&self) -> bool {
        self.sources.iter().all(|status| status.problem.is_none())
    }

    /// Returns the number of accounts in the committed files.
    pub fn accounts_count(&self) -> u64 {
        self.sources.iter().filter_map(|status| status.part.as_ref()).map(|(_, part)| part.rows).sum()
    }

    /// Reads the ids of all accounts, and compares their number and digest with the manifests.
    ///
    /// A source with a difference is no longer complete.
    ///
    /// # Errors
    /// Fails only if a later step does; an unreadable file is a problem of its source.
    pub async fn verify(mut self) -> Result<Self> {
        let (store, schema) = (self.store.clone(), self.plan.schema());
        self.sources = stream::iter(self.sources)
            .map(|status| status.verify(&store, &schema))
            .buffered(CONCURRENCY)
            .collect()
            .await;
        Ok(self)
    }

    /// Registers the tables `accounts` and `sources` of the snapshot.
    ///
    /// `require` says what is accepted: [`Require::Complete`] only a complete snapshot, [`Require::End`] one whose
    /// sources all were listed to their end, [`Require::Any`] whatever was collected.
    ///
    /// # Errors
    /// Fails if the snapshot is less than required; the error names sources and why. Fails if the session has a table of
    /// one of these names.
    pub fn register(&self, ctx: &SessionContext, require: Require) -> Result<()> {
        let accounts = self.accounts(require)?;
        ctx.register_table("sources", Arc::new(self.sources_table()?))?;
        ctx.register_table("accounts", accounts)?;
        Ok(())
    }

    /// Returns the accounts as a table with the columns of the plan.
    ///
    /// # Errors
    /// Fails if the snapshot is less than [required](Self::register).
    pub fn accounts(&self, require: Require) -> Result<Arc<dyn TableProvider>> {
        self.check(require)?;
        let files = self.sources.iter().filter_map(|status| status.part.as_ref());
        let files = files.map(|(path, part)| part_file(path, part)).collect();
        Ok(Arc::new(PartsTable::new(&self.store, files, self.plan.schema())))
    }

    fn sources_table(&self) -> Result<MemTable> {
        let rows: Vec<_> =
            self.sources.iter().map(|status| (status.source.clone(), status.reported())).collect();
        MemTable::try_new(sources_schema(), vec![vec![sources_batch(&rows)?]])
    }

    fn check(&self, require: Require) -> Result<()> {
        let accepted = |status: &&SourceStatus| match require {
            Require::Complete => status.problem.is_none(),
            Require::End => status.part.is_some(),
            Require::Any => true,
        };
        if self.sources.iter().all(|status| accepted(&status)) {
            return Ok(());
        }
        let how = if require == Require::Complete { "complete" } else { "listed to the end" };
        Err(DataFusionError::Plan(format!("the snapshot is not {how}: {self}")))
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problems: Vec<_> = self.sources.iter().filter(|status| status.problem.is_some()).collect();
        write!(
            f,
            "run {}: {} of {} sources complete, {} accounts",
            self.plan.run(),
            self.sources.len() - problems.len(),
            self.sources.len(),
            self.accounts_count()
        )?;
        for status in problems.iter().take(MAX_NAMED) {
            write!(f, "; {}: {}", status.source, status.problem.as_deref().unwrap_or_default())?;
        }
        if problems.len() > MAX_NAMED {
            write!(f, "; and {} more", problems.len() - MAX_NAMED)?;
        }
        Ok(())
    }
}

impl SourceStatus {
    /// Returns `true` if the source has a manifest, which is never replaced.
    #[cfg(feature = "ballista")]
    pub(crate) fn is_committed(&self) -> bool {
        self.committed
    }

    /// Returns the record of the latest attempt, if the source was given up in it.
    #[cfg(feature = "ballista")]
    pub(crate) fn given_up(&self) -> Option<&Path> {
        self.given_up.as_ref()
    }

    /// Creates the status of a source with a manifest and without a readable file.
    fn new(source: Source, report: Option<ListingReport>, problem: Option<String>) -> Self {
        Self {
            source,
            report,
            problem,
            #[cfg(feature = "ballista")]
            committed: true,
            #[cfg(feature = "ballista")]
            given_up: None,
            part: None,
        }
    }

    /// Reads the state of a source in the run with the digest `plan`.
    async fn read(store: &SnapshotStore, run: &str, plan: &str, source: Source) -> Result<Self> {
        let folder = store.source_folder(run, &source);
        let manifest =
            match Manifest::read(store, &folder.clone().join("manifest.json"), plan, &source).await? {
                Some(Ok(manifest)) => manifest,
                Some(Err(problem)) => return Ok(Self::new(source, None, Some(problem))),
                None => return Self::read_failure(store, source, &folder).await,
            };
        let Manifest { report, part, .. } = manifest;
        // A file name, so that no manifest leads out of its folder.
        let path = folder.join(part.file.as_str());
        let problem = match store.size(&path).await? {
            None => format!("{} is missing", part.file),
            Some(size) if size != part.bytes => {
                format!("{} has {size} bytes; its manifest says {}", part.file, part.bytes)
            }
            Some(_) => {
                let problem = (!report.is_complete()).then(|| report.summary.completeness.to_string());
                return Ok(Self { part: Some((path, part)), ..Self::new(source, Some(report), problem) });
            }
        };
        Ok(Self::new(source, Some(report), Some(problem)))
    }

    /// Reads the latest failure of a source without a manifest.
    async fn read_failure(store: &SnapshotStore, source: Source, folder: &Path) -> Result<Self> {
        let latest = latest_failure(store, folder).await?;
        let report = latest.as_ref().map(|(_, attempt)| attempt.report.clone());
        let problem = match &report {
            Some(ListingReport { error: Some(error), .. }) => format!("failed: {error}"),
            Some(ListingReport { summary, .. }) => format!("failed: {summary}"),
            None => "not collected".into(),
        };
        Ok(Self {
            #[cfg(feature = "ballista")]
            committed: false,
            #[cfg(feature = "ballista")]
            given_up: latest.filter(|(_, attempt)| attempt.is_final).map(|(path, _)| path),
            ..Self::new(source, report, Some(problem))
        })
    }

    async fn verify(mut self, store: &SnapshotStore, schema: &SchemaRef) -> Self {
        let Some((path, part)) = &self.part else { return self };
        let problem = match read_ids(store, path, part, schema).await {
            Ok((rows, ids)) if rows == part.rows && ids == part.ids => return self,
            Ok((rows, _)) if rows != part.rows => {
                format!("{} has {rows} accounts; its manifest says {}", part.file, part.rows)
            }
            Ok(_) => format!("{} has other accounts than its manifest says", part.file),
            Err(error) => format!("{} is unreadable: {error}", part.file),
        };
        self.problem = Some(problem);
        self.part = None;
        self
    }

    /// Returns the report for the table `sources`, which shows a problem of the files as a failure.
    fn reported(&self) -> Option<ListingReport> {
        let mut report = self.report.clone();
        if self.part.is_none()
            && let Some(problem) = &self.problem
        {
            if report.is_none() && problem != "not collected" {
                report = Some(ListingReport::start(self.source.clone()));
            }
            if let Some(report) = &mut report {
                report.error.get_or_insert_with(|| problem.clone());
            }
        }
        report
    }
}

/// Reads the number of rows of a file and the digest of their ids.
async fn read_ids(
    store: &SnapshotStore,
    path: &Path,
    part: &Part,
    schema: &SchemaRef,
) -> Result<(u64, IdsDigest)> {
    let file = PartsTable::new(store, vec![part_file(path, part)], schema.clone());
    let ids = store.session().read_table(Arc::new(file))?.select_columns(&["id"])?;
    let mut batches = ids.execute_stream().await?;
    let (mut rows, mut ids) = (0, IdsDigest::default());
    while let Some(batch) = batches.try_next().await? {
        rows += batch.num_rows() as u64;
        as_string_array(batch.column(0))?.iter().flatten().for_each(|id| ids.add(id_digest(id)));
    }
    Ok((rows, ids))
}

async fn latest_failure(store: &SnapshotStore, folder: &Path) -> Result<Option<(Path, FailedAttempt)>> {
    let files: Vec<_> = store.object_store().list(Some(folder)).try_collect().await?;
    let latest = files
        .into_iter()
        .filter(|file| FailedAttempt::is_name(&file.location))
        .max_by_key(|file| (file.last_modified, file.location.clone()));
    let Some(latest) = latest else { return Ok(None) };
    let json = store.read(&latest.location).await?.unwrap_or_default();
    Ok(serde_json::from_slice(&json).ok().map(|attempt| (latest.location, attempt)))
}
