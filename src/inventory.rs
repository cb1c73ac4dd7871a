use std::{
    collections::BTreeMap,
    io::{self, BufRead, Write},
};

use serde::{Deserialize, Serialize, de::Error as _};
use serde_json::value::RawValue;

use crate::{Account, AnyPaginator, Error, ErrorKind, ListingReport, Result, Retryability, Source};

/// The accounts of one source, and how their listing ended.
///
/// It holds every account in memory, by id.
#[derive(Clone, Debug)]
pub struct SourceInventory {
    report: ListingReport,
    accounts: BTreeMap<String, Account>,
}

impl SourceInventory {
    /// Creates the inventory of a listing from all accounts that it yielded.
    ///
    /// Of two accounts with the same id, the last is kept.
    pub fn new(report: ListingReport, accounts: impl IntoIterator<Item = Account>) -> Self {
        let accounts = accounts.into_iter().map(|account| (account.id.clone(), account)).collect();
        Self { report, accounts }
    }

    /// Lists `accounts` to their end, or to an error, which the report then contains.
    ///
    /// `report` is that of [`ListingReport::start`], with the endpoint and filter if they are known. Its summary, end and
    /// error are set.
    pub async fn collect(mut report: ListingReport, accounts: AnyPaginator<Account>) -> Self {
        let (mut items, mut listed, mut failure) = (accounts.items(), Vec::new(), None);
        while let Some(item) = items.next().await {
            match item {
                Ok(account) => listed.push(account),
                // The summary counts it, and the stream continues.
                Err(error) if error.kind() == ErrorKind::InvalidRecord => {}
                Err(error) => failure = Some(error),
            }
        }
        report.end(items.summary(), failure.as_ref());
        Self::new(report, listed)
    }

    /// Returns how the listing ended.
    pub fn report(&self) -> &ListingReport {
        &self.report
    }

    /// Returns the accounts, in the order of their ids.
    pub fn accounts(&self) -> impl ExactSizeIterator<Item = &Account> {
        self.accounts.values()
    }

    /// Returns the account with an id.
    pub fn get(&self, id: &str) -> Option<&Account> {
        self.accounts.get(id)
    }
}

/// The accounts of several sources at one time, and how each listing ended.
///
/// Two of them can be [compared](Self::diff). On disk an inventory is a file of JSON lines:
///
/// ```text
/// {"v":1,"report":{"source":{"tenant":"acme",…},…,"completeness":{"state":"in_progress"}}}
/// {"tenant":"acme","source":"hr","provider":"sailpoint",…,"id":"2c9180",…}
/// {"v":1,"report":{…,"completeness":{"state":"complete"}}}
/// ```
///
/// A report precedes the first account of its source and another follows the last. If the program that writes it is
/// killed, the latest report of a source says that its listing is in progress. If a line was cut off,
/// [`read`](Self::read) fails. `list_accounts --format inventory` writes such files.
///
/// It holds personal data, and no credentials.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use headcount::{Inventory, ListingReport, Provider, Source, SourceInventory, annature};
/// use headcount_sim as sim;
///
/// let server = sim::Annature::builder().accounts(30).start().await?;
/// let client = annature::Client::builder()
///     .id(server.id())
///     .key(server.key())
///     .base_url(server.base_url())
///     .build()?;
///
/// let report = ListingReport::start(Source::new("acme", "signing", Provider::Annature)?);
/// let listed =
///     SourceInventory::collect(report, client.list_accounts().into_accounts()).await;
/// println!("{}", listed.report());
/// let today: Inventory = [listed].into_iter().collect();
/// assert!(today.is_complete());
///
/// let mut file = Vec::new();
/// today.write(&mut file)?;
/// let read = Inventory::read(file.as_slice())?;
/// assert!(today.diff(&read)?.is_empty());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// By tenant and name.
    sources: BTreeMap<(String, String), SourceInventory>,
}

impl Inventory {
    /// Returns the sources, in the order of their names.
    pub fn sources(&self) -> impl ExactSizeIterator<Item = &SourceInventory> {
        self.sources.values()
    }

