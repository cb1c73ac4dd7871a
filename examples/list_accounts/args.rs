use std::path::PathBuf;

use clap::{
    CommandFactory as _, FromArgMatches as _, Parser, ValueEnum,
    builder::{PossibleValuesParser, RangedU64ValueParser},
    error::ErrorKind,
};
use headcount::sailpoint::ApiVersion;

use crate::providers::PROVIDERS;

/// Lists the accounts of an organisation at its providers.
///
/// A provider is included if its credentials are set in the environment; they are listed below. If no variable of any
/// provider is set, built-in simulators of all providers are used. Rows say so (`simulated`); an inventory has the tenant
/// `simulated`, unless --tenant is given.
///
/// Only accounts are printed to the standard output. Progress and a summary of each source are printed to the
/// standard error.
///
/// Account names are untrusted. In tables, CSV and messages, characters that control a terminal, are
/// invisible or reorder other characters are written as \u{...}. In CSV, a cell that a spreadsheet would
/// execute gets an apostrophe; see --format.
///
/// Exits with 0 if every list is complete, 1 if a source failed or its list may be incomplete, 2 for wrong
/// usage, 130 after Ctrl-C, 141 if the reader of the output has closed it.
#[derive(Debug, Parser)]
#[command(name = "list_accounts", version)]
pub(crate) struct Args {
    /// Use the built-in simulators, whatever is set in the environment.
    #[arg(long)]
    pub(crate) simulate: bool,
    /// List only this provider. May be repeated. If any variable of any provider is set, its credentials must be, too.
    #[arg(long = "provider", value_name = "P", value_parser = provider_names())]
    pub(crate) providers: Vec<String>,
    /// The output format.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
    /// Print all columns of a table, and no cell shortened.
    ///
    /// Otherwise a table fits the terminal, or the variable COLUMNS: columns that are empty are omitted, and long cells
    /// end in an ellipsis.
    #[arg(long)]
    pub(crate) wide: bool,
    /// The name of the tenant in an inventory. Requires inventory. [default: default, or simulated]
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
    /// The page size, capped at the provider's maximum. Not for Annature, which chooses its own.
    ///
    /// The maximum is 2000 at Huawei, or 200 with --huawei-contacts, and 250 at SailPoint.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..))]
    pub(crate) page_size: Option<u32>,
    /// Stop after N accounts of all sources together, with exit code 0.
    #[arg(long, value_name = "N")]
    pub(crate) max: Option<u64>,
    /// Add the provider's record to each account, in `record`. It may contain secrets. Requires ndjson.
    ///
    /// Members that the provider's reference describes as secrets are printed as "[redacted]"; only Fortanix
    /// has such members. Everything else is printed as received. SailPoint's `attributes` contain whatever
    /// its sources return.
    #[arg(long)]
    pub(crate) raw: bool,
    /// Request each Huawei account's registered email address and phone number, which are personal data.
    ///
    /// Without this option, Huawei's accounts have no `email`. With it, Huawei returns at most 200 accounts
    /// per page.
    #[arg(long)]
    pub(crate) huawei_contacts: bool,
    /// The version of Annature's endpoint. v1 returns at most 1,000 accounts. [default: v2]
    #[arg(long, value_enum, value_name = "V")]
    pub(crate) annature_api: Option<AnnatureApi>,
    /// The version of SailPoint's API. [default: accounts-v1]
    #[arg(long, value_enum, value_name = "V")]
    pub(crate) sailpoint_api: Option<SailPointApi>,
    /// Read SailPoint's e-mail addresses from this attribute of its accounts, such as `mail`. May be repeated.
    ///
    /// SailPoint has no member for e-mail addresses. The simulator's attribute is read by default.
    #[arg(long = "sailpoint-email-attribute", value_name = "NAME")]
    pub(crate) sailpoint_email_attributes: Vec<String>,
    /// Save checkpoints in FILE, and resume from it if it exists. Requires ndjson, csv or inventory.
    ///
    /// The built-in simulators are new in each run, so their lists cannot be resumed: start the program `simulate`.
    /// Append (>>) the output: earlier lines and the CSV header are not printed again. The summaries count
    /// the output of all runs. A list that an earlier run finished is not listed again. If all lists are
    /// finished, the exit code is 2; remove FILE to list again.
    ///
    /// A checkpoint is saved after every 50 printed accounts, or after --page-size minus one if that is less.
    /// If the program is killed and started again, no account is lost, and at most that many are printed
    /// twice. At Huawei and Annature, the accounts of one page may also be printed twice if the page has
    /// changed between the runs; the summary then says so.
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Prefetch up to N pages of each source.
    #[arg(long, value_name = "N", conflicts_with = "concurrency", value_parser = at_least_one())]
    pub(crate) ahead: Option<usize>,
    /// Fetch up to N pages concurrently if the provider supports it (SailPoint). Others are fetched
    /// sequentially.
    #[arg(long, value_name = "N", value_parser = at_least_one())]
    pub(crate) concurrency: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table, printed at the end.
    Table,
    /// One JSON object per line, printed immediately. Strings are exactly as the provider sent them.
    Ndjson,
    /// One JSON object for each account, and reports that say whether each list is complete, for the programs `diff` and
    /// `report`.
    Inventory,
    /// Comma-separated values, printed immediately. A cell that starts with =, +, -, @, one of their
    /// full-width forms, a tab or a line break is prefixed with an apostrophe, because a spreadsheet would execute it as a formula.
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

/// Returns the part of `--help` that lists each provider's credentials.
fn credentials_help() -> String {
    let line = |provider: &crate::providers::Provider| {
        format!("\n  {:11}{}", provider.name, provider.credentials_text())
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
    /// Parses the command line. Exits with 2 if it is invalid.
    pub(crate) fn parse_or_exit() -> Self {
        let mut command = Self::command().after_help(credentials_help());
        let args = Self::from_arg_matches(&command.get_matches_mut()).unwrap_or_else(|error| error.exit());
        let mut reject = |message| command.error(ErrorKind::ArgumentConflict, message).exit();
        if args.checkpoint.is_some() && args.format == Format::Table {
            reject(
                "--checkpoint requires --format ndjson, csv or inventory: a table is printed only at the end",
            );
        }
        if args.wide && args.format != Format::Table {
            reject("--wide requires --format table");
        }
        if args.tenant.is_some() && args.format != Format::Inventory {
            reject("--tenant requires --format inventory");
        }
        if args.raw && args.format != Format::Ndjson {
            reject("--raw requires --format ndjson");
        }
        args
    }
}
