use std::{borrow::Cow, collections::BTreeMap, fmt, fmt::Write as _, ops::Range, sync::Arc};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    Error, Result,
    page::{Page, Rejected, in_order},
    record::{FromRow, HasId, MAX_DEPTH, describe_error, is_too_deep},
};

/// The maximum number of rows of a page. With more, each row of the largest response allowed by default would
/// have less than 64 bytes, and accounts have more.
const MAX_ROWS: usize = 1_000_000;
/// The maximum number of rows to reserve memory for. None of the providers documents larger pages.
const MAX_RESERVED_ROWS: usize = 2_000;
/// The maximum number of rejected rows of a page. With more, the page itself is rejected.
const MAX_REJECTED: usize = 10_000;
/// The maximum length of a row's shape in an error, in bytes.
const MAX_SHAPE_BYTES: usize = 300;
/// The maximum length of a member's name in the reason of a rejected row, in characters.
const MAX_NAME_CHARS: usize = 64;
/// The maximum number of members in a shape. So many names exceed [`MAX_SHAPE_BYTES`] even if they are short.
const MAX_SHAPE_MEMBERS: usize = 60;

/// The rows of a page. They are decoded one by one, so that an invalid row does not affect the others.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rows<T> {
    /// The decoded items, in order.
    pub items: Vec<T>,
    /// The rows that could not be decoded.
    pub rejected: Vec<Rejected>,
}

/// An item whose own JSON is not kept.
pub(super) struct Untyped<T>(T);

impl<T: DeserializeOwned> FromRow for Untyped<T> {
    const ID: Option<&'static str> = None;

    type Fields = T;

    fn fields<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        T::deserialize(deserializer)
    }

    fn new(item: T, _: Arc<String>, _: Range<usize>) -> Self {
        Self(item)
    }
}

impl<T> Rows<T> {
    pub(super) fn untyped(rows: Rows<Untyped<T>>) -> Self {
        Self { items: rows.items.into_iter().map(|item| item.0).collect(), rejected: rows.rejected }
    }

    pub(crate) fn empty() -> Self {
        Self { items: Vec::new(), rejected: Vec::new() }
    }

    /// Returns the number of rows, including the rejected ones.
    pub(crate) fn len(&self) -> usize {
        self.items.len() + self.rejected.len()
    }

    /// Converts the rows to a page with the cursor `next`.
    pub fn into_page<C>(self, next: Option<C>) -> Page<T, C> {
        Page::new(self.items, next).with_rejected(self.rejected)
    }
}

impl<T> Rows<T> {
    /// Returns the id of every row in order. It is `None` for a rejected row without one.
    pub(crate) fn ids(&self) -> impl Iterator<Item = Option<Cow<'_, str>>>
    where
        T: HasId,
    {
        in_order(&self.items, &self.rejected).map(|row| match row {
            Ok(item) => Some(item.row_id()),
            Err(rejected) => rejected.id.as_deref().map(Cow::Borrowed),
        })
    }

    /// Removes the rows for which `keep` returns `false`. Returns how many were removed.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(usize, Option<&str>) -> bool) -> u64
    where
        T: HasId,
    {
        let kept: Vec<bool> = self.ids().enumerate().map(|(row, id)| keep(row, id.as_deref())).collect();
        let mut invalid = self.rejected.iter().map(|rejected| rejected.index).peekable();
        let mut valid = kept.iter().enumerate().filter(|(row, _)| invalid.next_if_eq(row).is_none());
        self.items.retain(|_| valid.next().is_none_or(|(_, keep)| *keep));
        let (mut new_index, mut previous) = (0, 0);
        self.rejected.retain_mut(|rejected| {
            let start = std::mem::replace(&mut previous, rejected.index);
            new_index += kept[start..rejected.index].iter().filter(|keep| **keep).count();
            let row = std::mem::replace(&mut rejected.index, new_index);
            kept[row]
        });
        kept.into_iter().filter(|keep| !keep).count() as u64
    }
}

/// The fields of a row, without its JSON.
struct Fields<T: FromRow>(T::Fields);

impl<'de, T: FromRow> Deserialize<'de> for Fields<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::fields(deserializer).map(Self)
    }
}

/// Reads a page from left to right.
pub(super) struct Reader<'a> {
    text: &'a Arc<String>,
    position: usize,
    /// The member that identifies a row.
    id: Option<&'a str>,
}

