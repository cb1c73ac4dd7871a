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
    /// Present only if it is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    simulated: Option<bool>,
    #[serde(flatten)]
    account: &'a Account,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<Value>,
}

const COLUMNS: [&str; 15] = [
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
    "simulated",
];

/// Prints accounts, and in each row whether they are simulated.
pub(crate) struct Output {
    writer: Writer,
    simulated: bool,
}

enum Writer {
    Ndjson { out: BufWriter<io::Stdout>, raw: bool },
    Csv(Box<csv::Writer<io::Stdout>>),
    Table(Box<Table>),
}

impl Output {
    /// Creates an output. If `resumed`, an earlier run already printed the header.
    pub(crate) fn new(format: Format, raw: bool, resumed: bool, simulated: bool) -> io::Result<Self> {
        let writer = match format {
            Format::Ndjson => Writer::Ndjson { out: BufWriter::new(io::stdout()), raw },
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(io::stdout());
                if !resumed {
                    writer.write_record(COLUMNS).map_err(io_error)?;
                }
                Writer::Csv(Box::new(writer))
            }
            Format::Table => {
                let mut table = Table::new();
                table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
                let simulated = simulated.then_some("simulated");
                let columns = ["source", "id", "name", "email", "owner", "status", "created or joined"];
                table.set_header(columns.into_iter().chain(simulated));
                Writer::Table(Box::new(table))
            }
        };
        Ok(Self { writer, simulated })
    }

    pub(crate) fn account(&mut self, source: &str, account: &Account) -> io::Result<()> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let owner = account.owner.clone().unwrap_or_default();
        match &mut self.writer {
            Writer::Ndjson { out, raw } => {
                let record = raw.then(|| account.record().redacted());
                serde_json::to_writer(
                    &mut *out,
                    &Line { source, simulated: self.simulated.then_some(true), account, record },
                )?;
                out.write_all(b"\n")
            }
            Writer::Csv(writer) => {
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
                    self.simulated.to_string(),
                ];
                writer
                    .write_record(fields.iter().map(|field| escape_cell(field).into_owned()))
                    .map_err(io_error)
            }
            Writer::Table(table) => {
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
                let simulated = self.simulated.then(|| "yes".to_owned());
                let cells = fields.iter().map(|field| escape_hidden(field).into_owned());
                table.add_row(cells.chain(simulated));
                Ok(())
            }
        }
    }

    /// Flushes everything that was printed so far. Does nothing for a table.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match &mut self.writer {
            Writer::Ndjson { out, .. } => out.flush(),
            Writer::Csv(writer) => writer.flush(),
            Writer::Table(_) => Ok(()),
        }
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        if let Writer::Table(table) = self.writer {
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
