//! What is printed, and written to `benches/RESULTS.md`.

use std::{fmt::Write as _, fs, path::PathBuf};

use super::machine;

/// The tables in the order in which they stand in the file.
const ORDER: [&str; 9] =
    ["timing", "latency", "memory", "heap", "instructions", "small", "scale", "build", "other"];

/// One table, or a few that belong together.
pub(crate) struct Section {
    /// What it is called on the command line, and the target that makes it.
    pub(crate) name: &'static str,
    pub(crate) target: &'static str,
    pub(crate) title: &'static str,
    /// How it was measured.
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
                // Names to the left, numbers to the right.
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

/// A figure against the most, or the least, that it should be.
#[derive(Clone, Copy)]
pub(crate) enum Bar {
    AtMost(f64),
    AtLeast(f64),
}

impl Bar {
    /// A cell: the bar, and whether `value` meets it.
    pub(crate) fn judge(self, value: f64) -> String {
        let (sign, bar, is_met) = match self {
            Self::AtMost(bar) => ('≤', bar, value <= bar),
            Self::AtLeast(bar) => ('≥', bar, value >= bar),
        };
        format!("{sign} {bar} {}", if is_met { "met" } else { "**misses**" })
    }
}

/// How many there are in one second, of `count` in so many.
pub(crate) fn per_second(count: u64, seconds: f64) -> u128 {
    let one = std::time::Duration::from_secs_f64(seconds).as_nanos();
    u128::from(count) * 1_000_000_000 / one.max(1)
}

/// A number with a comma after every thousand.
pub(crate) fn thousands(number: impl Into<u128>) -> String {
    let digits = number.into().to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl Section {
    /// Prints the section, and puts it into the file in the place of an older one.
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
        // What another machine measured can not stand beside this.
        let kept = old.strip_prefix(&*head).unwrap_or_default();
        let mut sections: Vec<(String, String)> = kept
            .split("<!-- table: ")
            .filter_map(|section| section.split_once(" -->\n"))
            .map(|(name, body)| (name.to_owned(), body.trim().to_owned()))
            .filter(|(name, _)| name != self.name)
            .collect();
        sections.push((self.name.to_owned(), body.trim().to_owned()));
        sections.sort_by_key(|(name, _)| ORDER.iter().position(|known| known == name));
        let sections = sections.iter().map(|(name, body)| format!("<!-- table: {name} -->\n{body}\n"));
        let text = head + &sections.collect::<Vec<_>>().join("\n");
        if let Err(error) = fs::write(&path, text) {
            eprintln!("{} can not be written: {error}", path.display());
        }
    }
}

fn head() -> String {
    format!(
        "# What the crate costs\n\n\
         `cargo bench` measures all of it, and writes this file and the picture. Ratios are within one run; *by hand* \
         is a loop with reqwest and `serde_json` that reads the same fields (`suite/by_hand.rs`).\n\n\
         ![accounts a second, time against latency, memory against length](results.svg)\n\n\
         {}\n\n",
        machine::describe()
    )
}
