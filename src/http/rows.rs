use std::{borrow::Cow, collections::BTreeMap, fmt, fmt::Write as _, sync::Arc};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    Error, Result,
    page::{Page, Rejected, in_order},
    record::{DEEPEST, FromRow, HasId, is_too_deep, reason},
};

/// The most rows of a page. Larger pages are none: accounts have more than the 64 bytes that would be left to each
/// by the largest answer that is taken by default.
const MAX_ROWS: usize = 1_000_000;
/// For how many rows there is room from the first on. None of the providers documents larger pages.
const TYPICAL_ROWS: usize = 2_000;
/// The most rows of a page that can not be read. Beyond them it is the page that is not what was promised.
const MAX_REJECTED: usize = 10_000;
/// How much of a row's shape an error may hold, in bytes.
const MAX_SHAPE: usize = 300;
/// How much of a member's name the reason of a rejected row may hold, in characters.
const MAX_NAME: usize = 64;
/// So many names fill a shape, however short they are.
const MAX_NAMES: usize = 60;

/// The rows of a page: decoded one by one, so that a bad one costs only itself.
#[derive(Debug)]
pub(crate) struct Rows<T> {
    pub(crate) items: Vec<T>,
    pub(crate) rejected: Vec<Rejected>,
}

impl<T> Rows<T> {
    pub(crate) fn empty() -> Self {
        Self { items: Vec::new(), rejected: Vec::new() }
    }

    /// How many rows there are, good and bad.
    pub(crate) fn len(&self) -> usize {
        self.items.len() + self.rejected.len()
    }

    /// These rows as a page that leads to `next`.
    pub(crate) fn into_page<C>(self, next: Option<C>) -> Page<T, C> {
        Page::new(self.items, next).with_rejected(self.rejected)
    }
}

impl<T: HasId> Rows<T> {
    /// The id of every row, in order; `None` where it has none.
    pub(crate) fn ids(&self) -> impl Iterator<Item = Option<Cow<'_, str>>> {
        in_order(&self.items, &self.rejected).map(|row| match row {
            Ok(item) => Some(item.row_id()),
            Err(rejected) => rejected.id.as_deref().map(Cow::Borrowed),
        })
    }

    /// Leaves out the rows for which `keep` is false; how many those were.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(usize, Option<&str>) -> bool) -> u64 {
        let kept: Vec<bool> = self.ids().enumerate().map(|(row, id)| keep(row, id.as_deref())).collect();
        let mut bad = self.rejected.iter().map(|rejected| rejected.index).peekable();
        let mut good = kept.iter().enumerate().filter(|(row, _)| bad.next_if_eq(row).is_none());
        self.items.retain(|_| good.next().is_none_or(|(_, keep)| *keep));
        let (mut place, mut from) = (0, 0);
        self.rejected.retain_mut(|rejected| {
            let row = std::mem::replace(&mut from, rejected.index);
            place += kept[row..rejected.index].iter().filter(|keep| **keep).count();
            let row = std::mem::replace(&mut rejected.index, place);
            kept[row]
        });
        kept.into_iter().filter(|keep| !keep).count() as u64
    }
}

/// What of a row is read in one go: its fields.
struct Fields<T>(T);

impl<'de, T: FromRow> Deserialize<'de> for Fields<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::fields(deserializer).map(Self)
    }
}

/// The text of a page, read from left to right.
pub(super) struct Reader<'a> {
    text: &'a Arc<String>,
    at: usize,
}