/// Why a page could not be read.
pub(super) enum ReadError {
    /// The text is not the expected JSON.
    Malformed,
    /// The JSON breaks a limit or another rule.
    Invalid(Error),
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a Arc<String>, id: Option<&'a str>) -> Self {
        Self { text, position: 0, id }
    }

    /// Skips whitespace and returns the next byte without consuming it.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.position..)?;
        let spaces = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\t' | b'\r')).count();
        self.position += spaces;
        rest.get(spaces).copied()
    }

    /// Skips whitespace and consumes the next byte if it is `byte`. Returns whether it was.
    fn eat(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.position += usize::from(is_next);
        is_next
    }

    fn require(&mut self, byte: u8) -> Result<(), ReadError> {
        if self.eat(byte) { Ok(()) } else { Err(ReadError::Malformed) }
    }

    fn value<T: Deserialize<'a>>(&mut self) -> serde_json::Result<T> {
        let rest = self.text.get(self.position..).unwrap_or_default();
        let mut values = serde_json::Deserializer::from_str(rest).into_iter();
        let value = values.next().unwrap_or_else(|| serde_json::from_str(rest))?;
        self.position += values.byte_offset();
        Ok(value)
    }

    fn skip(&mut self) -> Result<(), ReadError> {
        self.value::<IgnoredAny>().map(|_| ()).map_err(|_| ReadError::Malformed)
    }

    pub(super) fn end(mut self) -> Result<(), ReadError> {
        if self.peek().is_none() { Ok(()) } else { Err(ReadError::Malformed) }
    }

    /// Reads an object. Returns the rows of its member `name`, if that is an array, and the text of an object
    /// with the other members.
    pub(super) fn envelope<T: FromRow, U: From<T>>(
        &mut self,
        name: &str,
    ) -> Result<(Option<Rows<U>>, String), ReadError> {
        let (mut rows, mut found, mut rest) = (None, false, String::from("{"));
        self.require(b'{')?;
        while !self.eat(b'}') {
            let start = self.position;
            let member: Cow<'_, str> = self.value().map_err(|_| ReadError::Malformed)?;
            self.require(b':')?;
            if member == name && std::mem::replace(&mut found, true) {
                return Err(ReadError::Invalid(Error::decode(format!(
                    "duplicate member {name} in the page"
                ))));
            }
            if member == name && self.peek() == Some(b'[') {
                rows = Some(self.rows::<T, U>()?);
            } else {
                self.skip()?;
                rest.push_str(if rest.len() > 1 { "," } else { "" });
                rest.push_str(&self.text[start..self.position]);
            }
            if !self.eat(b',') {
                self.require(b'}')?;
                break;
            }
            if self.peek() != Some(b'"') {
                return Err(ReadError::Malformed);
            }
        }
        rest.push('}');
        Ok((rows, rest))
    }

    /// Reads an array of rows, and converts each as soon as it is decoded.
    ///
    /// # Errors
    /// If there are more than [`MAX_ROWS`], or more than [`MAX_REJECTED`] cannot be decoded: their errors
    /// could take more memory than the page.
    pub(super) fn rows<T: FromRow, U: From<T>>(&mut self) -> Result<Rows<U>, ReadError> {
        let mut rows = Rows::empty();
        self.require(b'[')?;
        if self.eat(b']') {
            return Ok(rows);
        }
        loop {
            if rows.len() == MAX_ROWS {
                let message = format!("the page has more than {MAX_ROWS} rows");
                return Err(ReadError::Invalid(Error::decode(message)));
            }
            self.row::<T, U>(&mut rows)?;
            if !self.eat(b',') {
                return self.require(b']').map(|()| rows);
            }
        }
    }

    fn row<T: FromRow, U: From<T>>(&mut self, rows: &mut Rows<U>) -> Result<(), ReadError> {
        let is_object = self.peek() == Some(b'{');
        let start = self.position;
        let fields = if is_object {
            self.value::<Fields<T>>()
        } else {
            Err(serde::de::Error::custom("not an object"))
        };
        let error = match fields {
            Ok(Fields(fields)) if !is_too_deep(&self.text[start..self.position]) => {
                if rows.items.is_empty() {
                    // Assumes that all rows are as long as the first. Avoids moving the items as the vector
                    // grows.
                    let estimate = (self.text.len() - start) / (self.position - start);
                    rows.items.reserve(estimate.min(MAX_RESERVED_ROWS));
                }
                rows.items.push(T::new(fields, Arc::clone(self.text), start..self.position).into());
                return Ok(());
            }
            Ok(_) => serde::de::Error::custom("nested too deeply"),
            Err(error) => error,
        };
        // Read again, to find the end of the invalid row.
        self.position = start;
        let row: &RawValue = self.value().map_err(|_| ReadError::Malformed)?;
        let (index, reason) = (rows.len(), rejection_reason(row, T::ID, &error));
        if rows.rejected.len() == MAX_REJECTED {
            return Err(ReadError::Invalid(Error::decode(format!(
                "failed to decode more than {MAX_REJECTED} rows of the page; row {index}: {reason}"
            ))));
        }
        let mut rejected = Rejected::new(index, reason).with_text(row.get());
        rejected.id = self.id.and_then(|id| member(row, id));
        rejected.shape = shape(row);
        rows.rejected.push(rejected);
        Ok(())
    }
}