    /// Returns a source.
    pub fn get(&self, source: &Source) -> Option<&SourceInventory> {
        self.sources.get(&key(source)).filter(|found| found.report.source == *source)
    }

    /// Returns `true` if there are sources, and the listing of each is complete.
    pub fn is_complete(&self) -> bool {
        !self.sources.is_empty() && self.sources().all(|source| source.report.is_complete())
    }

    /// Reads an inventory that [`write`](Self::write) or an [`InventoryWriter`] wrote.
    ///
    /// Accounts have `null` for a [record](Account::record). An account that was written twice, because its listing was
    /// resumed, is read once. If a source was listed again from its start, only the last listing is read.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Decode`] and the number of the line if a line is not valid, has no report before it, or
    /// if there are fewer accounts than their report counts. Fails with [`ErrorKind::Transport`] if reading fails.
    pub fn read(input: impl BufRead) -> Result<Self> {
        let mut sources: BTreeMap<(String, String), Rows> = BTreeMap::new();
        for (index, line) in input.lines().enumerate() {
            let at_line =
                |message: String| Error::new(ErrorKind::Decode, format!("line {}: {message}", index + 1));
            let line = line.map_err(|error| {
                let kind = match error.kind() {
                    // Not UTF-8.
                    io::ErrorKind::InvalidData => ErrorKind::Decode,
                    _ => ErrorKind::Transport,
                };
                let message = format!("line {}: cannot read the inventory: {error}", index + 1);
                Error::new(kind, message).with_retryability(Retryability::Never).with_source(error)
            })?;
            if line.trim().is_empty() {
                continue;
            }
            match parse(&line).map_err(|error| {
                at_line(format!("expected an account or a report of an inventory: {error}"))
            })? {
                Line::Report(report) => {
                    let rows = sources.entry(key(&report.source)).or_insert_with(|| Rows::new(&report));
                    rows.update(report).map_err(at_line)?;
                }
                Line::Account { tenant, source, account } => {
                    let Some(rows) = sources.get_mut(&(tenant.clone(), source.clone())) else {
                        return Err(at_line(format!(
                            "an account of {}, but no report of that source before it",
                            crate::error::one_line(&format!("{tenant}/{source}"))
                        )));
                    };
                    rows.count += 1;
                    rows.accounts.insert(account.id.clone(), account);
                }
            }
        }
        let inventories = sources
            .into_values()
            .map(|rows| SourceInventory { report: rows.report, accounts: rows.accounts });
        Ok(inventories.collect())
    }

    /// Writes the inventory, each account once: the summaries of its reports count them so. See [`InventoryWriter`].
    ///
    /// # Errors
    /// Fails with a [`std::io::Error`] if writing fails.
    pub fn write(&self, output: impl Write) -> io::Result<()> {
        let mut writer = InventoryWriter::new(output);
        for source in self.sources() {
            writer.report(&source.report.in_progress())?;
        }
        for source in self.sources() {
            for account in source.accounts() {
                writer.account(&source.report.source, account)?;
            }
            let mut report = source.report.clone();
            report.summary.items = source.accounts.len() as u64;
            report.summary.repeats_at_most = 0;
            writer.report(&report)?;
        }
        writer.flush()
    }
}

impl FromIterator<SourceInventory> for Inventory {
    /// Of two inventories of one tenant and name, the last is kept.
    fn from_iter<I: IntoIterator<Item = SourceInventory>>(sources: I) -> Self {
        let keyed = sources.into_iter().map(|source| (key(&source.report.source), source));
        Self { sources: keyed.collect() }
    }
}

fn key(source: &Source) -> (String, String) {
    (source.tenant().to_owned(), source.name().to_owned())
}

