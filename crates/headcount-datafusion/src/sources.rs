//! The table `sources`: how each listing ended.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
};

use datafusion::{
    arrow::{
        array::{ArrayRef, BooleanArray, ListBuilder, RecordBatch, StringArray, StringBuilder, UInt64Array},
        datatypes::{DataType, Field, Schema, SchemaRef},
    },
    catalog::streaming::StreamingTable,
    error::Result,
    execution::TaskContext,
    physical_plan::{
        SendableRecordBatchStream, stream::RecordBatchStreamAdapter, streaming::PartitionStream,
    },
};
use futures::stream;
use headcount::{Completeness, IncompleteReason, ListingReport, Source};

use crate::{
    schema::{timestamp_type, timestamps},
    tenants::SharedTenants,
};

/// The schema of the table `sources`.
///
/// | column | type | |
/// |---|---|---|
/// | `tenant`, `source`, `provider` | text | the [`Source`] |
/// | `complete` | boolean | whether every account was listed; null if the source was not listed |
/// | `state` | text | `not_listed`, `in_progress` (or stopped before its end), `complete`, `uncertain`, `failed` |
/// | `reasons` | list of text | why the listing is uncertain or failed |
/// | `endpoint`, `filter` | text | as sent |
/// | `started_at`, `ended_at` | timestamp | |
/// | `pages`, `items`, `rejected`, `duplicates` | integer | as in [`Summary`](headcount::Summary) |
/// | `total` | integer | the provider's count, if it reports one |
pub fn sources_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let text = |name| Field::new(name, DataType::Utf8, true);
        let count = |name| Field::new(name, DataType::UInt64, true);
        Arc::new(Schema::new(vec![
            Field::new("tenant", DataType::Utf8, false),
            Field::new("source", DataType::Utf8, false),
            Field::new("provider", DataType::Utf8, false),
            Field::new("complete", DataType::Boolean, true),
            Field::new("state", DataType::Utf8, false),
            Field::new("reasons", DataType::new_list(DataType::Utf8, true), false),
            text("endpoint"),
            text("filter"),
            Field::new("started_at", timestamp_type(), true),
            Field::new("ended_at", timestamp_type(), true),
            count("pages"),
            count("items"),
            count("rejected"),
            count("duplicates"),
            count("total"),
        ]))
    });
    SCHEMA.clone()
}

/// Returns how far a listing is from being complete.
fn shortfall(report: &ListingReport) -> u8 {
    match (&report.error, &report.summary.completeness) {
        (None, Completeness::Complete) => 0,
        (None, Completeness::InProgress) => 1,
        (None, _) => 2,
        (Some(_), _) => 3,
    }
}

/// Returns the state of a listing, and the reasons for it.
fn state(report: &ListingReport) -> (&'static str, Vec<String>) {
    match (&report.error, &report.summary.completeness) {
        (Some(error), _) => ("failed", vec![error.clone()]),
        (None, Completeness::Complete) => ("complete", Vec::new()),
        (None, Completeness::Uncertain(reasons)) => {
            ("uncertain", reasons.iter().map(IncompleteReason::to_string).collect())
        }
        (None, _) => ("in_progress", Vec::new()),
    }
}

