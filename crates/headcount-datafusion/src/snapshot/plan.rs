//! What a snapshot is to contain.

use std::{collections::BTreeSet, sync::Arc};

use datafusion::{
    arrow::datatypes::SchemaRef,
    error::{DataFusionError, Result},
};
use headcount::{Provider, Source};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{ListRequest, schema::accounts_schema};

/// The version of the files of a snapshot, and of plans that are sent to executors.
pub(crate) const FORMAT: u32 = 1;

/// Columns that every snapshot has.
const KEY_COLUMNS: [&str; 4] = ["tenant", "source", "provider", "id"];

/// The sources and columns of a snapshot. It is stored before the first source is listed, and does not change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SnapshotPlan {
    format: u32,
    /// The name of the run.
    pub run: String,
    /// The sources, in alphabetical order.
    pub sources: Vec<Source>,
    /// The columns, in the order of [`accounts_schema`].
    pub columns: Vec<String>,
}

impl SnapshotPlan {
    /// Plans a snapshot of all columns.
    ///
    /// # Errors
    /// Fails if `run` is no name as described at [`Source`], if there are no sources, or if a source is listed twice.
    pub fn new(run: impl Into<String>, sources: impl IntoIterator<Item = Source>) -> Result<Self> {
        let columns = accounts_schema().fields().iter().map(|field| field.name().clone()).collect();
        let mut sources: Vec<_> = sources.into_iter().collect();
        sources.sort();
        let plan = Self { format: FORMAT, run: run.into(), sources, columns };
        plan.check()?;
        Ok(plan)
    }

    /// Keeps only these columns, and `tenant`, `source`, `provider` and `id`.
    ///
    /// # Errors
    /// Fails if there is no such column.
    pub fn with_columns<C: AsRef<str>>(mut self, columns: impl IntoIterator<Item = C>) -> Result<Self> {
        let mut keep: BTreeSet<String> = KEY_COLUMNS.iter().map(ToString::to_string).collect();
        for column in columns {
            let column = column.as_ref();
            if !self.columns.iter().any(|known| known == column) {
                let known = self.columns.join(", ");
                let column = column.escape_debug();
                return Err(DataFusionError::Plan(format!(
                    "accounts have no column {column}; expected one of {known}"
                )));
            }
            keep.insert(column.to_owned());
        }
        self.columns.retain(|column| keep.contains(column));
        Ok(self)
    }

    fn check(&self) -> Result<()> {
        check_run(&self.run)?;
        if self.sources.is_empty() {
            return Err(DataFusionError::Plan("there are no sources to collect".into()));
        }
        // Some file systems ignore case.
        let names: Vec<_> =
            self.sources.iter().map(|source| source.to_string().to_ascii_lowercase()).collect();
        let mut seen = BTreeSet::new();
        if let Some(twice) = names.iter().find(|name| !seen.insert(*name)) {
            return Err(DataFusionError::Plan(format!(
                "source {twice} is listed twice; expected each source once"
            )));
        }
        if self.columns.iter().any(|column| accounts_schema().column_with_name(column).is_none())
            || KEY_COLUMNS.iter().any(|key| !self.columns.iter().any(|column| column == key))
        {
            return Err(DataFusionError::Plan("the columns of the plan are not those of accounts".into()));
        }
        Ok(())
    }

    /// Returns the schema of the Parquet files.
    pub(crate) fn schema(&self) -> SchemaRef {
        let accounts = accounts_schema();
        let fields = accounts.fields().iter().filter(|field| self.columns.contains(field.name()));
        Arc::new(datafusion::arrow::datatypes::Schema::new(fields.cloned().collect::<Vec<_>>()))
    }

    /// Returns what is asked of the listings.
    pub(crate) fn request(&self) -> ListRequest {
        ListRequest { columns: Some(self.columns.iter().cloned().collect()), ..ListRequest::default() }
    }

    pub(crate) fn to_json(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|error| DataFusionError::External(Box::new(error)))
    }

    /// Reads a plan. `what` names it in errors.
    pub(crate) fn from_json(what: &str, json: &[u8]) -> Result<Self> {
        check_format(what, json)?;
        let plan: Self = serde_json::from_slice(json)
            .map_err(|error| DataFusionError::Plan(format!("{what} is malformed: {error}")))?;
        plan.check()?;
        Ok(plan)
    }

    /// Returns the digest that binds manifests to this plan.
    pub(crate) fn digest(&self) -> Result<String> {
        Ok(sha256(&self.to_json()?))
    }
}

/// Checks that `json` is a document of this version.
pub(crate) fn check_format(what: &str, json: &[u8]) -> Result<()> {
    #[derive(Deserialize)]
    struct Format {
        format: u64,
    }
    let Format { format } = serde_json::from_slice(json)
        .map_err(|error| DataFusionError::Plan(format!("{what} is malformed: {error}")))?;
    if format != u64::from(FORMAT) {
        return Err(DataFusionError::Plan(format!(
            "{what} has format {format}; this version of headcount-datafusion reads format {FORMAT}"
        )));
    }
    Ok(())
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn check_run(run: &str) -> Result<()> {
    // The name of a run becomes a part of a path, as the name of a source does.
    Source::new("run", run, Provider::Fortanix)
        .map(drop)
        .map_err(|error| DataFusionError::Plan(error.message().replacen("source name", "run name", 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(tenant: &str, name: &str) -> Source {
        Source::new(tenant, name, Provider::Huawei).unwrap()
    }

    #[test]
    fn bad_plans_are_refused() {
        let run = |run: &str, sources: Vec<Source>| {
            SnapshotPlan::new(run, sources).map(|plan| plan.digest().unwrap())
        };
        let sources = || vec![source("b", "x"), source("a", "x")];
        assert_eq!(run("r", sources()).unwrap(), run("r", sources().into_iter().rev().collect()).unwrap());
        for (error, expected) in [
            (run("../r", sources()), "run name \"../r\": expected 1 to 100"),
            (run("r", Vec::new()), "there are no sources"),
            (run("r", vec![source("a", "x"), source("A", "x")]), "source a/x is listed twice"),
        ] {
            let error = error.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let plan = SnapshotPlan::new("r", sources()).unwrap();
        assert_eq!(
            plan.clone().with_columns(["status"]).unwrap().columns,
            ["tenant", "source", "provider", "id", "status"]
        );
        let error = plan.with_columns(["shoe_size"]).unwrap_err().to_string();
        assert!(error.contains("no column shoe_size; expected one of tenant, source"), "{error}");
    }

    #[test]
    fn a_plan_of_another_version_is_refused() {
        let plan = SnapshotPlan::new("r", [source("a", "x")]).unwrap();
        let json = plan.to_json().unwrap();
        assert_eq!(SnapshotPlan::from_json("plan.json", &json).unwrap(), plan);
        let newer = String::from_utf8(json).unwrap().replace("\"format\":1", "\"format\":2");
        let error = SnapshotPlan::from_json("plan.json", newer.as_bytes()).unwrap_err().to_string();
        assert!(
            error.contains("plan.json has format 2; this version of headcount-datafusion reads format 1"),
            "{error}"
        );
    }
}
