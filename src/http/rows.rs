use std::{borrow::Cow, collections::BTreeMap, fmt::Write as _};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{
    page::{Page, Rejected},
    record::{FromRow, reason},
};

/// How much of a row's shape an error may hold, in bytes.
const LONGEST_SHAPE: usize = 300;

/// The rows of a page: decoded one by one, so that a bad one costs only itself.
#[derive(Debug)]
pub(crate) struct Rows<T> {
    pub(crate) items: Vec<T>,
    pub(crate) rejected: Vec<Rejected>,
    /// The id of every row, in order; `None` where it has none.
    pub(crate) ids: Vec<Option<String>>,
}

impl<T: FromRow> Rows<T> {
    /// Decodes `rows`; `id` tells the id of a decoded one.
    pub(crate) fn decode(rows: &[&RawValue], id: impl Fn(&T) -> String) -> Self {
        let mut this = Self {
            items: Vec::with_capacity(rows.len()),
            rejected: Vec::new(),
            ids: Vec::with_capacity(rows.len()),
        };
        for (index, row) in rows.iter().enumerate() {
            match T::from_row((*row).to_owned()) {
                Ok(item) => {
                    this.ids.push(Some(id(&item)));
                    this.items.push(item);
                }
                Err(error) => {
                    let mut rejected = Rejected::new(index, reason(&error));
                    rejected.id = member(row, T::ID);
                    rejected.shape = shape(row);
                    this.ids.push(rejected.id.clone());
                    this.rejected.push(rejected);
                }
            }
        }
        this
    }
}

impl<T> Rows<T> {
    pub(crate) fn none() -> Self {
        Self { items: Vec::new(), rejected: Vec::new(), ids: Vec::new() }
    }

    /// How many rows there are, good and bad.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// How many of up to `count` rows behind `row` have no id: those that were seen without one before, if
    /// they are still there.
    pub(crate) fn nameless_behind(&self, row: usize, count: u64) -> usize {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        self.ids.iter().skip(row).take(count).take_while(|id| id.is_none()).count()
    }

    /// Leaves out the rows for which `keep` is false; how many those were.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(usize, Option<&str>) -> bool) -> u64 {
        let kept: Vec<bool> =
            self.ids.iter().enumerate().map(|(index, id)| keep(index, id.as_deref())).collect();
        let mut rejected = std::mem::take(&mut self.rejected).into_iter().peekable();
        let mut items = std::mem::take(&mut self.items).into_iter();
        let mut ids = std::mem::take(&mut self.ids).into_iter();
        let (mut place, mut dropped) = (0, 0);
        for (index, keep) in kept.into_iter().enumerate() {
            let id = ids.next().flatten();
            let row = rejected.next_if(|row| row.index == index);
            let item = if row.is_none() { items.next() } else { None };
            if !keep {
                dropped += 1;
                continue;
            }
            self.ids.push(id);
            self.items.extend(item);
            self.rejected.extend(row.map(|mut row| {
                row.index = place;
                row
            }));
            place += 1;
        }
        dropped
    }

    /// These rows as a page that leads to `next`.
    pub(crate) fn into_page<C>(self, next: Option<C>) -> Page<T, C> {
        Page::new(self.items, next).with_rejected(self.rejected)
    }
}

/// A string member of a JSON object.
fn member(row: &RawValue, name: &str) -> Option<String> {
    let mut members: BTreeMap<Cow<'_, str>, &RawValue> = parse(row)?;
    parse_owned::<String>(members.remove(name)?).filter(|id| !id.is_empty())
}

fn parse<'a, T: Deserialize<'a>>(json: &'a RawValue) -> Option<T> {
    serde_json::from_str(json.get()).ok()
}

fn parse_owned<T: DeserializeOwned>(json: &RawValue) -> Option<T> {
    serde_json::from_str(json.get()).ok()
}

/// Names and types of a row's members, without their values: those may be secrets or personal data.
fn shape(row: &RawValue) -> String {
    let Some(members) = parse::<BTreeMap<Cow<'_, str>, &RawValue>>(row) else {
        return type_name(row).to_owned();
    };
    let mut text = String::from("{");
    for (name, value) in &members {
        let comma = if text.len() > 1 { ", " } else { "" };
        let _ = write!(text, "{comma}{}: {}", name.escape_debug(), type_name(value));
        if text.len() > LONGEST_SHAPE {
            let fits = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= LONGEST_SHAPE);
            let cut = fits.last().unwrap_or(0);
            text.truncate(cut);
            text.push('…');
            break;
        }
    }
    text.push('}');
    text
}

fn type_name(json: &RawValue) -> &'static str {
    match json.get().as_bytes().first() {
        Some(b'{') => "object",
        Some(b'[') => "array",
        Some(b'"') => "string",
        Some(b't' | b'f') => "bool",
        Some(b'n') => "null",
        _ => "number",
    }
}
