//! Prints accounts as a table, CSV or NDJSON.

use std::io::{self, BufWriter, Write};

use comfy_table::{ContentArrangement, Table, presets::NOTHING};
use headcount::Account;
use serde::Serialize;
use serde_json::Value;

use crate::{
    args::Format,
    escape::{escape_cell, escape_hidden},
};

/// One line of NDJSON.
#[derive(Serialize)]
struct Line<'a> {
    source: &'a str,
    #[serde(flatten)]
    account: &'a Account,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<Value>,
}

const COLUMNS: [&str; 14] = [
    "source",
    "kind",
    "id",
    "name",
    "email",
    "status",
    "raw_status",
    "created_at",
    "joined_at",
    "modified_at",
    "parent_id",
    "owner_id",
    "owner",
    "roles",
];

pub(crate) enum Output {
    Ndjson { out: BufWriter<io::Stdout>, raw: bool },
    Csv(Box<csv::Writer<io::Stdout>>),
    Table(Box<Table>),
}

impl Output {
    /// Creates an output. If `resumed`, an earlier run already printed the header.
    pub(crate) fn new(format: Format, raw: bool, resumed: bool) -> io::Result<Self> {
        Ok(match format {
            Format::Ndjson => Self::Ndjson { out: BufWriter::new(io::stdout()), raw },
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(io::stdout());
                if !resumed {
                    writer.write_record(COLUMNS).map_err(io_error)?;
                }
                Self::Csv(Box::new(writer))
            }
            Format::Table => {
                let mut table = Table::new();
                table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
                table.set_header(["source", "id", "name", "email", "owner", "status", "created or joined"]);
                Self::Table(Box::new(table))
            }
        })
    }

    pub(crate) fn account(&mut self, source: &str, account: &Account) -> io::Result<()> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let owner = account.owner.clone().unwrap_or_default();
        match self {
            Self::Ndjson { out, raw } => {
                let record = raw.then(|| account.record().redacted());
                serde_json::to_writer(&mut *out, &Line { source, account, record })?;
                out.write_all(b"\n")
            }
            Self::Csv(writer) => {
                let date = |date: &Option<chrono::DateTime<chrono::Utc>>| {
                    date.map_or(String::new(), |date| date.to_rfc3339())
                };
                let fields = [
                    source.to_owned(),
                    account.kind.to_string(),
                    account.id.clone(),
                    text(&account.name),
                    text(&account.email),
                    account.status.to_string(),
                    account.raw_status.clone().unwrap_or_default().into_owned(),
                    date(&account.created_at),
                    date(&account.joined_at),
                    date(&account.modified_at),
                    text(&account.parent_id),
                    text(&owner.id),
                    text(&owner.name),
                    account.roles.join(" "),
                ];
                writer
                    .write_record(fields.iter().map(|field| escape_cell(field).into_owned()))
                    .map_err(io_error)
            }
            Self::Table(table) => {
                let date = account.created_at.or(account.joined_at);
                let fields = [
                    source.to_owned(),
                    account.id.clone(),
                    text(&account.name),
                    text(&account.email),
                    owner.name.or(owner.id).unwrap_or_default(),
                    account.status.to_string(),
                    date.map_or(String::new(), |date| date.date_naive().to_string()),
                ];
                table.add_row(fields.iter().map(|field| escape_hidden(field).into_owned()));
                Ok(())
            }
        }
    }

    /// Flushes everything that was printed so far. Does nothing for a table.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Ndjson { out, .. } => out.flush(),
            Self::Csv(writer) => writer.flush(),
            Self::Table(_) => Ok(()),
        }
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        if let Self::Table(table) = self {
            let mut out = io::stdout();
            writeln!(out, "{table}")?;
            out.flush()?;
        }
        Ok(())
    }
}

/// Returns the I/O error within a CSV error, so that a closed pipe is recognised.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
