//! Parquet files.

use std::{collections::HashSet, sync::Arc};

use async_trait::async_trait;
use datafusion::{
    arrow::{array::RecordBatch, datatypes::SchemaRef},
    catalog::{Session, TableProvider},
    common::project_schema,
    datasource::{
        listing::PartitionedFile,
        physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource},
        source::DataSourceExec,
    },
    error::{DataFusionError, Result},
    execution::object_store::ObjectStoreUrl,
    logical_expr::{Expr, TableType},
    object_store::{ObjectMeta, buffered::BufWriter, path::Path},
    parquet::{
        arrow::AsyncArrowWriter,
        basic::{Compression, ZstdLevel},
        file::properties::WriterProperties,
    },
    physical_plan::{ExecutionPlan, empty::EmptyExec},
};
use headcount::{
    Account,
    chrono::{DateTime, Utc},
};
use uuid::Uuid;

use super::{
    SnapshotStore,
    manifest::{IdsDigest, Part, id_digest},
};

/// Files up to this size are buffered. Larger ones are uploaded in parts of this size, which is the minimum of S3.
const BUFFER: usize = 5 << 20;

/// A row group ends when it has buffered this many bytes.
const ROW_GROUP: usize = 1 << 20;

/// Writes the Parquet file of one attempt. Dropping it leaves no file that a manifest names.
pub(crate) struct PartWriter {
    store: SnapshotStore,
    path: Path,
    file: String,
    writer: AsyncArrowWriter<BufWriter>,
    rows: u64,
    ids: IdsDigest,
    /// The digests of the ids, to leave out repeats.
    seen: HashSet<u128>,
}

impl PartWriter {
    pub(crate) fn create(store: &SnapshotStore, folder: &Path, schema: SchemaRef) -> Result<Self> {
        let file = format!("{}.parquet", Uuid::new_v4());
        let path = folder.clone().join(file.as_str());
        let target = BufWriter::with_capacity(store.object_store().clone(), path.clone(), BUFFER)
            .with_max_concurrency(1);
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by(concat!("headcount-datafusion ", env!("CARGO_PKG_VERSION")).into())
            .build();
        let writer = AsyncArrowWriter::try_new(target, schema, Some(properties))?;
        Ok(Self {
            store: store.clone(),
            path,
            file,
            writer,
            rows: 0,
            ids: IdsDigest::default(),
            seen: HashSet::new(),
        })
    }

    /// Returns `true` if the account was not written yet.
    ///
    /// A listing whose cursors are opaque repeats an account that moved to a later page.
    pub(crate) fn is_new(&mut self, account: &Account) -> bool {
        let digest = id_digest(&account.id);
        let is_new = self.seen.insert(digest);
        if is_new {
            self.ids.add(digest);
        }
        is_new
    }

    /// Writes accounts that [are new](Self::is_new).
    pub(crate) async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        self.writer.write(batch).await?;
        if self.writer.in_progress_size() >= ROW_GROUP {
            self.writer.flush().await?;
        }
        Ok(())
    }

    /// Returns the number of accounts that were written.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Completes the file.
    pub(crate) async fn finish(mut self) -> Result<(Path, Part)> {
        self.writer.finish().await?;
        let size = self.store.size(&self.path).await?;
        let missing = || DataFusionError::Execution(format!("{} is missing after it was written", self.path));
        let part = Part { file: self.file, rows: self.rows, bytes: size.ok_or_else(missing)?, ids: self.ids };
        Ok((self.path, part))
    }
}

/// Returns a file as its manifest describes it.
pub(crate) fn part_file(path: &Path, part: &Part) -> PartitionedFile {
    PartitionedFile::new_from_meta(ObjectMeta {
        location: path.clone(),
        last_modified: DateTime::<Utc>::UNIX_EPOCH,
        size: part.bytes,
        e_tag: None,
        version: None,
    })
}

/// A table of exactly these files.
///
/// `ListingTable` would take a file that is missing for a folder without files.
#[derive(Debug)]
pub(crate) struct PartsTable {
    store_url: ObjectStoreUrl,
    files: Vec<PartitionedFile>,
    schema: SchemaRef,
}

impl PartsTable {
    pub(crate) fn new(store: &SnapshotStore, files: Vec<PartitionedFile>, schema: SchemaRef) -> Self {
        Self { store_url: store.store_url().clone(), files, schema }
    }
}

#[async_trait]
impl TableProvider for PartsTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if self.files.is_empty() {
            return Ok(Arc::new(EmptyExec::new(project_schema(&self.schema, projection)?)));
        }
        let groups = state.config().target_partitions().clamp(1, self.files.len());
        let files_per_group = self.files.len().div_ceil(groups);
        let groups = self.files.chunks(files_per_group).map(|files| FileGroup::new(files.to_vec())).collect();
        let source = Arc::new(ParquetSource::new(self.schema.clone()));
        let scan = FileScanConfigBuilder::new(self.store_url.clone(), source)
            .with_file_groups(groups)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(scan))
    }
}