/// Why a page is none.
pub(super) enum Unreadable {
    /// It is not the JSON that was expected.
    Malformed,
    Refused(Error),
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a Arc<String>) -> Self {
        Self { text, at: 0 }
    }

    /// The next byte that is no blank.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\t' | b'\r')).count();
        self.at += blanks;
        rest.get(blanks).copied()
    }

    /// Passes the next byte that is no blank, if it is this one.
    fn eat(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn require(&mut self, byte: u8) -> Result<(), Unreadable> {
        if self.eat(byte) { Ok(()) } else { Err(Unreadable::Malformed) }
    }

    fn value<T: Deserialize<'a>>(&mut self) -> serde_json::Result<T> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let mut values = serde_json::Deserializer::from_str(rest).into_iter();
        let value = values.next().unwrap_or_else(|| serde_json::from_str(rest))?;
        self.at += values.byte_offset();
        Ok(value)
    }

    fn skip(&mut self) -> Result<(), Unreadable> {
        self.value::<IgnoredAny>().map(|_| ()).map_err(|_| Unreadable::Malformed)
    }

    pub(super) fn end(mut self) -> Result<(), Unreadable> {
        if self.peek().is_none() { Ok(()) } else { Err(Unreadable::Malformed) }
    }

    /// An object: the rows of its member `name`, if that is an array, and the text of an object with the others.
    pub(super) fn envelope<T: FromRow>(
        &mut self,
        name: &str,
    ) -> Result<(Option<Rows<T>>, String), Unreadable> {
        let (mut rows, mut is_there, mut rest) = (None, false, String::from("{"));
        self.require(b'{')?;
        while !self.eat(b'}') {
            let start = self.at;
            let member: Cow<'_, str> = self.value().map_err(|_| Unreadable::Malformed)?;
            self.require(b':')?;
            if member == name && std::mem::replace(&mut is_there, true) {
                return Err(Unreadable::Refused(Error::decode(format!("the page has {name} twice"))));
            }
            if member == name && self.peek() == Some(b'[') {
                rows = Some(self.rows()?);
            } else {
                self.skip()?;
                rest.push_str(if rest.len() > 1 { "," } else { "" });
                rest.push_str(&self.text[start..self.at]);
            }
            if !self.eat(b',') {
                self.require(b'}')?;
                break;
            }
            if self.peek() != Some(b'"') {
                return Err(Unreadable::Malformed);
            }
        }
        rest.push('}');
        Ok((rows, rest))
    }

    /// An array of rows. It is an error if they are too many, or so many can not be read that what is told of them
    /// would be more than the page.
    pub(super) fn rows<T: FromRow>(&mut self) -> Result<Rows<T>, Unreadable> {
        let mut rows = Rows::empty();
        self.require(b'[')?;
        if self.eat(b']') {
            return Ok(rows);
        }
        loop {
            if rows.len() == MAX_ROWS {
                let message = format!("the page has more rows than {MAX_ROWS}");
                return Err(Unreadable::Refused(Error::decode(message)));
            }
            self.row(&mut rows)?;
            if !self.eat(b',') {
                return self.require(b']').map(|()| rows);
            }
        }
    }

    fn row<T: FromRow>(&mut self, rows: &mut Rows<T>) -> Result<(), Unreadable> {
        let is_object = self.peek() == Some(b'{');
        let start = self.at;
        let read =
            if is_object { self.value::<Fields<T>>() } else { Err(serde::de::Error::custom("no object")) };
        let error = match read {
            Ok(Fields(mut item)) if !is_too_deep(&self.text[start..self.at]) => {
                item.keep(Arc::clone(self.text), start..self.at);
                if rows.items.is_empty() {
                    // The others are taken to be as long, so that the items are not moved while they become more.
                    let alike = (self.text.len() - start) / (self.at - start);
                    rows.items.reserve(alike.min(TYPICAL_ROWS));
                }
                rows.items.push(item);
                return Ok(());
            }
            Ok(_) => serde::de::Error::custom("it is nested too deeply"),
            Err(error) => error,
        };
        // A bad row is read a second time, to find its end.
        self.at = start;
        let row: &RawValue = self.value().map_err(|_| Unreadable::Malformed)?;
        let (index, reason) = (rows.len(), explain(row, T::ID, &error));
        if rows.rejected.len() == MAX_REJECTED {
            return Err(Unreadable::Refused(Error::decode(format!(
                "more than {MAX_REJECTED} of the page's rows can not be read; row {index}: {reason}"
            ))));
        }
        let mut rejected = Rejected::new(index, reason).with_text(row.get());
        rejected.id = member(row, T::ID);
        rejected.shape = shape(row);
        rows.rejected.push(rejected);
        Ok(())
    }
}

