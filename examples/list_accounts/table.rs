//! A table that fits the terminal.

use std::{
    env,
    io::{self, IsTerminal as _, Write},
};

use comfy_table::{ColumnConstraint, ContentArrangement, Row, presets::NOTHING};
use headcount::escape_hidden;

use crate::output::COLUMNS;

/// The columns of a table that is not wide, except the date and the mark of simulators.
const NARROW: [&str; 6] = ["source", "id", "name", "email", "owner", "status"];

/// The narrowest terminal in which ids are not shortened.
const WIDE_ENOUGH: u16 = 140;

/// Rows of [`COLUMNS`], printed at the end.
pub(crate) struct Table {
    rows: Vec<[String; COLUMNS.len()]>,
    wide: bool,
}

impl Table {
    pub(crate) fn new(wide: bool) -> Self {
        Self { rows: Vec::new(), wide }
    }

    pub(crate) fn add(&mut self, row: [String; COLUMNS.len()]) {
        self.rows.push(row);
    }

    pub(crate) fn print(self, out: &mut impl Write) -> io::Result<()> {
        let (columns, rows) = if self.wide {
            (COLUMNS.to_vec(), self.rows.into_iter().map(Vec::from).collect())
        } else {
            narrow(&self.rows)
        };
        let width = if self.wide { None } else { terminal_width() };
        let mut table = comfy_table::Table::new();
        table.load_style(NOTHING).set_truncation_indicator("…");
        match width {
            Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
            None => table.set_content_arrangement(ContentArrangement::Disabled),
        };
        table.set_header(columns.clone());
        for row in rows {
            let mut cells = Row::from(row.iter().map(|cell| escape_hidden(cell)));
            if width.is_some() {
                cells.max_height(1);
            }
            table.add_row(cells);
        }
        for (name, column) in columns.iter().zip(table.column_iter_mut()) {
            // Ids are copied, so they are shortened only where little else would fit.
            let flexible =
                matches!(*name, "name" | "email" | "owner") || (*name == "id" && width < Some(WIDE_ENOUGH));
            if !flexible {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        for line in table.lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// Returns the main columns, with one for the date, without those that are empty.
fn narrow(rows: &[[String; COLUMNS.len()]]) -> (Vec<&'static str>, Vec<Vec<String>>) {
    let index = |name: &str| COLUMNS.iter().position(|column| *column == name).unwrap_or_default();
    let mut columns: Vec<_> = NARROW.iter().map(|name| (*name, Vec::from([index(name)]))).collect();
    columns.push(("since", Vec::from([index("created_at"), index("joined_at")])));
    columns.push(("simulated", Vec::from([index("simulated")])));
    // The first that is not empty, and of a time only the date.
    let cell = |(name, sources): &(&str, Vec<usize>), row: &[String; COLUMNS.len()]| {
        let mut texts = sources.iter().filter_map(|source| row.get(*source));
        let text = texts.find(|text| !text.is_empty()).cloned().unwrap_or_default();
        match *name {
            "since" => text.split('T').next().unwrap_or_default().to_owned(),
            "simulated" if text == "false" => String::new(),
            "simulated" => "yes".to_owned(),
            _ => text,
        }
    };
    columns.retain(|column| rows.is_empty() || rows.iter().any(|row| !cell(column, row).is_empty()));
    let rows = rows.iter().map(|row| columns.iter().map(|column| cell(column, row)).collect()).collect();
    (columns.into_iter().map(|(name, _)| name).collect(), rows)
}

/// Returns the width of the variable `COLUMNS`, or of the terminal, or `None` if the output is no terminal.
fn terminal_width() -> Option<u16> {
    let from_env =
        env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|width| *width > 0);
    from_env.or_else(|| io::stdout().is_terminal().then(|| console::Term::stdout().size().1))
}
