//! Records as JSON text.

use std::io::Write as _;

use serde_json::Value;

/// Writes records as the elements of a JSON array, one at a time: a page may be the whole world.
pub(crate) fn write_array(out: &mut Vec<u8>, records: impl Iterator<Item = Value>) {
    out.push(b'[');
    for (number, record) in records.enumerate() {
        if number > 0 {
            out.push(b',');
        }
        write(out, &record);
    }
    out.push(b']');
}

/// Writes what `serde_json` would, several times as fast where nothing is optimised, as in tests.
fn write(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::String(text) => write_text(out, text),
        Value::Array(values) => {
            out.push(b'[');
            for (number, value) in values.iter().enumerate() {
                if number > 0 {
                    out.push(b',');
                }
                write(out, value);
            }
            out.push(b']');
        }
        Value::Object(fields) => {
            out.push(b'{');
            for (number, (name, value)) in fields.iter().enumerate() {
                if number > 0 {
                    out.push(b',');
                }
                write_text(out, name);
                out.push(b':');
                write(out, value);
            }
            out.push(b'}');
        }
        // Writing to memory cannot fail.
        Value::Number(number) => drop(write!(out, "{number}")),
    }
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    if text.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        drop(serde_json::to_writer(out, text));
        return;
    }
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    #[test]
    fn the_text_is_the_one_of_serde_json() {
        let records = [
            json!({"": [[], {}, -1, 1e30, 12.5, null, true, false], "a\"b\\c\n\u{1}\u{7f}": "Zoë 🚀 \t/"}),
            json!("O'Neill, \"Pepe\""),
            json!(u64::MAX),
        ];
        let mut out = Vec::new();
        super::write_array(&mut out, records.iter().cloned());
        assert_eq!(String::from_utf8(out), Ok(Value::from(records.to_vec()).to_string()));
        let mut out = Vec::new();
        super::write_array(&mut out, std::iter::empty());
        assert_eq!(out, b"[]");
    }
}
