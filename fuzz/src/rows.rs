//! Valid and invalid rows of a listing.

use arbitrary::{Arbitrary, Result, Unstructured};

/// A row of a model. The id is a parameter of [`Row::json`].
#[derive(Clone, Copy, Debug)]
pub enum Row {
    /// A valid row. The number selects unusual members besides the id.
    Good(u8),
    /// An invalid row with a valid id.
    Bad(u8),
    /// An invalid row without a valid id.
    WithoutId(u8),
}

/// What a stream yields for a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowOutcome {
    Good(String),
    Bad,
}

impl RowOutcome {
    /// Returns the id of a valid row.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Good(id) => Some(id),
            Self::Bad => None,
        }
    }
}

impl<'a> Arbitrary<'a> for Row {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        let byte = u8::arbitrary(input)?;
        Ok(match byte % 8 {
            6 => Self::Bad(byte / 8),
            7 => Self::WithoutId(byte / 8),
            _ => Self::Good(byte / 8),
        })
    }

    fn size_hint(_: usize) -> (usize, Option<usize>) {
        (1, Some(1))
    }
}

/// Members that are valid at every provider, or unknown.
const UNUSUAL_MEMBERS: [&str; 8] = [
    "",
    r#","name":null,"email":null"#,
    r#","name":"N\u00e9\ud83d\ude00\"\\","description":"-""#,
    r#","later":{"deep":[1,{"x":null}],"big":1e400,"bigger":-0}"#,
    r#","created":1704067200.5,"joined_at":"never""#,
    r#","role":"wizard","status":"STRANGE","origin":"","join_method":"found""#,
    r#","active":false,"disabled":true,"locked":null,"systemAccount":true"#,
    r#","attributes":{"password":"hunter2","password":7}"#,
];

/// Members that make an account invalid.
const INVALID_MEMBERS: [&str; 6] = [
    r#","name":["hunter2"]"#,
    r#","name":{"hunter2":"hunter2"}"#,
    r#","name":7.5"#,
    r#","name":true"#,
    r#","name":"hunter2","name":"hunter2""#,
    r#","name":-99999999999999999999"#,
];

const WITHOUT_ID: [&str; 10] = [
    "null",
    "7",
    "\"hunter2\"",
    "[]",
    "[{\"id\":\"hunter2\"}]",
    "{}",
    r#"{"id":"","acct_id":"","name":"hunter2"}"#,
    r#"{"id":null,"acct_id":null,"name":"hunter2"}"#,
    r#"{"id":{"hunter2":1},"acct_id":["hunter2"]}"#,
    r#"{"id":5,"acct_id":"no uuid","name":"hunter2"}"#,
];

impl Row {
    /// Returns the row as JSON, with `id` in the member `member`.
    pub fn json(self, member: &str, id: &str) -> String {
        self.json_with(member, id, "")
    }

    /// Like [`json`](Self::json), with `more` members in a valid row.
    pub fn json_with(self, member: &str, id: &str, more: &str) -> String {
        let id = serde_json::Value::from(id);
        let pick = |list: &[&'static str], index: u8| list[usize::from(index) % list.len()];
        match self {
            Self::Good(index) => format!("{{\"{member}\":{id}{more}{}}}", pick(&UNUSUAL_MEMBERS, index)),
            Self::Bad(index) => format!("{{\"{member}\":{id}{}}}", pick(&INVALID_MEMBERS, index)),
            Self::WithoutId(index) => pick(&WITHOUT_ID, index).to_owned(),
        }
    }

    /// Returns what a stream must yield for the row.
    pub fn expected(self, id: &str) -> RowOutcome {
        match self {
            Self::Good(_) => RowOutcome::Good(id.to_owned()),
            Self::Bad(_) | Self::WithoutId(_) => RowOutcome::Bad,
        }
    }

    /// Returns whether the row has a valid id.
    pub fn has_id(self) -> bool {
        !matches!(self, Self::WithoutId(_))
    }
}
