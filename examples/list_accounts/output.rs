//! Prints accounts as a table, CSV, NDJSON or an inventory.

use std::{
    collections::BTreeMap,
    io::{self, BufWriter, Write},
};

use headcount::{Account, Error, InventoryWriter, ListingReport, Source, Summary};
use serde::Serialize;
use serde_json::Value;

use crate::{
    args::{Args, Format},
    escape::escape_cell,
    table::Table,
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

/// The columns of CSV and of a wide table.
pub(crate) const COLUMNS: [&str; 15] = [
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

/// Prints accounts, and in each row whether they are simulated. If the format has reports, prints those too.
pub(crate) struct Output {
    writer: Writer,
    /// By the names of the sources.
    reports: BTreeMap<String, ListingReport>,
    simulated: bool,
}

enum Writer {
    Ndjson { out: BufWriter<io::Stdout>, raw: bool },
    Inventory(InventoryWriter<BufWriter<io::Stdout>>),
    Csv(BufWriter<io::Stdout>),
    Table(Table),
}

impl Output {
    /// Creates an output. If `resumed`, an earlier run already printed the header.
    pub(crate) fn new(
        args: &Args,
        reports: BTreeMap<String, ListingReport>,
        resumed: bool,
        simulated: bool,
    ) -> io::Result<Self> {
        let writer = match args.format {
            Format::Ndjson => Writer::Ndjson { out: BufWriter::new(io::stdout()), raw: args.raw },
            Format::Inventory => Writer::Inventory(InventoryWriter::new(BufWriter::new(io::stdout()))),
            Format::Csv => {
                let mut out = BufWriter::new(io::stdout());
                if !resumed {
                    out.write_all(&csv_line(COLUMNS)?)?;
                }
                Writer::Csv(out)
            }
            Format::Table => Writer::Table(Table::new(args.wide)),
        };
        Ok(Self { writer, reports, simulated })
    }

    pub(crate) fn account(&mut self, source: &str, account: &Account) -> io::Result<()> {
        // Not skipped, which would lose the account.
        let report = self.reports.get(source);
        let source = &report.ok_or_else(|| io::Error::other(format!("unknown source {source}")))?.source;
        match &mut self.writer {
            Writer::Ndjson { out, raw } => {
                let record = raw.then(|| account.record().redacted());
                let simulated = self.simulated.then_some(true);
                let line = Line { source: source.name(), simulated, account, record };
                let mut line = serde_json::to_vec(&line)?;
                line.push(b'\n');
                // At once, so that the buffer is flushed between lines.
                out.write_all(&line)
            }
            Writer::Inventory(writer) => writer.account(source, account),
            Writer::Csv(out) => {
                let fields = fields(source, account, self.simulated);
                out.write_all(&csv_line(fields.iter().map(|field| escape_cell(field).into_owned()))?)
            }
            Writer::Table(table) => {
                table.add(fields(source, account, self.simulated));
                Ok(())
            }
        }
    }

    /// Prints the report of a source that starts, or continues after what `summary` counts.
    pub(crate) fn start(&mut self, source: &str, summary: Summary) -> io::Result<()> {
        self.report(source, |report| report.summary = summary)
    }

    /// Prints the report of a source that has ended.
    pub(crate) fn end(&mut self, source: &str, summary: Summary, error: Option<&Error>) -> io::Result<()> {
        self.report(source, |report| report.end(summary, error))
    }

    fn report(&mut self, source: &str, update: impl FnOnce(&mut ListingReport)) -> io::Result<()> {
        let (Writer::Inventory(writer), Some(report)) = (&mut self.writer, self.reports.get_mut(source))
        else {
            return Ok(());
        };
        update(report);
        writer.report(report)
    }

    /// Flushes everything that was printed so far. Does nothing for a table.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match &mut self.writer {
            Writer::Ndjson { out, .. } | Writer::Csv(out) => out.flush(),
            Writer::Inventory(writer) => writer.flush(),
            Writer::Table(_) => Ok(()),
        }
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        if let Writer::Table(table) = self.writer {
            let mut out = io::stdout();
            table.print(&mut out)?;
            out.flush()?;
        }
        Ok(())
    }
}

/// Returns the text of each of [`COLUMNS`].
fn fields(source: &Source, account: &Account, simulated: bool) -> [String; COLUMNS.len()] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let date = |date: &Option<chrono::DateTime<chrono::Utc>>| {
        date.map_or(String::new(), |date| date.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
    };
    let owner = account.owner.clone().unwrap_or_default();
    [
        source.name().to_owned(),
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
        simulated.to_string(),
    ]
}

/// Returns a record with its line break, to be written at once.
fn csv_line(fields: impl IntoIterator<Item = impl AsRef<[u8]>>) -> io::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(fields)?;
    writer.into_inner().map_err(csv::IntoInnerError::into_error)
}