/// Writes an [`Inventory`] while it is listed.
///
/// Write the [report](ListingReport::start) of every source before the first account of any, or a source that was not
/// reached is missing from the file. Write it again when its listing has ended.
///
/// If a listing is resumed, its first report has the summary up to then. One without items starts over.
///
/// Each line is written by one call of [`write_all`](Write::write_all), so that a buffer is flushed between lines.
///
/// ```
/// use std::io::{self, Write};
///
/// use headcount::{Account, AnyPaginator, ErrorKind, InventoryWriter, ListingReport};
///
/// async fn save(
///     mut report: ListingReport,
///     listing: AnyPaginator<Account>,
///     file: impl Write,
/// ) -> io::Result<()> {
///     let mut file = InventoryWriter::new(file);
///     file.report(&report)?;
///     let (mut accounts, mut failure) = (listing.items(), None);
///     while let Some(account) = accounts.next().await {
///         match account {
///             Ok(account) => file.account(&report.source, &account)?,
///             // The summary counts it, and the stream continues.
///             Err(error) if error.kind() == ErrorKind::InvalidRecord => {}
///             Err(error) => failure = Some(error),
///         }
///     }
///     report.end(accounts.summary(), failure.as_ref());
///     file.report(&report)?;
///     file.flush()
/// }
/// ```
#[derive(Debug)]
pub struct InventoryWriter<W> {
    output: W,
    line: Vec<u8>,
}

impl<W: Write> InventoryWriter<W> {
    /// Creates a writer. `output` should be buffered.
    pub fn new(output: W) -> Self {
        Self { output, line: Vec::new() }
    }

    /// Writes a report. The last report of a source counts.
    ///
    /// # Errors
    /// Fails with a [`std::io::Error`] if writing fails.
    pub fn report(&mut self, report: &ListingReport) -> io::Result<()> {
        self.line(&ReportLine { v: VERSION, report })
    }

    /// Writes an account, without its record.
    ///
    /// # Errors
    /// Fails with a [`std::io::Error`] if writing fails.
    pub fn account(&mut self, source: &Source, account: &Account) -> io::Result<()> {
        self.line(&AccountLine { tenant: source.tenant(), source: source.name(), account })
    }

    /// Flushes the output.
    ///
    /// # Errors
    /// Fails with a [`std::io::Error`] if writing fails.
    pub fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, line)?;
        self.line.push(b'\n');
        self.output.write_all(&self.line)
    }
}

/// The format of the lines that this version of the crate writes and reads.
const VERSION: u64 = 1;

#[derive(Serialize)]
struct ReportLine<'a> {
    v: u64,
    report: &'a ListingReport,
}

#[derive(Serialize)]
struct AccountLine<'a> {
    tenant: &'a str,
    source: &'a str,
    #[serde(flatten)]
    account: &'a Account,
}

enum Line {
    Report(ListingReport),
    Account { tenant: String, source: String, account: Account },
}

fn parse(line: &str) -> serde_json::Result<Line> {
    #[derive(Deserialize)]
    struct Members<'a> {
        v: Option<u64>,
        #[serde(borrow)]
        report: Option<&'a RawValue>,
        tenant: Option<String>,
        source: Option<String>,
    }
    let missing = serde_json::Error::missing_field;
    let members: Members<'_> = serde_json::from_str(line)?;
    if let Some(report) = members.report {
        return match members.v {
            Some(VERSION) => serde_json::from_str(report.get()).map(Line::Report),
            other => Err(serde_json::Error::custom(format!("expected version {VERSION}, got {other:?}"))),
        };
    }
    Ok(Line::Account {
        tenant: members.tenant.ok_or_else(|| missing("tenant"))?,
        source: members.source.ok_or_else(|| missing("source"))?,
        account: serde_json::from_str(line)?,
    })
}

/// A source while its inventory is read.
struct Rows {
    report: ListingReport,
    /// The number of accounts read, including those that were written twice.
    count: u64,
    accounts: BTreeMap<String, Account>,
}

impl Rows {
    fn new(report: &ListingReport) -> Self {
        Self { report: report.in_progress(), count: 0, accounts: BTreeMap::new() }
    }

