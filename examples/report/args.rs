use std::path::PathBuf;

use clap::Parser;

/// Writes the report of an inventory for an access review: one HTML file without scripts and external resources.
///
/// An inventory is a file that `list_accounts --format inventory` wrote.
///
/// The report shows for each source whether its listing is complete; the accounts by status and by age; who joined, left
/// or changed since an earlier inventory; findings such as accounts without an owner; and what the data cannot show.
///
/// Account names are untrusted. They are shortened, and characters that are invisible or reorder other characters are
/// written as \u{...}.
///
/// Exits with 0 if the report was written, every listing is complete and, with --earlier, every source was compared.
/// Exits with 1 if the report was written and says otherwise. Exits with 2 for wrong usage, or if a file cannot be read
/// or written. Exits with 141 if the reader of the output has closed it.
#[derive(Debug, Parser)]
#[command(name = "report", version)]
pub(crate) struct Args {
    /// The inventory. Without it, two inventories of built-in simulators are used, and the report says so.
    pub(crate) later: Option<PathBuf>,
    /// An earlier inventory of the same sources, to compare with.
    #[arg(long, value_name = "FILE", requires = "later")]
    pub(crate) earlier: Option<PathBuf>,
    /// The file to write, or - for the standard output. An existing file is replaced.
    #[arg(long, value_name = "FILE", default_value = "report.html")]
    pub(crate) output: PathBuf,
    /// The number of accounts of each simulator.
    #[arg(long, value_name = "N", default_value_t = 60, conflicts_with = "later")]
    pub(crate) simulated_accounts: usize,
}
