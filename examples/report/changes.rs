//! Who joined, left or changed since the earlier inventory.

use headcount::{Account, AccountChange, FieldChange, Inventory, Source};
use serde::Serialize;

use crate::{
    rows::{Names, Row, Table},
    text,
};

/// The most fields of an account that are shown.
const MAX_FIELDS: usize = 8;

#[derive(Debug, Serialize)]
pub(crate) struct Changes {
    sources: Vec<SourceChanges>,
    pub(crate) joined: Table<Row>,
    pub(crate) left: Table<Row>,
    pub(crate) changed: Table<Changed>,
    /// When the listings of the earlier inventory started.
    since: Option<String>,
    /// Sources that only the earlier inventory has.
    gone: String,
    /// The number of sources that were compared.
    pub(crate) compared: usize,
    /// The number of sources that could not be compared.
    pub(crate) unknown: usize,
    pub(crate) unknown_text: String,
}

#[derive(Debug, Serialize)]
struct SourceChanges {
    name: String,
    /// The numbers of accounts that joined, left and changed.
    counts: Option<[String; 3]>,
    /// Why they are unknown.
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Changed {
    account: Row,
    fields: Vec<Field>,
    more: usize,
}

#[derive(Debug, Serialize)]
struct Field {
    name: String,
    before: Option<String>,
    after: Option<String>,
}

impl Changes {
    pub(crate) fn new(earlier: &Inventory, later: &Inventory, names: Names) -> Self {
        let (mut joined, mut left, mut changed) = (Vec::new(), Vec::new(), Vec::new());
        let mut sources = Vec::new();
        for source in later.sources() {
            let id = &source.report().source;
            let name = names.of(id);
            let diff = earlier
                .get(id)
                .ok_or_else(|| "The earlier inventory does not have this source.".to_owned())
                .and_then(|before| {
                    before.diff(source).map_err(|error| text::visible_long(&error.to_string()))
                });
            let (counts, reason) = match diff {
                Ok(diff) => {
                    let counts = [diff.joined.len(), diff.left.len(), diff.changed.len()].map(text::count);
                    joined.extend(diff.joined.into_iter().map(|account| (id, account)));
                    left.extend(diff.left.into_iter().map(|account| (id, account)));
                    changed.extend(diff.changed.into_iter().map(|change| (id, change)));
                    (Some(counts), None)
                }
                Err(reason) => (None, Some(reason)),
            };
            sources.push(SourceChanges { name, counts, reason });
        }
        let gone = earlier.sources().map(|source| &source.report().source);
        let gone: Vec<_> =
            gone.filter(|source| later.get(source).is_none()).map(ToString::to_string).collect();
        let row = |(source, account): &(&Source, &Account)| Row::new(names.of(source), account);
        let since = earlier.sources().map(|source| source.report().started_at).min();
        let compared = sources.iter().filter(|source| source.counts.is_some()).count();
        let unknown = sources.len() - compared + gone.len();
        Self {
            compared,
            unknown,
            unknown_text: text::counted(unknown, "source"),
            sources,
            joined: Table::new(&joined, row),
            left: Table::new(&left, row),
            changed: Table::new(&changed, |(source, change)| Changed::new(names.of(source), change)),
            since: since.map(text::instant),
            gone: text::list(&gone),
        }
    }
}

impl Changed {
    fn new(source: String, change: &AccountChange<'_>) -> Self {
        let field = |field: &FieldChange<'_>| Field {
            name: text::visible(&field.name),
            before: field.before.as_deref().map(text::visible_long),
            after: field.after.as_deref().map(text::visible_long),
        };
        Self {
            account: Row::new(source, change.after),
            fields: change.fields.iter().take(MAX_FIELDS).map(field).collect(),
            more: change.fields.len().saturating_sub(MAX_FIELDS),
        }
    }
}
