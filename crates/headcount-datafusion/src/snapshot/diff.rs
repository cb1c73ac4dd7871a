//! What changed between two snapshots.

use std::collections::BTreeSet;

use datafusion::{
    error::{DataFusionError, Result},
    prelude::DataFrame,
};
use headcount::Source;

use super::Snapshot;
use crate::Require;

/// Columns that are not compared: the key, the record, and what changes without a change to the account.
const NOT_COMPARED: [&str; 6] = ["tenant", "source", "provider", "id", "record", "modified_at"];

/// The difference between two snapshots.
#[derive(Debug)]
#[non_exhaustive]
pub struct SnapshotDiff {
    /// A row for each account that differs, of the sources that both snapshots have.
    ///
    /// Its columns are `change` (`joined`, `left` or `changed`), `tenant`, `source`, `provider`, `id`, `name` (if both
    /// have it), and `fields`: the columns that changed, separated by commas. `modified_at` and `record` are not
    /// compared.
    pub changes: DataFrame,
    /// The sources that only the earlier snapshot has.
    pub only_earlier: Vec<Source>,
    /// The sources that only the later snapshot has.
    pub only_later: Vec<Source>,
}

impl SnapshotDiff {
    /// Compares two snapshots of one object store.
    ///
    /// # Errors
    /// Fails if one of them is less than `require` demands: in an incomplete snapshot, an account that is missing looks
    /// as if it had left.
    pub async fn new(earlier: &Snapshot, later: &Snapshot, require: Require) -> Result<Self> {
        if !earlier.store().shares_store_with(later.store()) {
            return Err(DataFusionError::Plan(
                "the snapshots are in different object stores; expected two of one runtime and store".into(),
            ));
        }
        let ctx = later.store().session();
        ctx.register_table("earlier", earlier.accounts(require)?)?;
        ctx.register_table("later", later.accounts(require)?)?;
        let sources =
            |snapshot: &Snapshot| snapshot.plan().sources().iter().cloned().collect::<BTreeSet<_>>();
        let (before, after) = (sources(earlier), sources(later));
        let common: Vec<_> = before.intersection(&after).collect();
        let has = |snapshot: &Snapshot, column: &String| snapshot.plan().columns().contains(column);
        let columns: Vec<_> = earlier.plan().columns().iter().filter(|column| has(later, column)).collect();
        let fields: Vec<_> = columns
            .iter()
            .filter(|column| !NOT_COMPARED.contains(&column.as_str()))
            .map(|column| format!("case when a.{column} is distinct from b.{column} then '{column}' end"))
            .collect();
        let name = if columns.iter().any(|column| *column == "name") {
            "coalesce(b.name, a.name) as name,"
        } else {
            ""
        };
        // The names of sources are safe in SQL: see `Source`. The names of columns are those of `accounts_schema`.
        let in_both = |side: &str| {
            let pairs: Vec<_> =
                common.iter().map(|source| format!("'{}/{}'", source.tenant(), source.name())).collect();
            if pairs.is_empty() {
                return "false".to_owned();
            }
            format!("{side}.tenant || '/' || {side}.source in ({})", pairs.join(", "))
        };
        let sql = format!(
            "select * from (
               select case when a.id is null then 'joined' when b.id is null then 'left' else 'changed' end as change,
                 coalesce(b.tenant, a.tenant) as tenant, coalesce(b.source, a.source) as source,
                 coalesce(b.provider, a.provider) as provider, coalesce(b.id, a.id) as id, {name}
                 case when a.id is null or b.id is null then '' else concat_ws(',', {}) end as fields
               from (select * from earlier as a where {}) as a
               full outer join (select * from later as b where {}) as b
                 on a.tenant = b.tenant and a.source = b.source and a.id = b.id
             ) where change <> 'changed' or fields <> ''
             order by tenant, source, change, id",
            if fields.is_empty() { "''".to_owned() } else { fields.join(", ") },
            in_both("a"),
            in_both("b"),
        );
        let changes =
            ctx.sql(&sql).await.map_err(|error| DataFusionError::Plan(format!("cannot compare: {error}")))?;
        Ok(Self {
            changes,
            only_earlier: before.difference(&after).cloned().collect(),
            only_later: after.difference(&before).cloned().collect(),
        })
    }
}