    fn update(&mut self, report: ListingReport) -> Result<(), String> {
        if report.source != self.report.source {
            return Err(format!("a second provider of {}", report.source));
        }
        let counted = report.summary.items;
        // Every account that a report counts was written before it.
        if self.count < counted {
            return Err(format!(
                "{}: a report counts {counted} accounts, but there are {} before it; the file is damaged, or the output \
                 of an earlier run is missing",
                report.source, self.count
            ));
        }
        if report.has_ended() {
            if self.report.has_ended() && self.report.summary == report.summary {
                // Repeated by a later run, which did not list it.
                return Ok(());
            }
        } else if report.error.is_none() {
            if counted == 0 {
                // Listed from the start.
                *self = Self::new(&report);
                return Ok(());
            }
            // Resumed: what was written after the checkpoint follows again.
            self.count = counted;
        }
        // A resumed listing began with its first run.
        let started_at = self.report.started_at.min(report.started_at);
        self.report = ListingReport { started_at, ..report };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountKind, AlternateId, Completeness, Provider, Summary};

    fn hr() -> Source {
        Source::new("acme", "hr", Provider::SailPoint).unwrap()
    }

    fn account(id: &str) -> Account {
        Account::new(Provider::SailPoint, AccountKind::SourceAccount, id)
    }

    fn complete(items: u64) -> ListingReport {
        let mut report = ListingReport::start(hr());
        let summary = Summary { items, completeness: Completeness::Complete, ..Summary::default() };
        report.end(summary, None);
        report
    }