/// Converts reports to rows of the table `sources`. `None` is a source that was not listed.
pub(crate) fn sources_batch(reports: &[(Source, Option<ListingReport>)]) -> Result<RecordBatch> {
    let source = |text: fn(&Source) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(reports.iter().map(|(source, _)| text(source))))
    };
    let text = |text: fn(&ListingReport) -> Option<&str>| -> ArrayRef {
        Arc::new(reports.iter().map(|(_, report)| report.as_ref().and_then(text)).collect::<StringArray>())
    };
    let count = |count: fn(&ListingReport) -> Option<u64>| -> ArrayRef {
        Arc::new(reports.iter().map(|(_, report)| report.as_ref().and_then(count)).collect::<UInt64Array>())
    };
    let states: Vec<_> =
        reports.iter().map(|(_, report)| report.as_ref().map_or(("not_listed", Vec::new()), state)).collect();
    let mut reasons = ListBuilder::new(StringBuilder::new());
    for (_, texts) in &states {
        for text in texts {
            reasons.values().append_value(text);
        }
        reasons.append(true);
    }
    let complete = reports.iter().map(|(_, report)| report.as_ref().map(ListingReport::is_complete));
    let columns: Vec<ArrayRef> = vec![
        source(|source| source.tenant()),
        source(|source| source.name()),
        source(|source| source.provider().as_str()),
        Arc::new(complete.collect::<BooleanArray>()),
        Arc::new(StringArray::from_iter_values(states.iter().map(|(state, _)| state))),
        Arc::new(reasons.finish()),
        text(|report| report.endpoint.as_deref()),
        text(|report| report.filter.as_deref()),
        timestamps(reports.iter().map(|(_, report)| report.as_ref().map(|report| report.started_at))),
        timestamps(reports.iter().map(|(_, report)| report.as_ref().and_then(|report| report.ended_at))),
        count(|report| Some(report.summary.pages)),
        count(|report| Some(report.summary.items)),
        count(|report| Some(report.summary.rejected)),
        count(|report| Some(report.summary.duplicates)),
        count(|report| report.summary.total),
    ];
    Ok(RecordBatch::try_new(sources_schema(), columns)?)
}

/// The latest report of each source of a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reports(Arc<Mutex<BTreeMap<Source, ListingReport>>>);

impl Reports {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Source, ListingReport>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a report. Of two listings of a source at the same time, as in a self-join, the worse one is kept.
    pub(crate) fn record(&self, report: ListingReport) {
        let mut reports = self.lock();
        let worse = reports.get(&report.source).is_some_and(|other| {
            let at_the_same_time = other.ended_at.is_some_and(|ended| ended > report.started_at);
            at_the_same_time && shortfall(other) > shortfall(&report).max(1)
        });
        if !worse {
            reports.insert(report.source.clone(), report);
        }
    }

    pub(crate) fn get(&self, source: &Source) -> Option<ListingReport> {
        self.lock().get(source).cloned()
    }
}

/// The rows of the table `sources`, as they are when it is read.
#[derive(Debug)]
struct SourcesPartition {
    schema: SchemaRef,
    tenants: SharedTenants,
    reports: Reports,
}

impl PartitionStream for SourcesPartition {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (tenants, reports) = (self.tenants.clone(), self.reports.clone());
        let rows = stream::once(async move {
            let row = |source: Source| (source.clone(), reports.get(&source));
            sources_batch(&tenants.sources().into_iter().map(row).collect::<Vec<_>>())
        });
        Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), rows))
    }
}

/// Returns the table `sources` of `tenants` with their latest reports.
pub(crate) fn sources_table(tenants: SharedTenants, reports: Reports) -> Result<StreamingTable> {
    let schema = sources_schema();
    StreamingTable::try_new(schema.clone(), vec![Arc::new(SourcesPartition { schema, tenants, reports })])
}

#[cfg(test)]
mod tests {
    use headcount::{Provider, chrono::TimeDelta};

    use super::*;

    #[test]
    fn of_two_listings_at_the_same_time_the_worse_is_reported() {
        let source = Source::new("acme", "hr", Provider::SailPoint).unwrap();
        let mut failed = ListingReport::start(source.clone());
        failed.error = Some("timeout".into());
        failed.ended_at = Some(failed.started_at + TimeDelta::seconds(2));
        let report = |seconds| {
            let mut report = failed.clone();
            report.error = None;
            report.started_at += TimeDelta::seconds(seconds);
            report.ended_at = Some(report.started_at + TimeDelta::seconds(5));
            report.summary.completeness = Completeness::Complete;
            report
        };
        let reports = Reports::default();
        for (next, expected) in [
            (failed.clone(), failed.clone()),
            (report(1), failed.clone()),
            (report(3), report(3)),
            (failed.clone(), failed.clone()),
        ] {
            reports.record(next);
            assert_eq!(reports.get(&source), Some(expected));
        }
    }
}
