//! Rows of a listing, good and bad.

use arbitrary::{Arbitrary, Result, Unstructured};

/// A row of a model; its id is given when it is written.
#[derive(Clone, Copy, Debug)]
pub enum Row {
    /// With so odd members besides the id.
    Good(u8),
    /// Its id can be read, and nothing else.
    Bad(u8),
    /// Bad, and without an id to go on from.
    Nameless(u8),
}

/// What a stream tells of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    Good(String),
    Bad,
}

impl Told {
    /// The id of an account.
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
            7 => Self::Nameless(byte / 8),
            _ => Self::Good(byte / 8),
        })
    }

    fn size_hint(_: usize) -> (usize, Option<usize>) {
        (1, Some(1))
    }
}

/// Members that any provider's account may have, or that none knows.
const ODD_MEMBERS: [&str; 8] = [
    "",
    r#","name":null,"email":null"#,
    r#","name":"N\u00e9\ud83d\ude00\"\\","description":"-""#,
    r#","later":{"deep":[1,{"x":null}],"big":1e400,"bigger":-0}"#,
    r#","created":1704067200.5,"joined_at":"never""#,
    r#","role":"wizard","status":"STRANGE","origin":"","join_method":"found""#,
    r#","active":false,"disabled":true,"locked":null,"systemAccount":true"#,
    r#","attributes":{"password":"hunter2","password":7}"#,
];

/// Members that no account can have.
const BAD_MEMBERS: [&str; 6] = [
    r#","name":["hunter2"]"#,
    r#","name":{"hunter2":"hunter2"}"#,
    r#","name":7.5"#,
    r#","name":true"#,
    r#","name":"hunter2","name":"hunter2""#,
    r#","name":-99999999999999999999"#,
];

const NAMELESS: [&str; 10] = [
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
    /// The row as JSON, with `id` in its member `member`.
    pub fn json(self, member: &str, id: &str) -> String {
        self.json_with(member, id, "")
    }

    /// The same; a good row has `more` members.
    pub fn json_with(self, member: &str, id: &str, more: &str) -> String {
        let id = serde_json::Value::from(id);
        let pick = |list: &[&'static str], index: u8| list[usize::from(index) % list.len()];
        match self {
            Self::Good(odd) => format!("{{\"{member}\":{id}{more}{}}}", pick(&ODD_MEMBERS, odd)),
            Self::Bad(odd) => format!("{{\"{member}\":{id}{}}}", pick(&BAD_MEMBERS, odd)),
            Self::Nameless(odd) => pick(&NAMELESS, odd).to_owned(),
        }
    }

    /// What a stream has to tell of it.
    pub fn told(self, id: &str) -> Told {
        match self {
            Self::Good(_) => Told::Good(id.to_owned()),
            Self::Bad(_) | Self::Nameless(_) => Told::Bad,
        }
    }

    /// Whether its id can be read.
    pub fn has_id(self) -> bool {
        !matches!(self, Self::Nameless(_))
    }
}
