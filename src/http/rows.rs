use std::{borrow::Cow, collections::BTreeMap, fmt, fmt::Write as _, ops::Deref};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    Error, Result,
    page::{Page, Rejected},
    record::{DEEPEST, FromRow, is_too_deep, reason},
};

/// The most rows of a page. Larger pages are none: accounts have more than the 64 bytes that would be left to each
/// by the largest answer that is taken by default.
const MOST_ROWS: usize = 1_000_000;
/// The most rows of a page that can not be read. Beyond them it is the page that is not what was promised.
const MOST_REJECTED: usize = 10_000;
/// How many rows a page is expected to have; more are no matter.
const USUAL_ROWS: usize = 1000;
/// How much of a row's shape an error may hold, in bytes.
const LONGEST_SHAPE: usize = 300;
/// How much of a member's name the reason of a rejected row may hold, in characters.
const LONGEST_NAME: usize = 64;
/// So many names fill a shape, however short they are.
const MOST_NAMES: usize = 60;

/// The rows of a page as they came.
#[derive(Debug)]
pub(crate) struct RawRows<'a>(Vec<&'a RawValue>);

impl<'a> Deref for RawRows<'a> {
    type Target = [&'a RawValue];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for RawRows<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Vec<&'de RawValue>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
                let mut rows = Vec::new();
                while let Some(row) = elements.next_element()? {
                    rows.push(row);
                    if rows.len() > MOST_ROWS {
                        // They are too many to be kept, and are refused when they are decoded.
                        while elements.next_element::<IgnoredAny>()?.is_some() {}
                        break;
                    }
                }
                Ok(rows)
            }
        }

        deserializer.deserialize_seq(Reader).map(Self)
    }
}

/// The rows of a page: decoded one by one, so that a bad one costs only itself.
#[derive(Debug)]
pub(crate) struct Rows<T> {
    pub(crate) items: Vec<T>,
    pub(crate) rejected: Vec<Rejected>,
    /// The id of every row, in order; `None` where it has none.
    pub(crate) ids: Vec<Option<String>>,
}

impl<T: FromRow> Rows<T> {
    /// Decodes `rows`.
    ///
    /// # Errors
    /// If they are too many, or so many can not be read that what is told of them would be more than the page.
    pub(crate) fn decode(rows: &[&RawValue]) -> Result<Self> {
        if rows.len() > MOST_ROWS {
            return Err(Error::decode(format!("the page has more rows than {MOST_ROWS}")));
        }
        let usual = rows.len().min(USUAL_ROWS);
        let mut this =
            Self { items: Vec::with_capacity(usual), rejected: Vec::new(), ids: Vec::with_capacity(usual) };
        for (index, row) in rows.iter().enumerate() {
            match T::from_row((*row).to_owned()) {
                Ok(item) => {
                    this.ids.push(Some(item.row_id().into_owned()));
                    this.items.push(item);
                }
                Err(error) if this.rejected.len() == MOST_REJECTED => {
                    return Err(Error::decode(format!(
                        "more than {MOST_REJECTED} of the page's {} rows can not be read; row {index}: {}",
                        rows.len(),
                        explain(row, T::ID, &error)
                    )));
                }
                Err(error) => {
                    let mut rejected = Rejected::new(index, explain(row, T::ID, &error)).with_text(row.get());
                    rejected.id = member(row, T::ID);
                    rejected.shape = shape(row);
                    this.ids.push(rejected.id.clone());
                    this.rejected.push(rejected);
                }
            }
        }
        Ok(this)
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

/// Why a row with the id in its member `id` was refused, without its values.
fn explain(row: &RawValue, id: &str, error: &serde_json::Error) -> String {
    if !row.get().starts_with('{') {
        return "it is no object".to_owned();
    }
    if is_too_deep(row) {
        return format!("it is nested deeper than {DEEPEST} levels");
    }
    if member(row, id).is_none() {
        return format!("it has no {id}, or no text for one");
    }
    // Where in the text serde stopped, and the member that stands there.
    let lines = row.get().split_inclusive('\n').take(error.line().saturating_sub(1));
    let stopped = lines.map(str::len).sum::<usize>() + error.column();
    let mut place = String::new();
    each_member(row, |name, value| {
        if value.get().as_ptr().addr() - row.get().as_ptr().addr() <= stopped {
            let name: String = name.chars().take(LONGEST_NAME).collect();
            place = format!(", at its member {name:?} ({})", type_name(value));
        }
    });
    reason(error) + &place
}

/// A string member of a JSON object; of several, the last.
fn member(row: &RawValue, name: &str) -> Option<String> {
    let mut found = None;
    each_member(row, |member, value| {
        if member == name {
            found = Some(value);
        }
    })?;
    serde_json::from_str(found?.get()).ok().filter(|id: &String| !id.is_empty())
}

/// Names and types of a row's members, without their values: those may be secrets or personal data.
fn shape(row: &RawValue) -> String {
    let mut members = BTreeMap::new();
    let told = each_member(row, |name, value| {
        members.insert(name, type_name(value));
        if members.len() > MOST_NAMES {
            members.pop_last();
        }
    });
    if told.is_none() {
        return type_name(row).to_owned();
    }
    let mut text = String::from("{");
    for (name, kind) in &members {
        let comma = if text.len() > 1 { ", " } else { "" };
        let _ = write!(text, "{comma}{}: {kind}", name.escape_debug());
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

/// Shows `look` the members of a JSON object one by one: together they may take many times the memory of their
/// text. `None` if it is no object.
fn each_member<'a>(row: &'a RawValue, look: impl FnMut(Cow<'a, str>, &'a RawValue)) -> Option<()> {
    struct Each<F>(F);

    impl<'de, F: FnMut(Cow<'de, str>, &'de RawValue)> Visitor<'de> for Each<F> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
            while let Some((name, value)) = members.next_entry()? {
                (self.0)(name, value);
            }
            Ok(())
        }
    }

    serde_json::Deserializer::from_str(row.get()).deserialize_map(Each(look)).ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: String) -> Box<RawValue> {
        RawValue::from_string(json).unwrap()
    }

