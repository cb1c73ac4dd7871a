//! Arbitrary JSON with the providers' member names, so that many values are almost valid.

use arbitrary::{Arbitrary, Result, Unstructured};

const NAMES: [&str; 40] = [
    "accounts",
    "page_info",
    "next_marker",
    "id",
    "acct_id",
    "items",
    "cursor",
    "has_more",
    "name",
    "message",
    "error",
    "errors",
    "error_code",
    "error_msg",
    "errorCode",
    "errorMsg",
    "code",
    "request_id",
    "detailCode",
    "trackingId",
    "messages",
    "causes",
    "text",
    "locale",
    "error_description",
    "formatted_msg",
    "created",
    "active",
    "status",
    "roles",
    "auth_configs",
    "attributes",
    "v",
    "listing",
    "position",
    "state",
    "counters",
    "cycles",
    "yielded",
    "repeats_at_most",
];

const TEXTS: [&str; 12] = [
    "",
    "a",
    "at",
    "done",
    "start",
    "Organizations.1015",
    "APIGW.0301",
    "signature expired",
    "2024-01-01T00:00:00Z",
    "5e2b9f3a-4b1e-4c7e-9d55-0c1f7f4f0a01",
    "\\ud83d\\ude00",
    "\\u0000\\n",
];

const NUMBERS: [&str; 10] = [
    "0",
    "1",
    "-1",
    "18446744073709551615",
    "18446744073709551616",
    "1e400",
    "-0",
    "0.5",
    "401",
    "9007199254740993",
];

/// The text of a JSON value.
#[derive(Clone, Debug)]
pub struct Json(pub String);

impl<'a> Arbitrary<'a> for Json {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        let mut text = String::new();
        write(input, &mut text, 6)?;
        Ok(Self(text))
    }
}

fn write(input: &mut Unstructured<'_>, text: &mut String, depth: u8) -> Result<()> {
    let kinds = if depth == 0 { 5 } else { 9 };
    match input.int_in_range(0..=kinds)? {
        0 => text.push_str("null"),
        1 => text.push_str(if input.arbitrary()? { "true" } else { "false" }),
        2 => text.push_str(input.choose(&NUMBERS)?),
        3 => text.push_str(&i16::arbitrary(input)?.to_string()),
        4 => {
            text.push('"');
            text.push_str(input.choose(&TEXTS)?);
            text.push('"');
        }
        5 => text.push_str(&serde_json::Value::from(<&str>::arbitrary(input)?).to_string()),
        6 | 7 => list(input, text, ('[', ']'), |input, text| write(input, text, depth - 1))?,
        _ => list(input, text, ('{', '}'), |input, text| {
            let name = *input.choose(&NAMES)?;
            text.push_str(&format!("\"{name}\":"));
            write(input, text, depth - 1)
        })?,
    }
    Ok(())
}

fn list(
    input: &mut Unstructured<'_>,
    text: &mut String,
    (open, close): (char, char),
    mut part: impl FnMut(&mut Unstructured<'_>, &mut String) -> Result<()>,
) -> Result<()> {
    text.push(open);
    for index in 0..input.int_in_range(0..=6)? {
        if index > 0 {
            text.push(',');
        }
        part(input, text)?;
    }
    text.push(close);
    Ok(())
}
