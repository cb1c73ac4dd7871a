//! The table `accounts`: live listings of many sources.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use datafusion::{
    arrow::{
        array::{Array, RecordBatch, StringArray},
        datatypes::SchemaRef,
    },
    catalog::{Session, TableProvider},
    common::{DFSchema, cast::as_boolean_array, project_schema},
    error::Result,
    execution::TaskContext,
    logical_expr::{Expr, TableProviderFilterPushDown, TableType},
    physical_plan::{
        ExecutionPlan, SendableRecordBatchStream,
        empty::EmptyExec,
        stream::RecordBatchStreamAdapter,
        streaming::{PartitionStream, StreamingTableExec},
    },
    prelude::SessionContext,
};
use futures::stream;
use headcount::Source;
use tokio::sync::Semaphore;

use crate::{
    HeadcountConfig, ListRequest, Require, Tenants,
    listing::{SourceListing, source_error},
    request::conditions,
    schema::accounts_schema,
    sources::{Reports, sources_table},
    tenants::SharedTenants,
};

/// How many pages are fetched at a time, of all sources and queries of a table.
const MAX_CONCURRENT_PAGES: usize = 64;

/// The columns that are known before a source is listed.
const SOURCE_COLUMNS: [&str; 3] = ["tenant", "source", "provider"];

/// A table of the accounts of all sources, which are listed when it is read.
///
/// Its columns are those of [`accounts_schema`]. Register it together with the table `sources` by
/// [`register`](Self::register).
///
/// - Each source is a partition of the plan. Each page becomes a batch as soon as it is fetched. Planning and `EXPLAIN`
///   send nothing. A `LIMIT` stops fetching.
/// - A query lists all its sources concurrently, 64 pages at a time. A `LIMIT` over several sources may begin to list each
///   of them.
/// - A listing that is not complete fails the query, after its rows. [`Require`] weakens that. Rows that a `LIMIT` cuts
///   off are not listed, and do not fail the query.
/// - Conditions on `tenant`, `source` and `provider` select the sources that are listed. A condition that a provider can
///   use as well is sent to it, if that returns at least the matching accounts. All conditions are evaluated on the
///   rows, too.
/// - Only what a query uses is requested: contact details at Huawei for `email`, full records at SailPoint for `kind`,
///   `owner_id`, `owner_name` and `record`.
/// - A query that contains the table twice lists each source twice, at different times. Collect a
///   [`Snapshot`](crate::Snapshot) for joins of accounts with each other.
#[derive(Clone, Debug)]
pub struct AccountsTable {
    tenants: SharedTenants,
    reports: Reports,
    /// A permit for each page that is fetched at a time.
    permits: Arc<Semaphore>,
}

impl AccountsTable {
    /// Creates a table of the accounts of all sources of `tenants`.
    pub fn new(tenants: Arc<dyn Tenants>) -> Self {
        let permits = Arc::new(Semaphore::new(MAX_CONCURRENT_PAGES));
        Self { tenants: SharedTenants(tenants), reports: Reports::default(), permits }
    }

    /// Registers this table as `accounts`, and the table `sources` with the latest report of each source.
    ///
    /// The columns of `sources` are those of [`sources_schema`](crate::sources_schema). Query it after `accounts`.
    ///
    /// # Errors
    /// Fails if the session has a table of one of these names.
    pub fn register(self, ctx: &SessionContext) -> Result<()> {
        ctx.register_table("sources", Arc::new(sources_table(self.tenants.clone(), self.reports.clone())?))?;
        ctx.register_table("accounts", Arc::new(self))?;
        Ok(())
    }

