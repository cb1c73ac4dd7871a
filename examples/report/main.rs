//! Writes the report of an inventory as one HTML file; see `--help`.

mod ages;
mod args;
mod changes;
mod findings;
mod listings;
mod page;
mod rows;
mod statuses;
mod text;

use std::{
    error::Error,
    fs::{self, File},
    io::{self, BufReader, Write as _},
    path::Path,
    process::ExitCode,
};

use clap::Parser as _;
use headcount::Inventory;

use args::Args;
use page::Page;

const UNKNOWN: u8 = 1;
const FAILED: u8 = 2;
/// As if the signal SIGPIPE had killed the program.
const CLOSED_PIPE: u8 = 141;

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Args::parse()).await {
        Ok(code) => code,
        Err(error) => {
            say(&format!("report: {error}"));
            ExitCode::from(FAILED)
        }
    }
}

async fn run(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    let is_input = |path: &Path| same_file(path, &args.output);
    if [&args.later, &args.earlier].into_iter().flatten().any(|path| is_input(path)) {
        return Err(format!("{}: expected another file than the inventories", args.output.display()).into());
    }
    let (earlier, later) = if let Some(later) = &args.later {
        (args.earlier.as_deref().map(read).transpose()?, read(later)?)
    } else {
        say(&format!(
            "no inventory: reporting built-in simulators ({} accounts each)",
            args.simulated_accounts
        ));
        let (earlier, later) = simulated_inventories::simulate(args.simulated_accounts).await?;
        (Some(earlier), later)
    };
    let page = Page::new(earlier.as_ref(), &later, args.later.is_none());
    let html = page.render()?;
    if args.output.as_os_str() == "-" {
        let mut out = io::stdout();
        match out.write_all(html.as_bytes()).and_then(|()| out.flush()) {
            // The reader closed the pipe, for example `head`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                return Ok(ExitCode::from(CLOSED_PIPE));
            }
            written => written.map_err(|error| format!("cannot write the report: {error}"))?,
        }
    } else {
        write(&args.output, &html).map_err(|error| format!("{}: {error}", args.output.display()))?;
    }
    say(&page.outcome());
    Ok(if page.is_certain() { ExitCode::SUCCESS } else { ExitCode::from(UNKNOWN) })
}

fn same_file(one: &Path, other: &Path) -> bool {
    matches!((fs::canonicalize(one), fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
}

/// Replaces the file at once, so that a report is never half of one.
fn write(path: &Path, html: &str) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    fs::write(&temporary, html).and_then(|()| fs::rename(&temporary, path))
}

fn read(path: &Path) -> Result<Inventory, String> {
    let with_path = |error: &dyn Error| format!("{}: {error}", path.display());
    let file = File::open(path).map_err(|error| with_path(&error))?;
    Inventory::read(BufReader::new(file)).map_err(|error| with_path(&error))
}

/// Prints a line to the standard error. A closed standard error is ignored.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{}", text::visible_long(line));
}