/// Returns why a row was rejected, without its values. `id` is the name of the member that holds the row's
/// id, if it is known.
fn rejection_reason(row: &RawValue, id: Option<&str>, error: &serde_json::Error) -> String {
    if !row.get().starts_with('{') {
        return "not an object".to_owned();
    }
    if is_too_deep(row.get()) {
        return format!("nested deeper than {MAX_DEPTH} levels");
    }
    if let Some(id) = id.filter(|id| member(row, id).is_none()) {
        return format!("missing or invalid {id}: expected a non-empty string");
    }
    // The position at which serde stopped, and the last member that starts before it.
    let lines = row.get().split_inclusive('\n').take(error.line().saturating_sub(1));
    let position = lines.map(str::len).sum::<usize>() + error.column();
    let mut place = String::new();
    each_member(row, |name, value| {
        if value.get().as_ptr().addr() - row.get().as_ptr().addr() <= position {
            let name: String = name.chars().take(MAX_NAME_CHARS).collect();
            place = format!(", in member {name:?} ({})", type_name(value));
        }
    });
    describe_error(error) + &place
}

/// Returns the non-empty string member `name` of a JSON object. The last one counts if it occurs several
/// times.
fn member(row: &RawValue, name: &str) -> Option<String> {
    let mut found = None;
    each_member(row, |member, value| {
        if member == name {
            found = Some(value);
        }
    })?;
    serde_json::from_str(found?.get()).ok().filter(|id: &String| !id.is_empty())
}

/// Returns the names and types of a row's members. Values are left out because they may be secrets or
/// personal data.
fn shape(row: &RawValue) -> String {
    let mut members = BTreeMap::new();
    let is_object = each_member(row, |name, value| {
        members.insert(name, type_name(value));
        if members.len() > MAX_SHAPE_MEMBERS {
            members.pop_last();
        }
    });
    if is_object.is_none() {
        return type_name(row).to_owned();
    }
    let mut text = String::from("{");
    for (name, kind) in &members {
        let comma = if text.len() > 1 { ", " } else { "" };
        let _ = write!(text, "{comma}{}: {kind}", name.escape_debug());
        if text.len() > MAX_SHAPE_BYTES {
            let fits = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= MAX_SHAPE_BYTES);
            let cut = fits.last().unwrap_or(0);
            text.truncate(cut);
            text.push('…');
            break;
        }
    }
    text.push('}');
    text
}

