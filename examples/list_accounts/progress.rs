//! Bars and messages on the standard error.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io::{self, IsTerminal, Write as _},
};

use headcount::{Completeness, Error, Summary};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::escape::visible;

pub(crate) struct Progress {
    all: MultiProgress,
    bars: BTreeMap<String, ProgressBar>,
    /// The sources that an earlier run finished.
    earlier: BTreeSet<String>,
}

impl Progress {
    pub(crate) fn new<'a>(sources: impl IntoIterator<Item = &'a str>, earlier: BTreeSet<String>) -> Self {
        let all = MultiProgress::new();
        let mut bars = BTreeMap::new();
        if std::io::stderr().is_terminal() {
            let style = ProgressStyle::with_template("{prefix:10} {spinner} {pos} {msg}");
            for source in sources {
                let bar = all.add(ProgressBar::no_length().with_prefix(source.to_owned()));
                if let Ok(style) = &style {
                    bar.set_style(style.clone());
                }
                bars.insert(source.to_owned(), bar);
            }
        }
        Self { all, bars, earlier }
    }

    pub(crate) fn account(&self, source: &str) {
        if let Some(bar) = self.bars.get(source) {
            bar.inc(1);
        }
    }

    /// Takes the provider's count into the bar.
    pub(crate) fn total(&self, source: &str, total: Option<u64>) {
        if let (Some(bar), Some(total)) = (self.bars.get(source), total) {
            bar.set_message(format!("of {total}"));
        }
    }

    pub(crate) fn rejected(&self, source: &str, error: &Error) {
        self.say(&format!("{source}: {error}"));
    }

    /// The closing line of a source. `true` if its list is whole.
    pub(crate) fn summary(&self, source: &str, summary: &Summary, error: Option<&Error>) -> bool {
        if let Some(bar) = self.bars.get(source) {
            bar.finish_and_clear();
        }
        let (accounts, pages) = (counted(summary.items, "account"), counted(summary.pages, "page"));
        let mut line = format!("{source}: {accounts} on {pages}");
        if self.earlier.contains(source) {
            line += ", all by an earlier run, and not listed again";
        }
        if summary.repeats_at_most > 0 {
            let repeats = summary.repeats_at_most;
            let _ = write!(
                line,
                ", at most {repeats} of them repeated: their page changed before it was resumed"
            );
        }
        if summary.duplicates > 0 {
            let _ = write!(line, ", {} repeated rows left out", summary.duplicates);
        }
        let whole = match (&summary.completeness, error) {
            (_, Some(error)) => {
                let _ = write!(line, "; failed: {error}");
                false
            }
            (Completeness::Complete, None) => {
                line += "; the list is whole";
                true
            }
            (Completeness::Uncertain(doubts), None) => {
                let doubts: Vec<_> = doubts.iter().map(ToString::to_string).collect();
                let _ = write!(line, "; warning, the list may not be whole: {}", doubts.join("; "));
                false
            }
            (_, None) => {
                line += "; stopped before the end";
                false
            }
        };
        self.say(&line);
        whole
    }

    fn say(&self, line: &str) {
        // Whoever closed the standard error does not want to read it.
        self.all.suspend(|| {
            let _ = writeln!(io::stderr(), "{}", visible(line));
        });
    }
}

fn counted(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
