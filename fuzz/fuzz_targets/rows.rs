//! Arbitrary pages. Rows must be the same as those that serde decodes from the page, each by itself.

#![no_main]

use arbitrary::Arbitrary;
use headcount::{ErrorKind, Page, Paginator, Result, huawei, sailpoint};
use headcount_fuzz::{
    canary_free::CanaryFree,
    clients,
    json::Json,
    runtime::run,
    server::{Server, response},
};
use libfuzzer_sys::fuzz_target;
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::value::RawValue;

#[derive(Arbitrary, Debug)]
enum Part {
    Good(u8),
    Bad(u8),
    Json(Json),
    Text(String),
    Token(u8),
}

#[derive(Arbitrary, Debug)]
struct Input {
    rows: Vec<Part>,
    info: Option<Json>,
    /// Text to insert at a position.
    insertions: Vec<(u16, Part)>,
    /// The positions of characters to remove.
    removals: Vec<u16>,
}

impl Part {
    fn text(&self) -> String {
        match self {
            Self::Good(number) => format!(r#"{{"id":"{number}","name":"a\"}}]b","more":[{{}},[]]}}"#),
            Self::Bad(number) => format!(r#"{{"id":"{number}","name":{number}}}"#),
            Self::Json(json) => json.0.clone(),
            Self::Text(text) => text.clone(),
            Self::Token(index) => {
                let tokens = [
                    "{",
                    "}",
                    "[",
                    "]",
                    ",",
                    ":",
                    " ",
                    "\n",
                    "\"",
                    "null",
                    r#""accounts""#,
                    r#""page_info":{}"#,
                ];
                tokens[usize::from(*index) % tokens.len()].to_owned()
            }
        }
    }
}

impl Input {
    fn corrupt(&self, mut text: String) -> String {
        for (position, part) in self.insertions.iter().take(8) {
            let position = usize::from(*position) % (text.len() + 1);
            if text.is_char_boundary(position) {
                text.insert_str(position, &part.text());
            }
        }
        for position in self.removals.iter().take(8).map(|position| usize::from(*position)) {
            if position < text.len() && text.is_char_boundary(position) {
                text.remove(position);
            }
        }
        text
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    accounts: Vec<&'a RawValue>,
    #[serde(borrow)]
    page_info: &'a RawValue,
}

#[derive(Deserialize)]
struct Info {
    next_marker: Option<String>,
    /// Decoded because a duplicate member is an error.
    #[serde(rename = "current_count")]
    _count: Option<IgnoredAny>,
}

fuzz_target!(|input: CanaryFree<Input>| {
    let input = input.0;
    let rows: Vec<_> = input.rows.iter().take(40).map(Part::text).collect();
    let array = format!("[{}]", rows.join(","));

    let text = input.corrupt(array.clone());
    let list = clients::sailpoint(&server(&text)).list_accounts().count(false);
    let read = run(list.fetch(None)).map(|page| page_of(&page, |account| account.raw().to_owned()));
    check(&text, read, serde_json::from_str(&text).ok(), decodes::<sailpoint::Account>);

    let info = input.info.as_ref().map_or(r#"{"next_marker":null}"#, |info| &info.0);
    let text = input.corrupt(format!(r#"{{"accounts":{array},"page_info":{info}}}"#));
    let list = clients::huawei(&server(&text)).list_accounts();
    let read = run(list.fetch(None));
    let next = read.as_ref().ok().and_then(|page| page.next.clone());
    let read = read.map(|page| page_of(&page, |account| account.raw().to_owned()));
    let envelope: Option<Envelope<'_>> =
        serde_json::from_str(&text).ok().filter(|_| !text.trim_start().starts_with('['));
    // serde also accepts an array as a struct.
    let envelope = envelope.and_then(|envelope| {
        let info = Some(envelope.page_info.get()).filter(|info| info.starts_with('{'))?;
        Some((envelope.accounts, serde_json::from_str::<Info>(info).ok()?.next_marker))
    });
    if let (Ok(_), Some((_, marker))) = (&read, &envelope) {
        assert_eq!(next, marker.clone().filter(|marker| !marker.is_empty()));
    }
    check(&text, read, envelope.map(|(rows, _)| rows), decodes::<huawei::Account>);
});

fn server(text: &str) -> Server {
    let text = text.to_owned();
    Server::new(move |_| response(200, text.clone()))
}

fn decodes<T: DeserializeOwned>(row: &str) -> bool {
    serde_json::from_str::<T>(row).is_ok()
}

/// The valid rows, and the indexes of the others.
type Rows = (Vec<String>, Vec<usize>);

fn page_of<T, C>(page: &Page<T, C>, raw: impl Fn(&T) -> String) -> Rows {
    (page.items.iter().map(raw).collect(), page.rejected.iter().map(|row| row.index).collect())
}

fn check(text: &str, read: Result<Rows>, rows: Option<Vec<&RawValue>>, is_good: fn(&str) -> bool) {
    match (read, rows) {
        (Ok(read), Some(rows)) => {
            let good =
                rows.iter().map(|row| row.get()).filter(|row| is_good(row)).map(str::to_owned).collect();
            let bad = (0..rows.len()).filter(|row| !is_good(rows[*row].get())).collect();
            assert_eq!(read, (good, bad), "{text}");
        }
        (Err(error), None) => assert_eq!(error.kind(), ErrorKind::Decode, "{error}"),
        (read, rows) => panic!("expected {rows:?}, got {read:?}: {text}"),
    }
}
