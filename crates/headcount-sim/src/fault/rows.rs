//! The rows of a page, taken out and put back; whatever is not touched keeps its bytes.

use bytes::Bytes;
use serde_json::Value;
use serde_json::value::RawValue;

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
