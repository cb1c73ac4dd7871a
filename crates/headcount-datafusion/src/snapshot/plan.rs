//! What a snapshot is to contain.

use std::{collections::BTreeSet, sync::Arc};

use datafusion::{
    arrow::datatypes::{Schema, SchemaRef},
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
pub struct SnapshotPlan {
    format: u32,
    run: String,
    sources: Vec<Source>,
    columns: Vec<String>,
}

impl SnapshotPlan {
    /// Plans a snapshot of all columns but `record`, which may contain passwords in the `attributes` of SailPoint.
    ///
    /// # Errors
    /// Fails if `run` is no name as described at [`Source`], if there are no sources, or if a source is listed twice.
    pub fn new(run: impl Into<String>, sources: impl IntoIterator<Item = Source>) -> Result<Self> {
        let columns = column_names().filter(|column| column != "record").collect();
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
        keep.extend(columns.into_iter().map(|column| column.as_ref().to_owned()));
        check_columns(&keep)?;
        self.columns = column_names().filter(|column| keep.contains(column)).collect();
        Ok(self)
    }

    /// Returns the name of the run.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Returns the sources, in alphabetical order.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Returns the columns, in the order of [`accounts_schema`].
    pub fn columns(&self) -> &[String] {
        &self.columns
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
        check_columns(&self.columns.iter().cloned().collect())
    }

    /// Returns the schema of the Parquet files.
    pub(crate) fn schema(&self) -> SchemaRef {
        schema_of(&self.columns)
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

/// What collecting a source of a run needs to know of its plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Run {
    pub(crate) name: String,
    columns: BTreeSet<String>,
    /// The digest of the plan.
    pub(crate) plan: String,
}

impl Run {
    pub(crate) fn of(plan: &SnapshotPlan) -> Result<Self> {
        let columns = plan.columns.iter().cloned().collect();
        Ok(Self { name: plan.run.clone(), columns, plan: plan.digest()? })
    }

    /// Checks a run from outside.
    #[cfg(feature = "ballista")]
    pub(crate) fn check(&self) -> Result<()> {
        check_run(&self.name)?;
        check_columns(&self.columns)
    }

    /// Returns the schema of the Parquet files.
    pub(crate) fn schema(&self) -> SchemaRef {
        schema_of(&self.columns)
    }

    /// Returns what is asked of the listings.
    pub(crate) fn request(&self) -> ListRequest {
        ListRequest::new(self.columns.clone(), [])
    }
}

fn column_names() -> impl Iterator<Item = String> {
    accounts_schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>().into_iter()
}

/// Returns the schema of some columns, in the order of [`accounts_schema`].
fn schema_of<'a>(columns: impl IntoIterator<Item = &'a String>) -> SchemaRef {
    let columns: BTreeSet<_> = columns.into_iter().collect();
    let accounts = accounts_schema();
    let fields = accounts.fields().iter().filter(|field| columns.contains(field.name()));
    Arc::new(Schema::new(fields.cloned().collect::<Vec<_>>()))
}

fn check_columns(columns: &BTreeSet<String>) -> Result<()> {
    if let Some(unknown) = columns.iter().find(|column| !column_names().any(|known| known == **column)) {
        let known = column_names().collect::<Vec<_>>().join(", ");
        let unknown = unknown.escape_debug();
        return Err(DataFusionError::Plan(format!(
            "accounts have no column {unknown}; expected one of {known}"
        )));
    }
    match KEY_COLUMNS.iter().find(|key| !columns.contains(**key)) {
        Some(missing) => Err(DataFusionError::Plan(format!("the plan has no column {missing}"))),
        None => Ok(()),
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
    hex::encode(Sha256::digest(bytes))
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
        assert!(!plan.columns().contains(&"record".to_owned()));
        assert!(plan.clone().with_columns(["record"]).unwrap().columns().contains(&"record".to_owned()));
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
