//! Prints the tables and writes them to `benches/RESULTS.md`.

use std::{fmt::Write as _, fs, path::PathBuf};

use super::machine;

/// The order of the tables in the file.
const ORDER: [&str; 9] =
    ["timing", "latency", "memory", "heap", "instructions", "small", "scale", "build", "other"];

/// A section of one or several tables.
pub(crate) struct Section {
    /// The name on the command line, and the bench target.
    pub(crate) name: &'static str,
    pub(crate) target: &'static str,
    pub(crate) title: &'static str,
    /// How the numbers were measured.
    pub(crate) text: String,
    pub(crate) tables: Vec<Table>,
}

pub(crate) struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(head: &[&str]) -> Self {
        Self { head: head.iter().map(|&name| name.to_owned()).collect(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    fn render(&self) -> String {
        let width = |column: usize| {
            let cells = self.rows.iter().chain([&self.head]).filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        let line = |cells: &[String]| {
            let cells = cells.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
                // Names are left-aligned, numbers right-aligned.
                if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            });
            format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
        };
        let rule = widths.iter().enumerate().map(|(column, &width)| {
            let rule = "-".repeat(width.max(2));
            if column == 0 { rule } else { format!("{}:", &rule[1..]) }
        });
        let mut text = line(&self.head);
        text += &line(&rule.collect::<Vec<_>>());
        self.rows.iter().for_each(|row| text += &line(row));
        text
    }
}

/// A target for a number.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
}

impl Target {
    /// Formats the target and whether `value` meets it.
    pub(crate) fn judge(self, value: f64) -> String {
        let (sign, target, is_met) = match self {
            Self::AtMost(target) => ('≤', target, value <= target),
            Self::AtLeast(target) => ('≥', target, value >= target),
        };
        format!("{sign} {target} {}", if is_met { "met" } else { "**misses**" })
    }
}

/// Returns the rate per second of `count` in `seconds`.
pub(crate) fn per_second(count: u64, seconds: f64) -> u128 {
    let one = std::time::Duration::from_secs_f64(seconds).as_nanos();
    u128::from(count) * 1_000_000_000 / one.max(1)
}

/// Formats a number with thousands separators.
pub(crate) fn thousands(number: impl Into<u128>) -> String {
    let digits = number.into().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl Section {
    /// Prints the section and replaces it in the file.
    pub(crate) fn publish(&self) {
        let mut body = format!("## {}\n\n", self.title);
        let (name, target) = (self.name, self.target);
        let _ = writeln!(body, "`cargo bench --bench {target} -- {name}`, {}\n", machine::date());
        let _ = writeln!(body, "{}", self.text.trim());
        for table in &self.tables {
            let _ = write!(body, "\n{}", table.render());
        }
        println!("\n{body}");
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches").join("RESULTS.md");
        let head = head();
        let old = fs::read_to_string(&path).unwrap_or_default();
        // Drops all results of another machine.
        let kept = old.strip_prefix(&*head).unwrap_or_default();
        let mut sections: Vec<(String, String)> = kept
            .split("<!-- table: ")
            .filter_map(|section| section.split_once(" -->\n"))
            .map(|(name, body)| (name.to_owned(), body.trim().to_owned()))
            .filter(|(name, _)| name != self.name)
            .collect();
        sections.push((self.name.to_owned(), body.trim().to_owned()));
        sections.sort_by_key(|(name, _)| ORDER.iter().position(|other| other == name));
        let sections = sections.iter().map(|(name, body)| format!("<!-- table: {name} -->\n{body}\n"));
        let text = head + &sections.collect::<Vec<_>>().join("\n");
        if let Err(error) = fs::write(&path, text) {
            eprintln!("failed to write {}: {error}", path.display());
        }
    }
}

fn head() -> String {
    format!(
        "# Benchmarks\n\n\
         `cargo bench` measures everything and writes this file and the charts. Ratios are within one run. *By hand* is \
         a loop with reqwest and `serde_json` that decodes the same fields (`suite/by_hand.rs`).\n\n\
         ![accounts per second, time by latency, memory by length](results.svg)\n\n\
         {}\n\n",
        machine::describe()
    )
}