    /// Returns the lines that `write` writes.
    fn lines(write: impl FnOnce(&mut InventoryWriter<&mut Vec<u8>>) -> io::Result<()>) -> String {
        let mut output = Vec::new();
        write(&mut InventoryWriter::new(&mut output)).unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn what_was_written_is_read() {
        let before = Inventory::from_iter([SourceInventory::new(complete(2), [account("b"), account("a")])]);
        let mut file = Vec::new();
        before.write(&mut file).unwrap();
        let after = Inventory::read(file.as_slice()).unwrap();
        assert!(after.is_complete());
        let source = after.get(&hr()).unwrap();
        assert_eq!(source.report(), before.get(&hr()).unwrap().report());
        assert_eq!(source.accounts().map(|account| account.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_killed_writer_leaves_an_inventory_in_progress() {
        let text = lines(|file| {
            file.report(&ListingReport::start(hr()))?;
            file.account(&hr(), &account("a"))
        });
        let inventory = Inventory::read(text.as_bytes()).unwrap();
        assert!(!inventory.is_complete());
        assert_eq!(inventory.get(&hr()).unwrap().report().summary.completeness, Completeness::InProgress);
    }

    #[test]
    fn a_resumed_listing_may_repeat_accounts() {
        let first = ListingReport::start(hr());
        let text = lines(|file| {
            file.report(&first)?;
            file.account(&hr(), &account("a"))?;
            file.account(&hr(), &account("b"))?;
            let mut resumed = ListingReport::start(hr());
            resumed.summary.items = 1;
            file.report(&resumed)?;
            file.account(&hr(), &account("b"))?;
            file.account(&hr(), &account("c"))?;
            file.report(&complete(3))
        });
        let inventory = Inventory::read(text.as_bytes()).unwrap();
        let source = inventory.get(&hr()).unwrap();
        assert!(inventory.is_complete());
        assert_eq!(source.accounts().len(), 3);
        assert_eq!(source.report().started_at, first.started_at);
    }

    #[test]
    fn a_listing_that_starts_over_replaces_the_previous_one() {
        let text = lines(|file| {
            file.report(&ListingReport::start(hr()))?;
            file.account(&hr(), &account("left"))?;
            file.report(&complete(1))?;
            file.report(&ListingReport::start(hr()))?;
            file.account(&hr(), &account("new"))?;
            file.report(&complete(1))
        });
        let inventory = Inventory::read(text.as_bytes()).unwrap();
        let source = inventory.get(&hr()).unwrap();
        assert_eq!(source.accounts().map(|account| account.id.as_str()).collect::<Vec<_>>(), ["new"]);
    }

    #[test]
    fn no_part_of_a_file_is_complete() {
        let cloud = Source::new("acme", "cloud", Provider::Huawei).unwrap();
        let mut report = ListingReport::start(cloud);
        report.end(Summary { completeness: Completeness::Complete, ..Summary::default() }, None);
        let sources = [SourceInventory::new(complete(1), [account("a")]), SourceInventory::new(report, [])];
        let mut file = Vec::new();
        Inventory::from_iter(sources).write(&mut file).unwrap();
        let text = String::from_utf8(file).unwrap();
        let lines: Vec<_> = text.lines().collect();
        for count in 0..lines.len() {
            let part = Inventory::read(lines[..count].join("\n").as_bytes()).unwrap();
            assert!(!part.is_complete(), "the first {count} lines");
        }
        assert!(Inventory::read(text.as_bytes()).unwrap().is_complete());
    }

    #[test]
    fn a_report_that_a_later_run_repeats_keeps_its_times() {
        let mut first = complete(1);
        first.ended_at = Some(first.started_at);
        let text = lines(|file| {
            file.report(&ListingReport::start(hr()))?;
            file.account(&hr(), &account("a"))?;
            file.report(&first)?;
            file.report(&complete(1))
        });
        let inventory = Inventory::read(text.as_bytes()).unwrap();
        assert_eq!(inventory.get(&hr()).unwrap().report().ended_at, first.ended_at);
    }

    #[test]
    fn an_account_that_was_read_equals_the_one_that_was_written() {
        let mut written = account("a");
        written.alternate_ids = vec![AlternateId::new("uuid", "2"), AlternateId::new("nativeIdentity", "1")];
        let mut file = Vec::new();
        Inventory::from_iter([SourceInventory::new(complete(1), [written.clone()])])
            .write(&mut file)
            .unwrap();
        let read = Inventory::read(file.as_slice()).unwrap();
        assert_eq!(read.get(&hr()).unwrap().get("a"), Some(&written));
    }

    #[test]
    fn repeated_accounts_can_be_written_and_read() {
        let repeated = SourceInventory::new(complete(3), [account("a"), account("b"), account("a")]);
        let mut file = Vec::new();
        Inventory::from_iter([repeated]).write(&mut file).unwrap();
        let read = Inventory::read(file.as_slice()).unwrap();
        assert_eq!(read.get(&hr()).unwrap().report().summary.items, 2);
    }

    #[test]
    fn a_file_that_is_not_text_is_an_error_that_is_not_retried() {
        let error = Inventory::read(&b"\x1f\x8b\xff"[..]).unwrap_err();
        assert_eq!((error.kind(), error.retryability()), (ErrorKind::Decode, Retryability::Never));
    }

    #[test]
    fn a_damaged_file_is_an_error() {
        let whole = lines(|file| {
            file.report(&ListingReport::start(hr()))?;
            file.account(&hr(), &account("a"))?;
            file.account(&hr(), &account("b"))?;
            file.report(&complete(2))
        });
        let line = |index: usize| whole.lines().nth(index).unwrap();
        let cases = [
            // An account is missing.
            (
                format!("{}\n{}\n{}\n", line(0), line(1), line(3)),
                "line 3: acme/hr: a report counts 2 accounts, but there are 1 before it",
            ),
            // The output of an earlier run is missing.
            (line(3).to_owned(), "line 1: acme/hr: a report counts 2 accounts, but there are 0 before it"),
            // No report.
            (line(1).to_owned(), "line 1: an account of acme/hr, but no report"),
            // Cut off within a line.
            (whole[..whole.len() - 10].to_owned(), "line 4: expected an account or a report"),
            ("[]".to_owned(), "line 1: expected an account or a report"),
            ("{\"v\":1,\"report\":{}}".to_owned(), "missing field"),
            (line(0).replace("\"v\":1", "\"v\":2"), "expected version 1, got Some(2)"),
            (
                format!("{}\n{}", line(0), line(0).replace("\"sailpoint\"", "\"huawei\"")),
                "line 2: a second provider of acme/hr",
            ),
        ];
        for (text, expected) in cases {
            let error = Inventory::read(text.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode);
            assert!(error.to_string().contains(expected), "{error}");
        }
        assert!(!Inventory::read(&b"\n"[..]).unwrap().is_complete(), "without sources, nothing is complete");
    }
}