/// Calls `visit` with each member of a JSON object. Returns `None` if `row` is not an object.
///
/// The members are not collected, because together they may take many times the memory of their text.
fn each_member<'a>(row: &'a RawValue, visit: impl FnMut(Cow<'a, str>, &'a RawValue)) -> Option<()> {
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

    serde_json::Deserializer::from_str(row.get()).deserialize_map(Each(visit)).ok()
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
    fn shape_has_sorted_names_and_types_only() {
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
        assert!(text.ends_with("…}") && text.len() <= MAX_SHAPE_BYTES + 4, "{text}");
    }

    #[derive(Debug, Deserialize)]
    struct Row {
        #[serde(deserialize_with = "crate::record::id")]
        id: String,
        #[serde(default)]
        #[expect(dead_code, reason = "only decoded")]
        active: Option<bool>,
        #[serde(default)]
        #[expect(dead_code, reason = "only decoded")]
        count: u8,
    }

    impl FromRow for Row {
        const ID: Option<&'static str> = Some("id");

        type Fields = Self;

        fn fields<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Self::deserialize(deserializer)
        }

        fn new(fields: Self, _: Arc<String>, _: Range<usize>) -> Self {
            fields
        }
    }

    impl HasId for Row {
        fn row_id(&self) -> Cow<'_, str> {
            Cow::Borrowed(&self.id)
        }
    }

    fn rows(json: &str) -> Rows<Row> {
        Reader::new(&Arc::new(json.to_owned()), Row::ID).rows::<Row, Row>().ok().unwrap()
    }

    #[test]
    fn rejects_page_with_too_many_rows() {
        let page = |rows: usize| Arc::new(format!("[{}]", vec![r#"{"id":"a"}"#; rows].join(",")));
        assert!(Reader::new(&page(MAX_ROWS), Row::ID).rows::<Row, Row>().is_ok());
        let Err(ReadError::Invalid(error)) = Reader::new(&page(MAX_ROWS + 1), Row::ID).rows::<Row, Row>()
        else {
            panic!("expected an error")
        };
        assert_eq!(error.message(), "the page has more than 1000000 rows");
    }

    /// Pages with valid and invalid rows and members in random order, with random whitespace, and truncated.
    #[test]
    fn reader_agrees_with_serde() {
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
        let (mut pages_read, mut rows_read) = (0, 0);
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
            let mut reader = Reader::new(&text, Row::ID);
            let actual = reader.envelope::<Row, Row>("rows").and_then(|read| reader.end().map(|()| read));
            let members = serde_json::from_str::<Members<'_>>(&text).ok().filter(|_| !text.starts_with('['));
            let Ok((rows, rest)) = actual else {
                let duplicate = members
                    .is_some_and(|members| members.0.iter().filter(|(name, _)| name == "rows").count() > 1);
                assert!(duplicate || serde_json::from_str::<Members<'_>>(&text).is_err(), "{text}");
                continue;
            };
            pages_read += 1;
            let members = members.expect("an object").0;
            let array = members.iter().find(|(name, value)| name == "rows" && value.get().starts_with('['));
            let expected: Option<Vec<&RawValue>> =
                array.map(|(_, value)| serde_json::from_str(value.get()).unwrap());
            let ids = rows.as_ref().map(|rows| {
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
            assert_eq!(ids, expected, "{text}");
            let others: Vec<_> = members
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
        assert!(pages_read > 5_000 && rows_read > 5_000, "{pages_read} {rows_read}");
    }

    /// The members of an object, in order.
    struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

    impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let all: &RawValue = <&RawValue>::deserialize(deserializer)?;
            let mut members = Vec::new();
            each_member(all, |name, value| members.push((name, value)))
                .ok_or_else(|| serde::de::Error::custom("not an object"))?;
            Ok(Self(members))
        }
    }

    /// Random rows, each with whether to keep it.
    #[test]
    fn retain_keeps_order() {
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
    fn rejection_reason_has_place_but_no_value() {
        for (row, reason) in [
            (
                r#"{"id":"a","active":"s3cret","count":1}"#,
                "invalid data at line 1 column 27, in member \"active\" (string)",
            ),
            (
                "{\"id\":\"a\",\n\"x\":{},\n\"count\":{\"s3cret\":1}}",
                "invalid data at line 3 column 8, in member \"count\" (object)",
            ),
            (r#"{"count":-1,"id":"a"}"#, "invalid data at line 1 column 11, in member \"count\" (number)"),
            (r#"{"active":true}"#, "missing or invalid id: expected a non-empty string"),
            (r#"{"id":""}"#, "missing or invalid id: expected a non-empty string"),
            (r#"["a",true,1]"#, "not an object"),
            ("7", "not an object"),
        ] {
            let rows = rows(&format!("[{row}]"));
            assert_eq!(rows.rejected[0].reason, reason, "{row}");
        }
    }

    #[test]
    fn rejects_row_nested_too_deeply() {
        let row = |levels: usize| {
            format!(r#"{{"id":"a","x":{}{}}}"#, "[".repeat(levels - 1), "]".repeat(levels - 1))
        };
        let (deepest, deeper) = (row(MAX_DEPTH), row(MAX_DEPTH + 1));
        let rows = rows(&format!("[{deepest},{deeper},{deepest}]"));
        assert_eq!((rows.items.len(), rows.rejected.len()), (2, 1));
        let rejected = &rows.rejected[0];
        assert_eq!((rejected.index, rejected.id.as_deref()), (1, Some("a")));
        assert_eq!(rejected.reason, "nested deeper than 127 levels");
    }

    #[test]
    fn rejected_row_id_is_non_empty_string() {
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
