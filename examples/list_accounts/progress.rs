//! Progress bars and messages on the standard error.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io::{self, IsTerminal, Write as _},
};

use headcount::{Completeness, Error, Summary};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::escape::escape_hidden;

pub(crate) struct Progress {
    multi: MultiProgress,
    bars: BTreeMap<String, ProgressBar>,
    /// The sources that an earlier run finished.
    finished: BTreeSet<String>,
}

impl Progress {
    pub(crate) fn new<'a>(sources: impl IntoIterator<Item = &'a str>, finished: BTreeSet<String>) -> Self {
        let multi = MultiProgress::new();
        let mut bars = BTreeMap::new();
        if std::io::stderr().is_terminal() {
            let style = ProgressStyle::with_template("{prefix:10} {spinner} {pos} {msg}");
            for source in sources {
                let bar = multi.add(ProgressBar::no_length().with_prefix(source.to_owned()));
                if let Ok(style) = &style {
                    bar.set_style(style.clone());
                }
                bars.insert(source.to_owned(), bar);
            }
        }
        Self { multi, bars, finished }
    }

    pub(crate) fn account(&self, source: &str) {
        if let Some(bar) = self.bars.get(source) {
            bar.inc(1);
        }
    }

    /// Shows the provider's count next to the bar.
    pub(crate) fn total(&self, source: &str, total: Option<u64>) {
        if let (Some(bar), Some(total)) = (self.bars.get(source), total) {
            bar.set_message(format!("of {total}"));
        }
    }

    pub(crate) fn rejected(&self, error: &Error) {
        self.log(&error.to_string());
    }

    /// Prints the summary of a source. Returns whether its list is complete.
    pub(crate) fn summary(&self, source: &str, summary: &Summary, error: Option<&Error>) -> bool {
        if let Some(bar) = self.bars.get(source) {
            bar.finish_and_clear();
        }
        let (accounts, pages) = (plural(summary.items, "account"), plural(summary.pages, "page"));
        let mut line = format!("{source}: {accounts} on {pages}");
        if self.finished.contains(source) {
            line += ", listed by an earlier run";
        }
        if summary.repeats_at_most > 0 {
            let repeats = summary.repeats_at_most;
            let _ = write!(
                line,
                ", at most {repeats} of them repeated because their page changed before it was resumed"
            );
        }
        if summary.duplicates > 0 {
            let _ = write!(line, ", {} omitted", plural(summary.duplicates, "duplicate row"));
        }
        let complete = match (&summary.completeness, error) {
            (_, Some(error)) => {
                let _ = write!(line, "; failed: {error}");
                false
            }
            (Completeness::Complete, None) => {
                line += "; complete";
                true
            }
            (Completeness::Uncertain(reasons), None) => {
                let reasons: Vec<_> = reasons.iter().map(ToString::to_string).collect();
                let _ = write!(line, "; warning: the list may be incomplete: {}", reasons.join("; "));
                false
            }
            (_, None) => {
                line += "; stopped before the end";
                false
            }
        };
        self.log(&line);
        complete
    }

    fn log(&self, line: &str) {
        // A closed standard error is ignored.
        self.multi.suspend(|| {
            let _ = writeln!(io::stderr(), "{}", escape_hidden(line));
        });
    }
}

fn plural(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
