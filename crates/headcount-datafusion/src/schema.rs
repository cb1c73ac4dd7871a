//! The columns of an account in Arrow.

use std::sync::{Arc, LazyLock};

use datafusion::{
    arrow::{
        array::{
            ArrayRef, ListBuilder, MapBuilder, RecordBatch, RecordBatchOptions, StringArray, StringBuilder,
            TimestampMicrosecondArray,
        },
        datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit},
    },
    error::{DataFusionError, Result},
};
use headcount::{
    Account, Source,
    chrono::{DateTime, Utc},
};

/// The schema of the table `accounts`, and of the Parquet files of a snapshot.
///
/// | column | type | |
/// |---|---|---|
/// | `tenant`, `source`, `provider` | text | the [`Source`] |
/// | `kind`, `id`, `name`, `email`, `status`, `raw_status` | text | as in [`Account`] |
/// | `created_at`, `joined_at`, `modified_at` | timestamp, microseconds, UTC | as in [`Account`] |
/// | `parent_id`, `owner_id`, `owner_name` | text | as in [`Account`] |
/// | `roles` | list of text | |
/// | `alternate_ids` | map of text to text | |
/// | `record` | text | the provider's JSON; what its reference describes as a secret is redacted |
///
/// The `attributes` in a `record` of SailPoint are whatever a source delivers, which may be a password.
///
/// `tenant`, `source`, `provider`, `kind`, `id` and `status` are never null.
pub fn accounts_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> =
        LazyLock::new(|| Arc::new(Schema::new(COLUMNS.iter().map(Column::field).collect::<Vec<_>>())));
    SCHEMA.clone()
}

/// A column of `accounts`.
struct Column {
    name: &'static str,
    nullable: bool,
    values: Values,
}

/// How a column is read from accounts.
enum Values {
    /// Of the source: the same in all rows.
    Source(for<'a> fn(&'a Source) -> &'a str),
    Text(for<'a> fn(&'a Account) -> Option<&'a str>),
    Time(fn(&Account) -> Option<DateTime<Utc>>),
    Roles,
    AlternateIds,
    Record,
}

const COLUMNS: &[Column] = &[
    Column { name: "tenant", nullable: false, values: Values::Source(|source| source.tenant()) },
    Column { name: "source", nullable: false, values: Values::Source(|source| source.name()) },
    Column { name: "provider", nullable: false, values: Values::Source(|source| source.provider().as_str()) },
    Column { name: "kind", nullable: false, values: Values::Text(|account| Some(account.kind.as_str())) },
    Column { name: "id", nullable: false, values: Values::Text(|account| Some(&account.id)) },
    Column { name: "name", nullable: true, values: Values::Text(|account| account.name.as_deref()) },
    Column { name: "email", nullable: true, values: Values::Text(|account| account.email.as_deref()) },
    Column { name: "status", nullable: false, values: Values::Text(|account| Some(account.status.as_str())) },
    Column {
        name: "raw_status",
        nullable: true,
        values: Values::Text(|account| account.raw_status.as_deref()),
    },
    Column { name: "created_at", nullable: true, values: Values::Time(|account| account.created_at) },
    Column { name: "joined_at", nullable: true, values: Values::Time(|account| account.joined_at) },
    Column { name: "modified_at", nullable: true, values: Values::Time(|account| account.modified_at) },
    Column {
        name: "parent_id",
        nullable: true,
        values: Values::Text(|account| account.parent_id.as_deref()),
    },
    Column {
        name: "owner_id",
        nullable: true,
        values: Values::Text(|account| account.owner.as_ref()?.id.as_deref()),
    },
    Column {
        name: "owner_name",
        nullable: true,
        values: Values::Text(|account| account.owner.as_ref()?.name.as_deref()),
    },
    Column { name: "roles", nullable: false, values: Values::Roles },
    Column { name: "alternate_ids", nullable: false, values: Values::AlternateIds },
    Column { name: "record", nullable: true, values: Values::Record },
];

