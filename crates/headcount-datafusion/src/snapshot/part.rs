//! Parquet files.

use datafusion::{
    arrow::{array::RecordBatch, datatypes::SchemaRef},
    error::{DataFusionError, Result},
    object_store::{buffered::BufWriter, path::Path},
    parquet::{
        arrow::AsyncArrowWriter,
        basic::{Compression, ZstdLevel},
        file::properties::WriterProperties,
    },
};
use headcount::Account;
use uuid::Uuid;

use super::{
    SnapshotStore,
    manifest::{IdsDigest, Part},
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
}

impl PartWriter {
    pub(crate) fn create(store: &SnapshotStore, folder: &Path, schema: SchemaRef) -> Result<Self> {
        let file = format!("{}.parquet", Uuid::new_v4());
        let path = folder.clone().join(file.as_str());
        let target = BufWriter::with_capacity(store.object_store().clone(), path.clone(), BUFFER);
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by(concat!("headcount-datafusion ", env!("CARGO_PKG_VERSION")).into())
            .build();
        let writer = AsyncArrowWriter::try_new(target, schema, Some(properties))?;
        Ok(Self { store: store.clone(), path, file, writer, rows: 0, ids: IdsDigest::default() })
    }

    pub(crate) async fn write(&mut self, accounts: &[Account], batch: &RecordBatch) -> Result<()> {
        accounts.iter().for_each(|account| self.ids.add(&account.id));
        self.rows += accounts.len() as u64;
        self.writer.write(batch).await?;
        if self.writer.in_progress_size() >= ROW_GROUP {
            self.writer.flush().await?;
        }
        Ok(())
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
