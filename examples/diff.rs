//! Compares two inventories; see `--help`.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, ValueEnum};
use headcount::{Account, Error, ErrorKind, FieldChange, Inventory, InventoryDiff, Source, escape_hidden};
use serde_json::json;

const SIMULATED_ACCOUNTS: usize = 80;

const SAME: u8 = 0;
const DIFFERENT: u8 = 1;
const TROUBLE: u8 = 2;
/// As if the signal SIGPIPE had killed the program.
const CLOSED_PIPE: u8 = 141;

/// Prints which accounts joined, left or changed between two inventories.
///
/// An inventory is the output of `list_accounts --format inventory`. Without files, two inventories of built-in
/// simulators are compared; their tenant is `simulated`.
///
/// An account is the same if its tenant, source and id are. `modified_at` is not compared, and neither are the
/// credentials of the listings: give the inventory of each a tenant of its own (`list_accounts --tenant`).
///
/// In text, hidden characters are written as \u{...}. In NDJSON, texts are as they were received.
///
/// Exits with 0 if nothing differs, 1 if an account differs or only one inventory has a source, 2 if the inventories
/// cannot be compared, 141 if the reader of the output has closed it.
#[derive(Parser)]
#[command(name = "diff", version)]
struct Args {
    /// The earlier inventory.
    #[arg(requires = "later")]
    earlier: Option<PathBuf>,
    /// The later inventory.
    later: Option<PathBuf>,
    /// Compare although a listing is not complete, or has another filter. Accounts that a listing missed then seem to
    /// have joined or left.
    #[arg(long)]
    unchecked: bool,
    /// The output format.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line for each account, with the changed fields below it.
    Text,
    /// One JSON object for each account and line.
    Ndjson,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let compared = async {
        let (earlier, later) = if let (Some(earlier), Some(later)) = (&args.earlier, &args.later) {
            (read(earlier)?, read(later)?)
        } else {
            note(&format!("no files: comparing built-in simulators ({SIMULATED_ACCOUNTS} accounts each)"));
            simulated_inventories::simulate(SIMULATED_ACCOUNTS).await?
        };
        let diff = if args.unchecked {
            earlier.diff_unchecked(&later)?
        } else {
            earlier.diff(&later).map_err(|error| advise(error, &earlier, &later))?
        };
        Ok::<_, Error>((print(&diff, args.format), diff.is_empty()))
    };
    match compared.await {
        Ok((Ok(()), same)) => ExitCode::from(if same { SAME } else { DIFFERENT }),
        Ok((Err(error), _)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(CLOSED_PIPE),
        Ok((Err(error), _)) => fail(&error),
        Err(error) => fail(&error),
    }
}

fn fail(error: &dyn std::error::Error) -> ExitCode {
    let _ = writeln!(io::stderr(), "diff: {}", escape_hidden(&error.to_string()));
    ExitCode::from(TROUBLE)
}

fn read(file: &Path) -> Result<Inventory, Error> {
    let in_file = |error: Error| Error::new(error.kind(), format!("{}: {error}", file.display()));
    let open = File::open(file).map_err(|error| Error::new(ErrorKind::Config, error.to_string()));
    let inventory = Inventory::read(BufReader::new(open.map_err(in_file)?)).map_err(in_file)?;
    if inventory.sources().len() == 0 {
        let message = "no reports; expected the output of list_accounts --format inventory";
        return Err(in_file(Error::new(ErrorKind::Decode, message)));
    }
    Ok(inventory)
}

/// Adds what to do to an error of a comparison that `--unchecked` permits.
fn advise(error: Error, earlier: &Inventory, later: &Inventory) -> Error {
    if earlier.diff_unchecked(later).is_err() {
        return error;
    }
    let message = format!("{error}; list again, or compare anyway with --unchecked");
    Error::new(error.kind(), message).with_source(error)
}

fn print(diff: &InventoryDiff<'_>, format: Format) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    for source in &diff.only_earlier {
        note(&format!("{source} is only in the earlier inventory; its accounts are not compared"));
    }
    for source in &diff.only_later {
        note(&format!("{source} is only in the later inventory; its accounts are not compared"));
    }
    for source in &diff.sources {
        let change = |what, account, fields| Change { source: source.source, what, account, fields };
        let joined = source.joined.iter().map(|account| change("joined", *account, &[][..]));
        let left = source.left.iter().map(|account| change("left", *account, &[][..]));
        let changed = source.changed.iter().map(|changed| change("changed", changed.after, &*changed.fields));
        for change in joined.chain(left).chain(changed) {
            match format {
                Format::Text => change.print_text(&mut out)?,
                Format::Ndjson => change.print_json(&mut out)?,
            }
        }
        let counts = (source.joined.len(), source.left.len(), source.changed.len());
        note(&format!("{}: {} joined, {} left, {} changed", source.source, counts.0, counts.1, counts.2));
    }
    out.flush()
}

fn note(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// An account that joined, left or changed.
struct Change<'a> {
    source: &'a Source,
    what: &'static str,
    account: &'a Account,
    fields: &'a [FieldChange<'a>],
}

impl Change<'_> {
    fn print_text(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { source, what, account, fields } = self;
        let text = |text: Option<&str>| escape_hidden(text.unwrap_or("-")).into_owned();
        let name = text(account.name.as_deref().or(account.email.as_deref()));
        writeln!(out, "{what:8} {source}  {}  {name}", text(Some(&account.id)))?;
        for field in *fields {
            let (before, after) = (text(field.before.as_deref()), text(field.after.as_deref()));
            writeln!(out, "         {}: {before} -> {after}", text(Some(&field.name)))?;
        }
        Ok(())
    }

    fn print_json(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { source, what, account, fields } = self;
        let field = |field: &FieldChange<'_>| json!({"name": field.name, "before": field.before, "after": field.after});
        let mut line = json!({
            "change": what, "tenant": source.tenant(), "source": source.name(), "provider": source.provider(),
            "id": account.id, "name": account.name, "email": account.email,
        });
        if !fields.is_empty() {
            line["fields"] = fields.iter().map(field).collect();
        }
        writeln!(out, "{line}")
    }
}