/// Why a row with the id in its member `id` was refused, without its values.
fn explain(row: &RawValue, id: &str, error: &serde_json::Error) -> String {
    if !row.get().starts_with('{') {
        return "it is no object".to_owned();
    }
    if is_too_deep(row.get()) {
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
            let name: String = name.chars().take(MAX_NAME).collect();
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
        if members.len() > MAX_NAMES {
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
        if text.len() > MAX_SHAPE {
            let fits = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= MAX_SHAPE);
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
        assert!(text.ends_with("…}") && text.len() <= MAX_SHAPE + 4, "{text}");
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

        fn fields<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Self::deserialize(deserializer)
        }

        fn keep(&mut self, _: Arc<String>, _: std::ops::Range<usize>) {}
    }

    impl HasId for Row {
        fn row_id(&self) -> Cow<'_, str> {
            Cow::Borrowed(&self.id)
        }
    }

    fn rows(json: &str) -> Rows<Row> {
        Reader::new(&Arc::new(json.to_owned())).rows().ok().unwrap()
    }

    #[test]
    fn a_page_with_more_rows_than_any_has_is_refused() {
        let page = |rows: usize| Arc::new(format!("[{}]", vec![r#"{"id":"a"}"#; rows].join(",")));
        assert!(Reader::new(&page(MAX_ROWS)).rows::<Row>().is_ok());
        let Err(Unreadable::Refused(error)) = Reader::new(&page(MAX_ROWS + 1)).rows::<Row>() else {
            panic!("it is read")
        };
        assert_eq!(error.message(), "the page has more rows than 1000000");
    }

    /// Pages of good and bad rows and members, in any order, with blanks anywhere, cut anywhere.
    #[test]
    fn a_page_is_read_as_serde_reads_it() {
        let mut random = fastrand::Rng::with_seed(11);
        let mut pieces =
            vec!["{", "}", "[", "]", ",", ":", " ", "\n", r#""rows""#, r#""r\u006fws""#, "null", "1"];
        pieces.extend([
            r#"{"id":"a"}"#,
            r#"{"id":"","x":"]}\""}"#,
            r#"{"id":"é","count":-1}"#,
            r#""x""#,
            "é",
            "-",
        ]);
        let whole =
            [r#"{"rows":["#, r#"{"id":"b"}"#, ",", r#"{"id":7}"#, "]", r#","more":"#, r#"{"rows":[]}"#, "}"];
        let (mut read, mut rows_read) = (0, 0);
        for _ in 0..30_000 {
            let mut parts: Vec<&str> = whole.into();
            for _ in 0..random.usize(0..4) {
                let at = random.usize(0..=parts.len());
                if random.bool() {
                    parts.insert(at, random.choice(&pieces).unwrap());
                } else if at < parts.len() {
                    parts.remove(at);
                }
            }
            let text = Arc::new(parts.concat());
            let mut reader = Reader::new(&text);
            let ours = reader.envelope::<Row>("rows").and_then(|read| reader.end().map(|()| read));
            let serdes = serde_json::from_str::<Members<'_>>(&text).ok().filter(|_| !text.starts_with('['));
            let Ok((rows, rest)) = ours else {
                let twice = serdes
                    .is_some_and(|members| members.0.iter().filter(|(name, _)| name == "rows").count() > 1);
                assert!(twice || serde_json::from_str::<Members<'_>>(&text).is_err(), "{text}");
                continue;
            };
            read += 1;
            let serdes = serdes.expect("an object").0;
            let array = serdes.iter().find(|(name, value)| name == "rows" && value.get().starts_with('['));
            let expected: Option<Vec<&RawValue>> =
                array.map(|(_, value)| serde_json::from_str(value.get()).unwrap());
            let told = rows.as_ref().map(|rows| {
                rows_read += rows.items.len();
                in_order(&rows.items, &rows.rejected)
                    .map(|row| row.map(|row| row.id.clone()).ok())
                    .collect::<Vec<_>>()
            });
            let expected = expected.map(|rows| {
                let id = |row: &&RawValue| {
                    serde_json::from_str::<Row>(row.get()).ok().filter(|_| !row.get().starts_with('['))
                };
                rows.iter().map(|row| id(row).map(|row| row.id)).collect::<Vec<_>>()
            });
            assert_eq!(told, expected, "{text}");
            let others: Vec<_> = serdes
                .iter()
                .filter(|(name, value)| {
                    array
                        .is_none_or(|(_, rows)| name != "rows" || rows.get().as_ptr() != value.get().as_ptr())
                })
                .map(|(name, value)| (name.clone(), value.get()))
                .collect();
            let rest: Members<'_> = serde_json::from_str(&rest).unwrap();
            assert_eq!(
                rest.0.into_iter().map(|(name, value)| (name, value.get())).collect::<Vec<_>>(),
                others,
                "{text}"
            );
        }
        assert!(read > 5_000 && rows_read > 5_000, "{read} {rows_read}");
    }

    /// The members of an object, in their order.
    struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

    impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let all: &RawValue = <&RawValue>::deserialize(deserializer)?;
            let mut members = Vec::new();
            each_member(all, |name, value| members.push((name, value)))
                .ok_or_else(|| serde::de::Error::custom("no object"))?;
            Ok(Self(members))
        }
    }

    /// Random rows, and whether each is to be kept.
    #[test]
    fn what_is_kept_stays_in_its_order() {
        let mut random = fastrand::Rng::with_seed(3);
        for _ in 0..2_000 {
            let kinds: Vec<(bool, bool)> =
                (0..random.usize(0..12)).map(|_| (random.bool(), random.bool())).collect();
            let row = |(index, (good, _)): (usize, &(bool, bool))| {
                if *good {
                    format!(r#"{{"id":"{index}"}}"#)
                } else {
                    format!(r#"{{"id":"{index}","count":-1}}"#)
                }
            };
            let text: Vec<_> = kinds.iter().enumerate().map(row).collect();
            let mut rows = rows(&format!("[{}]", text.join(",")));
            let dropped = rows.retain(|index, id| {
                assert_eq!(id, Some(&*index.to_string()));
                kinds[index].1
            });
            let kept = || kinds.iter().enumerate().filter(|(_, (_, keep))| *keep);
            assert_eq!(dropped, (kinds.len() - kept().count()) as u64);
            assert_eq!(
                rows.ids().flatten().collect::<Vec<_>>(),
                kept().map(|(index, _)| index.to_string()).collect::<Vec<_>>()
            );
            let bad: Vec<_> =
                kept().enumerate().filter(|(_, (_, (good, _)))| !good).map(|(place, _)| place).collect();
            assert_eq!(rows.rejected.iter().map(|row| row.index).collect::<Vec<_>>(), bad);
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
            let rows = rows(&format!("[{row}]"));
            assert_eq!(rows.rejected[0].reason, reason, "{row}");
        }
    }

    #[test]
    fn a_row_nested_too_deeply_is_rejected() {
        let row = |levels: usize| {
            format!(r#"{{"id":"a","x":{}{}}}"#, "[".repeat(levels - 1), "]".repeat(levels - 1))
        };
        let (deepest, deeper) = (row(DEEPEST), row(DEEPEST + 1));
        let rows = rows(&format!("[{deepest},{deeper},{deepest}]"));
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
