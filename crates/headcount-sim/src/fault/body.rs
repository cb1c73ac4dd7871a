//! Faults that change a complete response body or its headers.

use bytes::Bytes;
use fastrand::Rng;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderValue};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{BadRow, Fault};
use crate::message::{SimRequest, SimResponse};
use crate::pipeline::{ProviderSim, lock};
use crate::rng;

/// Applies a fault to a response. Returns false if the fault does not change the body, or does not apply
/// here.
pub(crate) fn apply_to_body(
    fault: &Fault,
    provider: &dyn ProviderSim,
    request: &SimRequest,
    seed: u64,
    response: &mut SimResponse,
) -> bool {
    if response.body.is_empty() || !response.status.is_success() {
        return false;
    }
    let rng = &mut rng::seeded(seed, 2);
    match fault {
        Fault::TruncatedJson => {
            let half = response.body.len() / 2;
            response.body.truncate(half.max(1));
        }
        Fault::MalformedJson => response.body = insert_comma(&response.body),
        Fault::WrongContentType => {
            let plain = HeaderValue::from_static("text/plain");
            response.headers.insert(CONTENT_TYPE, plain);
        }
        Fault::BogusContentEncoding(name) => {
            let Ok(name) = HeaderValue::from_str(name) else {
                return false;
            };
            response.headers.insert(CONTENT_ENCODING, name);
        }
        Fault::BadRow { kind } if provider.is_list(request) => {
            let id = lock(provider.world(request)).id_field();
            return change_rows(response, provider, |page| {
                let index = rng.usize(..page.rows.len());
                page.change(index, |row| corrupt_row(row, *kind, id))
            });
        }
        Fault::UnknownEnum if provider.is_list(request) => {
            return change_rows(response, provider, |page| {
                insert_unknown_values(page, provider.enum_fields(), rng)
            });
        }
        _ => return false,
    }
    true
}

/// Inserts a comma after the first bracket.
fn insert_comma(body: &[u8]) -> Bytes {
    let (first, rest) = body.split_at(body.len().min(1));
    [first, b",", rest].concat().into()
}

/// Changes the rows of a page that is not empty, and removes the `ETag`. Returns whether anything changed.
fn change_rows(
    response: &mut SimResponse,
    provider: &dyn ProviderSim,
    change: impl FnOnce(&mut RawPage<'_>) -> bool,
) -> bool {
    let body = response.body.clone();
    let Some(mut page) = RawPage::parse(&body, provider.rows_member()).filter(|page| !page.rows.is_empty())
    else {
        return false;
    };
    let changed = change(&mut page);
    if changed {
        response.body = page.to_bytes();
        response.headers.remove(ETAG);
    }
    changed
}

fn corrupt_row(row: &mut Value, kind: BadRow, id: &str) {
    match (kind, row.as_object_mut()) {
        (BadRow::NotAnObject, _) => *row = json!("this is not an account"),
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

/// Replaces about half of the strings in these fields, and at least one, by unknown values.
fn insert_unknown_values(page: &mut RawPage<'_>, fields: &[&str], rng: &mut Rng) -> bool {
    let mut replaced = 0;
    // If the first pass happens to replace none, the second one replaces all.
    for half in [true, false] {
        if replaced > 0 {
            break;
        }
        for index in 0..page.rows.len() {
            page.change(index, |row| {
                for field in fields {
                    let values: Vec<&mut Value> = match row.pointer_mut(&format!("/{field}")) {
                        Some(Value::Array(values)) => values.iter_mut().collect(),
                        Some(value) => vec![value],
                        None => Vec::new(),
                    };
                    for value in values.into_iter().filter(|value| value.is_string()) {
                        if !(half && rng.bool()) {
                            replaced += 1;
                            *value = json!(format!("SIM_UNKNOWN_{replaced}"));
                        }
                    }
                }
            });
        }
    }
    replaced > 0
}

/// A page of a listing as raw JSON: an array, or an object with the rows in its first member.
pub(crate) struct RawPage<'a> {
    before: &'a [u8],
    pub(crate) rows: Vec<Box<RawValue>>,
    after: &'a [u8],
}

impl<'a> RawPage<'a> {
    /// Parses a page in the format that the simulators write, without whitespace. Returns `None` for other
    /// bodies.
    ///
    /// `member` is the first member of a page object, which holds the rows.
    pub(crate) fn parse(body: &'a [u8], member: Option<&str>) -> Option<Self> {
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

    /// Changes a row. Returns false if there is no such row.
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

    pub(crate) fn to_bytes(&self) -> Bytes {
        let rows: Vec<&str> = self.rows.iter().map(|row| row.get()).collect();
        [self.before, b"[", rows.join(",").as_bytes(), b"]", self.after].concat().into()
    }
}

#[cfg(test)]
mod tests {
    use super::RawPage;

    #[test]
    fn unchanged_page_keeps_its_bytes() {
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
            let page = RawPage::parse(body.as_bytes(), member).expect("a page");
            assert_eq!(page.to_bytes(), body);
        }
        for body in
            ["", "{}", "\"items\"", "{\"account\":{\"items\":[]}}", "{\"items\":{}}", "{\"accounts\":[]}"]
        {
            assert!(RawPage::parse(body.as_bytes(), Some("items")).is_none(), "{body}");
        }
    }

    #[test]
    fn change_affects_one_row() {
        let mut page = RawPage::parse(br#"[{"n":1.50},{"n":2.50}]"#, None).expect("a page");
        assert!(page.change(1, |row| row["id"] = serde_json::Value::Null));
        assert!(!page.change(2, |_| ()));
        assert_eq!(page.to_bytes(), r#"[{"n":1.50},{"id":null,"n":2.5}]"#);
    }
}
