//! Progress bars and messages on the standard error.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io::{self, IsTerminal, Write as _},
    time::Duration,
};

use headcount::{Completeness, Error, Summary, escape_hidden};
use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
};

/// The shortest wait that is reported without a terminal.
const REPORTED_WAIT: Duration = Duration::from_secs(2);

/// One bar for each source if the standard error is a terminal.
#[derive(Clone)]
pub(crate) struct Progress {
    multi: MultiProgress,
    bars: BTreeMap<String, ProgressBar>,
    /// The sources that an earlier run finished.
    finished: BTreeSet<String>,
}

impl Progress {
    pub(crate) fn new<'a>(
        sources: impl IntoIterator<Item = (&'a str, Summary)>,
        finished: BTreeSet<String>,
    ) -> Self {
        let multi = MultiProgress::new();
        let mut bars = BTreeMap::new();
        if io::stderr().is_terminal() {
            for (source, summary) in sources {
                let bar = multi.add(ProgressBar::no_length().with_prefix(source.to_owned()));
                set_style(&bar, "{prefix:10} {spinner} {pos} accounts, {rate} {msg}");
                bar.set_position(summary.items);
                // The rate is that of this run.
                bar.reset_eta();
                bar.enable_steady_tick(Duration::from_millis(200));
                bars.insert(source.to_owned(), bar);
            }
        }
        Self { multi, bars, finished }
    }

    /// Shows for which reason and how long requests wait.
    ///
    /// On a terminal the bar says so, otherwise a line for each wait of [`REPORTED_WAIT`].
    pub(crate) fn show_waits(&self) {
        let waits = tracing_subscriber::registry().with(Waits(self.clone()));
        // Only this program sets it.
        let _ = tracing::subscriber::set_global_default(waits);
    }

    pub(crate) fn account(&self, source: &str) {
        if let Some(bar) = self.bars.get(source) {
            bar.inc(1);
            if !bar.message().is_empty() {
                bar.set_message("");
            }
        }
    }

    /// Sets the length of the bar to the provider's count.
    pub(crate) fn total(&self, source: &str, total: Option<u64>) {
        if let (Some(bar), Some(total)) = (self.bars.get(source), total)
            && bar.length() != Some(total)
        {
            set_style(bar, "{prefix:10} [{bar:24}] {pos} of {len} accounts, {rate} {msg}");
            bar.set_length(total);
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

    /// Removes all bars from the terminal.
    pub(crate) fn clear(&self) {
        for bar in self.bars.values() {
            bar.finish_and_clear();
        }
    }

    fn waits(&self, source: &str, wait: Duration, reason: &str) {
        let text = format!("waits {:.0} s {reason}", wait.as_secs_f64().ceil());
        match self.bars.get(source) {
            Some(bar) => bar.set_message(text),
            None if wait >= REPORTED_WAIT => self.log(&format!("{source}: {text}")),
            None => {}
        }
    }

    fn log(&self, line: &str) {
        // A closed standard error is ignored.
        self.multi.suspend(|| {
            let _ = writeln!(io::stderr(), "{}", escape_hidden(line));
        });
    }
}

fn set_style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        let rate = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            let _ = write!(out, "{:.0}/s", state.per_sec());
        };
        bar.set_style(style.progress_chars("=> ").with_key("rate", rate));
    }
}

/// Reads the events of waits that headcount traces.
struct Waits(Progress);

impl<S: Subscriber> Layer<S> for Waits {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.is_event() && metadata.target().starts_with("headcount::")
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Wait::default();
        event.record(&mut fields);
        if let (Some(provider), Some(millis)) = (fields.provider, fields.millis) {
            let reason = match fields.kind.as_deref() {
                None => "for the rate limit".to_owned(),
                Some("Throttled") => "because the provider limits the rate".to_owned(),
                Some(kind) => format!("before a retry ({kind})"),
            };
            self.0.waits(&provider, Duration::from_millis(millis), &reason);
        }
    }
}

/// The fields of an event of a wait. Those before a retry have a kind.
#[derive(Default)]
struct Wait {
    provider: Option<String>,
    millis: Option<u64>,
    kind: Option<String>,
}

impl Visit for Wait {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "wait_ms" {
            self.millis = Some(value);
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "provider" {
            self.provider = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "kind" {
            self.kind = Some(format!("{value:?}"));
        }
    }
}

fn plural(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
