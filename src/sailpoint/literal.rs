use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};

use super::field::LiteralType;

/// A value in a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Literal {
    /// Text; compared without regard to case, mostly.
    Text(String),
    /// `true` or `false`.
    Bool(bool),
    /// A moment, sent with as many digits as it has.
    Date(DateTime<Utc>),
}

impl From<&str> for Literal {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Literal {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Literal {
    fn from(yes: bool) -> Self {
        Self::Bool(yes)
    }
}

impl From<DateTime<Utc>> for Literal {
    fn from(date: DateTime<Utc>) -> Self {
        Self::Date(date)
    }
}

impl Literal {
    pub(super) fn literal_type(&self) -> LiteralType {
        match self {
            Self::Text(_) => LiteralType::Text,
            Self::Bool(_) => LiteralType::Bool,
            Self::Date(_) => LiteralType::Date,
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // `#`, `%` and `&` need percent-encoding in a URL, which the whole filter gets; nothing here.
            Self::Text(text) => write!(f, "\"{}\"", text.replace('\\', r"\\").replace('"', "\\\"")),
            Self::Bool(yes) => yes.fmt(f),
            Self::Date(date) => f.write_str(&date.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        }
    }
}
