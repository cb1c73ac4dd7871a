//! The plan that collects sources.

use std::{fmt, io, sync::Arc};

use datafusion::{
    arrow::{
        array::{RecordBatch, StringArray},
        datatypes::{DataType, Field, Schema},
    },
    catalog::memory::MemorySourceConfig,
    common::{cast::as_string_array, tree_node::TreeNodeRecursion},
    datasource::source::DataSourceExec,
    error::{DataFusionError, Result},
    execution::TaskContext,
    physical_expr::{EquivalenceProperties, PhysicalExpr},
    physical_plan::{
        ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
        ReplaceChildrenOptions, SendableRecordBatchStream,
        execution_plan::{Boundedness, EmissionType},
        stream::RecordBatchStreamAdapter,
    },
};
use futures::TryStreamExt;
use headcount::Source;
use serde::{Deserialize, Serialize};

use crate::{
    SnapshotStore,
    snapshot::{Attempt, Collector, FORMAT, Run, check_format},
    tenants::SharedTenants,
};

/// What executors are asked to do: names only. The sources are the rows of the input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CollectJob {
    format: u32,
    run: Run,
    store: String,
    attempts: usize,
}

impl CollectJob {
    pub(super) fn new(run: Run, store: String, attempts: usize) -> Self {
        Self { format: FORMAT, run, store, attempts }
    }

    pub(super) fn from_json(json: &[u8]) -> Result<Self> {
        check_format("the plan", json)?;
        let job: Self = serde_json::from_slice(json)
            .map_err(|error| DataFusionError::Plan(format!("the plan is malformed: {error}")))?;
        job.run.check()?;
        Ok(job)
    }
}

/// Returns the input of a [`CollectExec`]: a partition with one row for each source.
///
/// Ballista gives a task its partitions by rewriting the leaves of the plan that it knows. It would give all partitions
/// of another leaf to every task. So the sources are rows of a leaf of DataFusion.
pub(super) fn sources_input(sources: &[Source]) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = Arc::new(Schema::new(vec![Field::new("source", DataType::Utf8, false)]));
    let partition = |source| {
        let json =
            serde_json::to_string(source).map_err(|error| DataFusionError::External(Box::new(error)))?;
        let column = Arc::new(StringArray::from_iter_values([json]));
        Ok(vec![RecordBatch::try_new(schema.clone(), vec![column])?])
    };
    let partitions = sources.iter().map(partition).collect::<Result<Vec<_>>>()?;
    Ok(DataSourceExec::from_data_source(MemorySourceConfig::try_new(&partitions, schema, None)?))
}

/// Collects the sources that are the rows of its input, and returns these rows.
///
/// What became of them is in the store.
#[derive(Debug)]
pub(super) struct CollectExec {
    job: Arc<CollectJob>,
    /// `None` where plans are only made and passed on.
    tenants: Option<SharedTenants>,
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl CollectExec {
    pub(super) fn new(
        job: Arc<CollectJob>,
        tenants: Option<SharedTenants>,
        input: Arc<dyn ExecutionPlan>,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
            Partitioning::UnknownPartitioning(input.properties().partitioning.partition_count()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { job, tenants, input, properties: Arc::new(properties) }
    }

    pub(super) fn job(&self) -> &CollectJob {
        &self.job
    }
}

impl DisplayAs for CollectExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CollectExec: run={}, store={}", self.job.run.name, self.job.store)
    }
}

impl ExecutionPlan for CollectExec {
    fn name(&self) -> &'static str {
        "CollectExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let [input] = <[_; 1]>::try_from(children).map_err(|children| {
            DataFusionError::Internal(format!("expected 1 input, got {}", children.len()))
        })?;
        Ok(Arc::new(Self::new(self.job.clone(), self.tenants.clone(), input)))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, ctx: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let tenants = self.tenants.clone().ok_or_else(|| {
            let message = "this process has no tenants; expected an executor with a tenants file";
            DataFusionError::Configuration(message.into())
        })?;
        let collector = Arc::new(Collector {
            tenants,
            store: SnapshotStore::open(&ctx.runtime_env(), &self.job.store)?,
            run: self.job.run.clone(),
            attempts: self.job.attempts,
        });
        let rows = self.input.execute(partition, ctx)?.and_then(move |sources| {
            let collector = collector.clone();
            async move { collect(&collector, sources).await }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }
}

async fn collect(collector: &Collector, sources: RecordBatch) -> Result<RecordBatch> {
    for json in as_string_array(sources.column(0))?.iter().flatten() {
        let source: Source = serde_json::from_str(json)
            .map_err(|error| DataFusionError::Plan(format!("the plan is malformed: {error}")))?;
        if let Attempt::Again(report) = collector.attempt(&source).await {
            // The error that Ballista retries.
            return Err(DataFusionError::IoError(io::Error::other(report.to_string())));
        }
    }
    Ok(sources)
}