    #[test]
    fn a_shape_has_names_in_order_and_types_and_no_values() {
        for (json, expected) in [
            (
                r#"{"b":"s3cret","a":[1],"c":{},"d":null,"e":true,"f":-1}"#,
                "{a: array, b: string, c: object, d: null, e: bool, f: number}",
            ),
            (r#"{"a":1,"a":"x","\u0061":null}"#, "{a: null}"),
            ("{}", "{}"),
            ("[1]", "array"),
            (r#""s3cret""#, "string"),
        ] {
            assert_eq!(shape(&raw(json.to_owned())), expected);
        }
        let members: Vec<_> = (0..100_000).rev().map(|number| format!(r#""{number:06}":0"#)).collect();
        let text = shape(&raw(format!("{{{}}}", members.join(","))));
        assert!(text.starts_with("{000000: number, 000001: number, "), "{text}");
        assert!(text.ends_with("…}") && text.len() <= LONGEST_SHAPE + 4, "{text}");
    }

    #[derive(Debug, Deserialize)]
    struct Row {
        #[serde(deserialize_with = "crate::record::id")]
        id: String,
        #[serde(default)]
        #[expect(dead_code, reason = "it is only read")]
        active: Option<bool>,
        #[serde(default)]
        #[expect(dead_code, reason = "it is only read")]
        count: u8,
    }

    impl FromRow for Row {
        const ID: &'static str = "id";

        fn from_row(json: Box<RawValue>) -> serde_json::Result<Self> {
            crate::record::refuse_array(&json)?;
            crate::record::refuse_deep(&json)?;
            serde_json::from_str(json.get())
        }

        fn row_id(&self) -> Cow<'_, str> {
            Cow::Borrowed(&self.id)
        }
    }

    #[test]
    fn a_rejected_row_says_where_and_no_value() {
        for (row, reason) in [
            (
                r#"{"id":"a","active":"s3cret","count":1}"#,
                "invalid data at line 1 column 27, at its member \"active\" (string)",
            ),
            (
                "{\"id\":\"a\",\n\"x\":{},\n\"count\":{\"s3cret\":1}}",
                "invalid data at line 3 column 8, at its member \"count\" (object)",
            ),
            (
                r#"{"count":-1,"id":"a"}"#,
                "invalid data at line 1 column 11, at its member \"count\" (number)",
            ),
            (r#"{"active":true}"#, "it has no id, or no text for one"),
            (r#"{"id":""}"#, "it has no id, or no text for one"),
            (r#"["a",true,1]"#, "it is no object"),
            ("7", "it is no object"),
        ] {
            let row = raw(row.to_owned());
            let rows = Rows::<Row>::decode(&[&row]).unwrap();
            assert_eq!(rows.rejected[0].reason, reason, "{row}");
        }
    }

    #[test]
    fn a_row_nested_too_deeply_is_rejected() {
        let row = |levels: usize| {
            raw(format!(r#"{{"id":"a","x":{}{}}}"#, "[".repeat(levels - 1), "]".repeat(levels - 1)))
        };
        let (deepest, deeper) = (row(DEEPEST), row(DEEPEST + 1));
        let rows = Rows::<Row>::decode(&[&deepest, &deeper, &deepest]).unwrap();
        assert_eq!((rows.items.len(), rows.rejected.len()), (2, 1));
        let rejected = &rows.rejected[0];
        assert_eq!((rejected.index, rejected.id.as_deref()), (1, Some("a")));
        assert_eq!(rejected.reason, "it is nested deeper than 127 levels");
    }

    #[test]
    fn the_id_of_a_bad_row_is_a_string_with_something_in_it() {
        for (json, expected) in [
            (r#"{"x":{"id":"no"},"id":"yes","z":1}"#, Some("yes")),
            (r#"{"id":"first","id":"last"}"#, Some("last")),
            (r#"{"id":"first","id":1}"#, None),
            (r#"{"id":""}"#, None),
            (r#"{"x":1}"#, None),
            (r#"["id","x"]"#, None),
        ] {
            assert_eq!(member(&raw(json.to_owned()), "id").as_deref(), expected, "{json}");
        }
    }
}
