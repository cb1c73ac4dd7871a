//! The filter language of the standard collection parameters.

mod lexer;
mod parser;

use serde_json::Value;

use super::field::{Datum, Field};
use super::sources::Sources;
pub(crate) use parser::parse;

/// An operator of the language. Which fields know which is up to the version of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Ca,
    Co,
    Eq,
    Ge,
    Gt,
    In,
    IsNull,
    Le,
    Lt,
    Ne,
    Pr,
    Sw,
}

impl Op {
    /// Operators are in lower case only.
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "ca" => Self::Ca,
            "co" => Self::Co,
            "eq" => Self::Eq,
            "ge" => Self::Ge,
            "gt" => Self::Gt,
            "in" => Self::In,
            "isnull" => Self::IsNull,
            "le" => Self::Le,
            "lt" => Self::Lt,
            "ne" => Self::Ne,
            "pr" => Self::Pr,
            "sw" => Self::Sw,
            _ => return None,
        })
    }
}

/// A filter, checked against what the version of the API allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Test { field: Field, op: Op, values: Vec<Datum> },
}

impl Filter {
    pub(crate) fn matches(&self, record: &Value, sources: &Sources) -> bool {
        match self {
            Self::And(all) => all.iter().all(|filter| filter.matches(record, sources)),
            Self::Or(any) => any.iter().any(|filter| filter.matches(record, sources)),
            Self::Not(filter) => !filter.matches(record, sources),
            Self::Test { field: Field::Entitlements, values, .. } => {
                values.iter().any(|value| matches!(value, Datum::Text(id) if sources.entitles(record, id)))
            }
            Self::Test { field, op, values } => test(&field.of(record), *op, values),
        }
    }
}

fn test(found: &Datum, op: Op, values: &[Datum]) -> bool {
    if op == Op::IsNull {
        return *found == Datum::Null;
    }
    if *found == Datum::Null {
        return false;
    }
    values.iter().any(|value| match op {
        Op::Eq | Op::In => found == value,
        Op::Ge => found >= value,
        Op::Gt => found > value,
        Op::Le => found <= value,
        Op::Lt => found < value,
        Op::Sw => match (found, value) {
            (Datum::Text(found), Datum::Text(start)) => found.starts_with(start.as_str()),
            _ => false,
        },
        // No version allows these for any field of an account, so the parser lets none of them through.
        Op::Ca | Op::Co | Op::IsNull | Op::Ne | Op::Pr => false,
    })
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
