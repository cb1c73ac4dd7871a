//! What faults make of an answer as a whole.

use bytes::Bytes;
use fastrand::Rng;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{BadRow, Fault};
use crate::exchange::{Incoming, Reply};
use crate::gate::{Vendor, lock};
use crate::seed;

/// Spoils an answer; false when the fault is none of the answer as a whole, or does not apply to this one.
pub(crate) fn spoil(
    fault: &Fault,
    vendor: &dyn Vendor,
    incoming: &Incoming,
    draw: u64,
    reply: &mut Reply,
) -> bool {
    if reply.body.is_empty() || !reply.status.is_success() {
        return false;
    }
    let rng = &mut seed::rng(draw, 2);
    match fault {
        Fault::TruncatedJson => {
            let half = reply.body.len() / 2;
            reply.body.truncate(half.max(1));
        }
        Fault::MalformedJson => reply.body = with_comma(&reply.body),
        Fault::WrongContentType => {
            let kind = HeaderValue::from_static("text/plain");
            reply.headers.insert(CONTENT_TYPE, kind);
        }
        Fault::BogusContentEncoding(name) => {
            let Ok(name) = HeaderValue::from_str(name) else {
                return false;
            };
            reply.headers.insert(CONTENT_ENCODING, name);
        }
        Fault::BadRow { kind } if vendor.is_list(incoming) => {
            let id = lock(vendor.world(incoming)).id_field();
            return on_rows(reply, vendor, |page| {
                let row = rng.usize(..page.rows.len());
                page.change(row, |row| spoil_row(row, *kind, id))
            });
        }
        Fault::UnknownEnum if vendor.is_list(incoming) => {
            return on_rows(reply, vendor, |page| unknown_words(page, vendor.enums(), rng));
        }
        _ => return false,
    }
    true
}

/// A comma behind the first bracket.
fn with_comma(body: &[u8]) -> Bytes {
    let (first, rest) = body.split_at(body.len().min(1));
    [first, b",", rest].concat().into()
}

/// Changes the rows of a page that has some, and the headers that follow from the body.
fn on_rows(reply: &mut Reply, vendor: &dyn Vendor, change: impl FnOnce(&mut Page<'_>) -> bool) -> bool {
    let body = reply.body.clone();
    let Some(mut page) = Page::read(&body, vendor.rows_member()).filter(|page| !page.rows.is_empty()) else {
        return false;
    };
    let changed = change(&mut page);
    if changed {
        reply.body = page.write();
        without_tag(&mut reply.headers);
    }
    changed
}

/// A tag of the body that was is no tag of the body that is.
fn without_tag(headers: &mut HeaderMap) {
    headers.remove(http::header::ETAG);
}

fn spoil_row(row: &mut Value, kind: BadRow, id: &str) {
    match (kind, row.as_object_mut()) {
        (BadRow::NotAnObject, _) => *row = json!("this is no account"),
        (BadRow::Null, _) | (_, None) => *row = Value::Null,
        (BadRow::NullId, Some(fields)) => {
            fields.insert(id.to_owned(), Value::Null);
        }
        (BadRow::EmptyId, Some(fields)) => {
            fields.insert(id.to_owned(), json!(""));
        }
        (BadRow::NumericId, Some(fields)) => {
            fields.insert(id.to_owned(), json!(17));
        }
        (BadRow::MissingId, Some(fields)) => {
            fields.remove(id);
        }
        (BadRow::WrongType, Some(fields)) => {
            for (_, value) in fields.iter_mut().filter(|(name, _)| *name != id).step_by(2) {
                *value = json!([{"unexpected": true}]);
            }
        }
    }
}

/// Replaces about half of the words under these names, and at least one.
fn unknown_words(page: &mut Page<'_>, names: &[&str], rng: &mut Rng) -> bool {
    let mut replaced = 0;
    // A second time with all of them, in case that luck has spared the first.
    for spare in [true, false] {
        if replaced > 0 {
            break;
        }
        for index in 0..page.rows.len() {
            page.change(index, |row| {
                for name in names {
                    let words: Vec<&mut Value> = match row.pointer_mut(&format!("/{name}")) {
                        Some(Value::Array(words)) => words.iter_mut().collect(),
                        Some(word) => vec![word],
                        None => Vec::new(),
                    };
                    for word in words.into_iter().filter(|word| word.is_string()) {
                        if !(spare && rng.bool()) {
                            replaced += 1;
                            *word = json!(format!("SIM_UNKNOWN_{replaced}"));
                        }
                    }
                }
            });
        }
    }
    replaced > 0
}

/// A listing's page: `[…]`, or an object with the rows under one of its names.
pub(crate) struct Page<'a> {
    before: &'a [u8],
    pub(crate) rows: Vec<Box<RawValue>>,
    after: &'a [u8],
}

impl<'a> Page<'a> {
    /// The page of a body as the simulators write it, without blanks; `None` if it is none. `member` holds the
    /// rows of a page that is an object, and comes first in it.
    pub(crate) fn read(body: &'a [u8], member: Option<&str>) -> Option<Self> {
        let start = if body.starts_with(b"[") {
            0
        } else {
            let name = format!("{{\"{}\":", member?);
            body.strip_prefix(name.as_bytes()).filter(|rest| rest.starts_with(b"["))?;
            name.len()
        };
        let (before, rest) = body.split_at_checked(start)?;
        let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<Vec<Box<RawValue>>>();
        let rows = values.next()?.ok()?;
        let after = rest.get(values.byte_offset()..)?;
        Some(Self { before, rows, after })
    }

    /// Changes a row; false when it is not there, or is not JSON any more.
    pub(crate) fn change(&mut self, index: usize, change: impl FnOnce(&mut Value)) -> bool {
        let Some(row) = self.rows.get_mut(index) else {
            return false;
        };
        let Ok(mut value) = serde_json::from_str(row.get()) else {
            return false;
        };
        change(&mut value);
        let Ok(changed) = serde_json::value::to_raw_value(&value) else {
            return false;
        };
        *row = changed;
        true
    }

    pub(crate) fn write(&self) -> Bytes {
        let rows: Vec<&str> = self.rows.iter().map(|row| row.get()).collect();
        [self.before, b"[", rows.join(",").as_bytes(), b"]", self.after].concat().into()
    }
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn what_is_not_changed_keeps_its_bytes() {
        let row = r#"{"id":"1","n":1.50,"big":123456789012345678901234567890}"#;
        for (member, body) in [
            (None, format!("[{row},{row}]")),
            (Some("items"), format!("{{\"items\":[{row}]}}")),
            (
                Some("accounts"),
                format!("{{\"accounts\":[{row},null],\"page_info\":{{\"next_marker\":\"]\"}}}}"),
            ),
            (Some("items"), "[]".to_owned()),
        ] {
            let page = Page::read(body.as_bytes(), member).expect("a page");
            assert_eq!(page.write(), body);
        }
        for body in
            ["", "{}", "\"items\"", "{\"account\":{\"items\":[]}}", "{\"items\":{}}", "{\"accounts\":[]}"]
        {
            assert!(Page::read(body.as_bytes(), Some("items")).is_none(), "{body}");
        }
    }

    #[test]
    fn one_row_is_changed_and_not_the_others() {
        let mut page = Page::read(br#"[{"n":1.50},{"n":2.50}]"#, None).expect("a page");
        assert!(page.change(1, |row| row["id"] = serde_json::Value::Null));
        assert!(!page.change(2, |_| ()));
        assert_eq!(page.write(), r#"[{"n":1.50},{"id":null,"n":2.5}]"#);
    }
}
