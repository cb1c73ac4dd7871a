//! A parser for filters, written from SailPoint's *Standard Collection Parameters* and independent of the
//! crate.
//!
//! ```text
//! filter  = factor *(" and " factor) | factor *(" or " factor)
//! factor  = "not (" filter ")" | "(" filter ")" | field operator [literal | "(" literal *("," literal) ")"]
//! literal = '"' text '"' | true | false | date        in text, \ and " are escaped by \
//! ```

use chrono::{DateTime, Utc};

/// A parsed filter. `and` and `or` are flattened: `a and (b and c)` equals `a and b and c`.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    Compare(String, String, Vec<Operand>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Not(Box<Expression>),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    Text(String),
    Bool(bool),
    Date(DateTime<Utc>),
}

impl Expression {
    pub fn all(parts: Vec<Self>) -> Self {
        let flat = parts.into_iter().flat_map(|part| match part {
            Self::All(parts) => parts,
            part => vec![part],
        });
        Self::All(flat.collect())
    }

    pub fn any(parts: Vec<Self>) -> Self {
        let flat = parts.into_iter().flat_map(|part| match part {
            Self::Any(parts) => parts,
            part => vec![part],
        });
        Self::Any(flat.collect())
    }
}

/// Parses `text` as one filter. Returns `None` if it is not exactly one.
pub fn parse(text: &str) -> Option<Expression> {
    let mut rest = text;
    let expression = filter(&mut rest)?;
    rest.is_empty().then_some(expression)
}

fn filter(rest: &mut &str) -> Option<Expression> {
    let first = factor(rest)?;
    for (word, join) in [(" and ", Expression::all as fn(_) -> _), (" or ", Expression::any)] {
        let mut parts = vec![first.clone()];
        while take(rest, word) {
            parts.push(factor(rest)?);
        }
        if parts.len() > 1 {
            // `and` and `or` must not be mixed without parentheses.
            return Some(join(parts));
        }
    }
    Some(first)
}

fn factor(rest: &mut &str) -> Option<Expression> {
    if take(rest, "not (") {
        let inner = filter(rest)?;
        return take(rest, ")").then(|| Expression::Not(inner.into()));
    }
    if take(rest, "(") {
        let inner = filter(rest)?;
        return take(rest, ")").then_some(inner);
    }
    let field = word(rest)?;
    take(rest, " ").then_some(())?;
    let operator = word(rest)?;
    let mut operands = Vec::new();
    match operator.as_str() {
        "isnull" => {}
        "in" => {
            take(rest, " (").then_some(())?;
            while !take(rest, ")") {
                (operands.is_empty() || take(rest, ",")).then_some(())?;
                operands.push(operand(rest)?);
            }
        }
        "eq" | "ge" | "gt" | "le" | "lt" | "sw" => {
            take(rest, " ").then_some(())?;
            operands.push(operand(rest)?);
        }
        _ => return None,
    }
    Some(Expression::Compare(field, operator, operands))
}

fn operand(rest: &mut &str) -> Option<Operand> {
    if take(rest, "\"") {
        return quoted(rest).map(Operand::Text);
    }
    let end = rest.find([' ', ',', ')']).unwrap_or(rest.len());
    let (literal, remaining) = rest.split_at(end);
    *rest = remaining;
    Some(match literal {
        "true" => Operand::Bool(true),
        "false" => Operand::Bool(false),
        date => Operand::Date(DateTime::parse_from_rfc3339(date).ok()?.to_utc()),
    })
}

/// Parses a string up to its closing quote.
fn quoted(rest: &mut &str) -> Option<String> {
    let mut text = String::new();
    let mut letters = rest.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => {
                *rest = &rest[at + 1..];
                return Some(text);
            }
            '\\' => match letters.next()? {
                (_, letter @ ('\\' | '"')) => text.push(letter),
                _ => return None,
            },
            letter => text.push(letter),
        }
    }
    None
}

fn word(rest: &mut &str) -> Option<String> {
    let end =
        rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.').unwrap_or(rest.len());
    let (word, remaining) = rest.split_at(end);
    *rest = remaining;
    (!word.is_empty()).then(|| word.to_owned())
}

fn take(rest: &mut &str, expected: &str) -> bool {
    let remaining = rest.strip_prefix(expected);
    *rest = remaining.unwrap_or(rest);
    remaining.is_some()
}
