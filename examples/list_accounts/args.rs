use std::path::PathBuf;

use clap::{
    CommandFactory as _, FromArgMatches as _, Parser, ValueEnum,
    builder::{PossibleValuesParser, RangedU64ValueParser},
    error::ErrorKind,
};
use headcount::sailpoint::ApiVersion;

use crate::sources::PROVIDERS;

/// Lists the accounts of an organisation at its providers.
///
/// A provider takes part when its credentials are in the environment; they are named below. With none of them,
/// built-in simulators stand in for all providers.
///
/// Accounts alone go to the standard output; progress and a summary of each source go to the standard error.
///
/// Whoever names an account chooses what is printed here. So in tables, CSV and messages, characters that act on a
/// terminal, are not seen, or change the order of others are written as \u{...}; and in CSV, a cell that a
/// spreadsheet would execute gets an apostrophe: see --format.
///
/// Exits with 0 when every list is whole, 1 when a source failed or its list may not be whole, 2 for wrong
/// usage, 130 after Ctrl-C.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Args {
    /// Only this provider; may be given several times. Its credentials must be there, if any are.
    #[arg(long = "provider", value_name = "P", value_parser = provider_names())]
    pub(crate) providers: Vec<String>,
    /// How accounts are printed.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
    /// Accounts on a page, or as many as the provider allows if those are fewer. Annature chooses its own.
    ///
    /// At most 2000 at Huawei, or 200 with --huawei-contacts; at most 250 at SailPoint.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..))]
    pub(crate) page_size: Option<u32>,
    /// Stop after so many accounts, of all sources together. To stop so is no failure: the exit code is 0.
    #[arg(long, value_name = "N")]
    pub(crate) max: Option<u64>,
    /// Add the provider's own record to each account, in `record`. It may hold secrets. Needs ndjson.
    ///
    /// Members that the provider's reference names as secrets are printed as "[redacted]"; Fortanix alone has
    /// any. All else is as the provider sent it: SailPoint's `attributes` are whatever its sources tell.
    #[arg(long)]
    pub(crate) raw: bool,
    /// Ask Huawei for each account's registered e-mail address and phone number: personal data.
    ///
    /// Without it, Huawei's accounts have no `email`. With it, Huawei gives at most 200 accounts a page.
    #[arg(long)]
    pub(crate) huawei_contacts: bool,
    /// Which of Annature's endpoints to ask: v1 gives at most 1,000 accounts. [default: v2]
    #[arg(long, value_enum, value_name = "V")]
    pub(crate) annature_api: Option<AnnatureApi>,
    /// Which generation of SailPoint's API to ask. [default: accounts-v1]
    #[arg(long, value_enum, value_name = "V")]
    pub(crate) sailpoint_api: Option<SailPointApi>,
    /// Save the place in FILE as it goes, and go on from there if FILE exists. Needs ndjson or csv.
    ///
    /// Append (>>) what is printed: earlier lines and CSV's header are not printed again. The summaries count
    /// what all runs printed. A list that an earlier run finished is not listed again; when all are finished,
    /// the exit code is 2, and FILE is to be removed before they are listed again.
    ///
    /// The place is saved after every 50 accounts, or one fewer than --page-size if that is less, once they are
    /// printed. A program that is killed and started again loses none, and prints at most so many twice; and at
    /// Huawei and Annature those of one page, if that page has changed between the runs, as the summary then says.
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Fetch up to N pages of each source ahead of use.
    #[arg(long, value_name = "N", conflicts_with = "concurrency", value_parser = at_least_one())]
    pub(crate) ahead: Option<usize>,
    /// Fetch up to N pages at a time where the provider can seek (SailPoint); the others go page by page.
    #[arg(long, value_name = "N", value_parser = at_least_one())]
    pub(crate) concurrency: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table, printed at the end.
    Table,
    /// One JSON object a line, as they come, with every text exactly as the provider sent it.
    Ndjson,
    /// Comma-separated values, as they come. A cell that begins with =, +, -, @, a tab or a line break gets an
    /// apostrophe before it, because a spreadsheet would take it for a formula and execute it.
    Csv,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AnnatureApi {
    V1,
    V2,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SailPointApi {
    Beta,
    V3,
    V2024,
    V2025,
    V2026,
    AccountsV1,
}

fn provider_names() -> PossibleValuesParser {
    PossibleValuesParser::new(PROVIDERS.iter().map(|provider| provider.name))
}

/// The part of `--help` that names each provider's credentials.
fn credentials() -> String {
    let line = |provider: &crate::sources::Provider| {
        let sets: Vec<_> = provider.credentials.iter().map(|set| set.join(" and ")).collect();
        format!("\n  {:11}{}", provider.name, sets.join(", or "))
    };
    PROVIDERS.iter().fold("Credentials:".to_owned(), |text, provider| text + &line(provider))
}

fn at_least_one() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..)
}

impl From<SailPointApi> for ApiVersion {
    fn from(api: SailPointApi) -> Self {
        match api {
            SailPointApi::Beta => Self::Beta,
            SailPointApi::V3 => Self::V3,
            SailPointApi::V2024 => Self::V2024,
            SailPointApi::V2025 => Self::V2025,
            SailPointApi::V2026 => Self::V2026,
            SailPointApi::AccountsV1 => Self::AccountsV1,
        }
    }
}

impl Args {
    /// Reads and checks the command line; ends the program with 2 if it is wrong.
    pub(crate) fn read() -> Self {
        let mut command = Self::command().after_help(credentials());
        let args = Self::from_arg_matches(&command.get_matches_mut()).unwrap_or_else(|error| error.exit());
        let mut refuse = |message| command.error(ErrorKind::ArgumentConflict, message).exit();
        if args.checkpoint.is_some() && args.format == Format::Table {
            refuse("--checkpoint needs --format ndjson or csv: a table is printed only at the end");
        }
        if args.raw && args.format != Format::Ndjson {
            refuse("--raw needs --format ndjson");
        }
        args
    }
}