    /// Returns the sources for which `filters` on [`SOURCE_COLUMNS`] may hold.
    fn select(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<Source>> {
        let mut sources = self.tenants.sources();
        let schema = Arc::new(accounts_schema().project(&[0, 1, 2])?);
        let df_schema = DFSchema::try_from(schema.clone())?;
        for filter in filters.iter().filter(|filter| selects_sources(filter)) {
            let filter = state.create_physical_expr(filter.clone(), &df_schema)?;
            let text = |text: fn(&Source) -> &str| -> Arc<dyn Array> {
                Arc::new(StringArray::from_iter_values(sources.iter().map(text)))
            };
            let columns = vec![
                text(|source| source.tenant()),
                text(|source| source.name()),
                text(|source| source.provider().as_str()),
            ];
            let rows = RecordBatch::try_new(schema.clone(), columns)?;
            let selected = filter.evaluate(&rows)?.into_array(rows.num_rows())?;
            let mut selected = as_boolean_array(&selected)?.iter();
            sources.retain(|_| selected.next().flatten() == Some(true));
        }
        Ok(sources)
    }
}

/// Returns `true` if a filter depends only on the source.
fn selects_sources(filter: &Expr) -> bool {
    let columns = filter.column_refs();
    !columns.is_empty()
        && columns.iter().all(|column| SOURCE_COLUMNS.contains(&column.name()))
        && !filter.is_volatile()
}

#[async_trait]
impl TableProvider for AccountsTable {
    fn schema(&self) -> SchemaRef {
        accounts_schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        // Never `Exact`: what a provider returns is a superset.
        let support = |filter: &&Expr| {
            if selects_sources(filter) || !conditions(filter).is_empty() {
                TableProviderFilterPushDown::Inexact
            } else {
                TableProviderFilterPushDown::Unsupported
            }
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = project_schema(&accounts_schema(), projection)?;
        let columns: BTreeSet<_> = schema.fields().iter().map(|field| field.name().clone()).collect();
        let conditions = filters.iter().filter(|filter| !selects_sources(filter)).flat_map(conditions);
        let request = ListRequest::new(columns, conditions);
        let partition = |source| -> Arc<dyn PartitionStream> {
            Arc::new(SourcePartition {
                source,
                tenants: self.tenants.clone(),
                reports: self.reports.clone(),
                permits: self.permits.clone(),
                request: request.clone(),
                schema: schema.clone(),
            })
        };
        let partitions: Vec<_> = self.select(state, filters)?.into_iter().map(partition).collect();
        if partitions.is_empty() {
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        Ok(Arc::new(StreamingTableExec::try_new(schema, partitions, None, [], false, limit)?))
    }
}

/// The listing of one source, which starts when the partition is read.
#[derive(Debug)]
struct SourcePartition {
    source: Source,
    tenants: SharedTenants,
    reports: Reports,
    permits: Arc<Semaphore>,
    request: ListRequest,
    schema: SchemaRef,
}

impl PartitionStream for SourcePartition {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, ctx: Arc<TaskContext>) -> SendableRecordBatchStream {
        let config = ctx.session_config().options().extensions.get::<HeadcountConfig>();
        let require = config.map(|config| config.require).unwrap_or_default();
        let (tenants, source, request) = (self.tenants.clone(), self.source.clone(), self.request.clone());
        let (schema, reports, permits) = (self.schema.clone(), self.reports.clone(), self.permits.clone());
        // Opened when it is polled: a partition that is never read leaves no report.
        let open =
            move || Running { listing: SourceListing::open(&tenants, source, &request, schema), reports };
        let batches = stream::try_unfold(State::Before(open), move |state| {
            let permits = permits.clone();
            async move {
                let mut running = match state {
                    State::Before(open) => Box::new(open()),
                    State::Running(running) => running,
                };
                let page = {
                    // Not held while the page is used, so that two listings of one query cannot wait for each other.
                    let _permit = permits.acquire().await;
                    running.listing.next().await
                };
                match page {
                    Some(accounts) => Ok(Some((running.listing.batch(&accounts)?, State::Running(running)))),
                    None => running.end(require).map(|()| None),
                }
            }
        });
        Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), batches))
    }
}

/// The state of a partition.
enum State<F> {
    Before(F),
    Running(Box<Running>),
}

/// A listing whose report is recorded when it ends, and when it is dropped before.
struct Running {
    listing: SourceListing,
    reports: Reports,
}

impl Running {
    fn end(self, require: Require) -> Result<()> {
        let error = match require {
            Require::Complete => self.listing.incomplete(),
            Require::End => self.listing.failed().cloned(),
            Require::Any => None,
        };
        error.map_or(Ok(()), |error| Err(source_error(&self.listing.report().source, error)))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.reports.record(self.listing.report().clone());
    }
}