impl Column {
    fn data_type(&self) -> DataType {
        match self.values {
            Values::Source(_) | Values::Text(_) | Values::Record => DataType::Utf8,
            Values::Time(_) => timestamp_type(),
            Values::Roles => DataType::new_list(DataType::Utf8, true),
            Values::AlternateIds => {
                let entry = Fields::from(vec![
                    Field::new("keys", DataType::Utf8, false),
                    Field::new("values", DataType::Utf8, true),
                ]);
                DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entry), false)), false)
            }
        }
    }

    fn field(&self) -> Field {
        Field::new(self.name, self.data_type(), self.nullable)
    }

    fn array(&self, source: &Source, accounts: &[Account]) -> Result<ArrayRef> {
        Ok(match self.values {
            Values::Source(text) => Arc::new(StringArray::new_repeated(text(source), accounts.len())),
            Values::Text(text) => Arc::new(accounts.iter().map(text).collect::<StringArray>()),
            Values::Time(time) => timestamps(accounts.iter().map(time)),
            Values::Roles => {
                let mut lists = ListBuilder::new(StringBuilder::new());
                for account in accounts {
                    for role in &account.roles {
                        lists.values().append_value(role);
                    }
                    lists.append(true);
                }
                Arc::new(lists.finish())
            }
            Values::AlternateIds => {
                let mut maps = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
                for account in accounts {
                    for id in &account.alternate_ids {
                        maps.keys().append_value(&id.name);
                        maps.values().append_value(&id.value);
                    }
                    maps.append(true)?;
                }
                Arc::new(maps.finish())
            }
            Values::Record => {
                let json: Vec<_> = accounts.iter().map(|account| account.record().redacted_json()).collect();
                Arc::new(StringArray::from_iter_values(json))
            }
        })
    }
}

/// The type of all timestamps.
pub(crate) fn timestamp_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

pub(crate) fn timestamps(times: impl Iterator<Item = Option<DateTime<Utc>>>) -> ArrayRef {
    let micros = times.map(|time| time.map(|time| time.timestamp_micros()));
    Arc::new(micros.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}

/// Converts accounts of a source to the columns of `schema`, a projection of [`accounts_schema`].
///
/// # Errors
/// Fails if `schema` has a column that [`accounts_schema`] does not have.
pub fn accounts_batch(source: &Source, accounts: &[Account], schema: &SchemaRef) -> Result<RecordBatch> {
    let column = |field: &Arc<Field>| match COLUMNS.iter().find(|column| column.name == field.name()) {
        Some(column) => column.array(source, accounts),
        None => Err(DataFusionError::Plan(format!("accounts have no column {}", field.name()))),
    };
    let columns = schema.fields().iter().map(column).collect::<Result<Vec<_>>>()?;
    // A projection without columns, as for `count(*)`, has only a number of rows.
    let options = RecordBatchOptions::new().with_row_count(Some(accounts.len()));
    Ok(RecordBatch::try_new_with_options(schema.clone(), columns, &options)?)
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::util::pretty::pretty_format_batches;
    use headcount::{AccountKind, AccountOwner, AlternateId, Provider};

    use super::*;

    #[test]
    fn every_column_is_converted() {
        let source = Source::new("acme", "hr", Provider::SailPoint).unwrap();
        let mut account = Account::new(Provider::SailPoint, AccountKind::SourceAccount, "a1");
        account.name = Some("Ada".into());
        account.created_at = DateTime::from_timestamp_micros(1_500_000);
        account.owner = Some(AccountOwner::new(Some("i1".into()), None));
        account.roles = vec!["admin".into(), "user".into()];
        account.alternate_ids = vec![AlternateId::new("uuid", "u1")];
        let empty = Account::new(Provider::SailPoint, AccountKind::SourceAccount, "a2");
        let batch = accounts_batch(&source, &[account, empty], &accounts_schema()).unwrap();
        let wanted = accounts_schema().project(&[0, 1, 4, 5, 9, 13, 14, 15, 16, 17]).unwrap();
        let batch = batch.project(&[0, 1, 4, 5, 9, 13, 14, 15, 16, 17]).unwrap();
        assert_eq!(batch.schema().fields(), wanted.fields());
        let text = pretty_format_batches(&[batch]).unwrap().to_string();
        let rows: Vec<_> = text.lines().skip(3).take(2).collect();
        assert_eq!(
            rows[0].split('|').map(str::trim).collect::<Vec<_>>(),
            [
                "",
                "acme",
                "hr",
                "a1",
                "Ada",
                "1970-01-01T00:00:01.500Z",
                "i1",
                "",
                "[admin, user]",
                "{uuid: u1}",
                "null",
                ""
            ]
        );
        assert_eq!(
            rows[1].split('|').map(str::trim).collect::<Vec<_>>(),
            ["", "acme", "hr", "a2", "", "", "", "", "[]", "{}", "null", ""]
        );
    }

    #[test]
    fn a_projection_without_columns_has_rows() {
        let source = Source::new("acme", "hr", Provider::Huawei).unwrap();
        let accounts = [Account::new(Provider::Huawei, AccountKind::CloudAccount, "a")];
        let schema = Arc::new(Schema::empty());
        assert_eq!(accounts_batch(&source, &accounts, &schema).unwrap().num_rows(), 1);
        let unknown = Arc::new(Schema::new(vec![Field::new("shoe_size", DataType::Utf8, true)]));
        let error = accounts_batch(&source, &accounts, &unknown).unwrap_err();
        assert!(error.to_string().contains("accounts have no column shoe_size"), "{error}");
    }
}
