//! From a filter's text to something that can be tested.

use std::iter::Peekable;
use std::vec::IntoIter;

use super::lexer::{Token, tokens};
use super::{Filter, Op};
use crate::sailpoint::api::Api;
use crate::sailpoint::field::{Datum, Field, Kind, date};

/// How deep parentheses and `not` may nest; a request must not be able to use the stack up.
const MAX_DEPTH: usize = 50;

/// Parses a filter and checks it against the version of the API; the error is for the caller to read.
///
/// `not` binds closer than `and`, and `and` closer than `or`.
pub(crate) fn parse(text: &str, api: Api) -> Result<Filter, String> {
    let mut parser = Parser { tokens: tokens(text)?.into_iter().peekable(), api };
    let filter = parser.or(0)?;
    match parser.tokens.next() {
        None => Ok(filter),
        Some(token) => Err(format!("unexpected {}", shown(&token))),
    }
}

struct Parser {
    tokens: Peekable<IntoIter<Token>>,
    api: Api,
}

impl Parser {
    fn or(&mut self, depth: usize) -> Result<Filter, String> {
        let first = self.and(depth)?;
        let mut any = vec![first];
        while self.take_word("or") {
            any.push(self.and(depth)?);
        }
        Ok(alone(any).unwrap_or_else(Filter::Or))
    }

    fn and(&mut self, depth: usize) -> Result<Filter, String> {
        let first = self.not(depth)?;
        let mut all = vec![first];
        while self.take_word("and") {
            all.push(self.not(depth)?);
        }
        Ok(alone(all).unwrap_or_else(Filter::And))
    }

    fn not(&mut self, depth: usize) -> Result<Filter, String> {
        if depth > MAX_DEPTH {
            return Err("the filter nests too deep".to_owned());
        }
        if self.take_word("not") {
            return Ok(Filter::Not(Box::new(self.not(depth + 1)?)));
        }
        if self.tokens.next_if_eq(&Token::Open).is_some() {
            let inner = self.or(depth + 1)?;
            self.need(&Token::Close)?;
            return Ok(inner);
        }
        self.test()
    }

    /// `field op value`, `field in (values)`, `field isnull` or `pr field`.
    fn test(&mut self) -> Result<Filter, String> {
        let word = self.word()?;
        if word == "pr" {
            let field = self.word()?;
            return self.checked(&field, Op::Pr, &[]);
        }
        let op = self.word()?;
        let op = Op::parse(&op).ok_or_else(|| format!("unknown operator {op}"))?;
        let literals = match op {
            Op::IsNull => Vec::new(),
            Op::In | Op::Ca => self.list()?,
            _ => vec![self.literal()?],
        };
        self.checked(&word, op, &literals)
    }

    fn list(&mut self) -> Result<Vec<Token>, String> {
        self.need(&Token::Open)?;
        let mut list = vec![self.literal()?];
        while self.tokens.next_if_eq(&Token::Comma).is_some() {
            list.push(self.literal()?);
        }
        self.need(&Token::Close)?;
        Ok(list)
    }

    fn checked(&self, name: &str, op: Op, literals: &[Token]) -> Result<Filter, String> {
        let field = Field::parse(name).filter(|field| self.api.filters_by(*field, op));
        let field = field.ok_or_else(|| format!("the filter property {name} does not support {op:?}"))?;
        let values = literals.iter().map(|literal| {
            datum(field.kind(), literal).ok_or_else(|| format!("{} is no value for {name}", shown(literal)))
        });
        Ok(Filter::Test { field, op, values: values.collect::<Result<_, _>>()? })
    }

    fn take_word(&mut self, word: &str) -> bool {
        self.tokens.next_if(|token| matches!(token, Token::Word(next) if next == word)).is_some()
    }

    fn word(&mut self) -> Result<String, String> {
        match self.tokens.next() {
            Some(Token::Word(word)) => Ok(word),
            Some(token) => Err(format!("unexpected {}", shown(&token))),
            None => Err("the filter ends too early".to_owned()),
        }
    }

    fn literal(&mut self) -> Result<Token, String> {
        match self.tokens.next() {
            Some(token @ (Token::Word(_) | Token::Text(_))) => Ok(token),
            Some(token) => Err(format!("unexpected {}", shown(&token))),
            None => Err("the filter ends too early".to_owned()),
        }
    }

    fn need(&mut self, wanted: &Token) -> Result<(), String> {
        match self.tokens.next_if_eq(wanted) {
            Some(_) => Ok(()),
            None => Err(format!("{} is missing", shown(wanted))),
        }
    }
}

/// The only filter of several, or all of them.
fn alone(mut filters: Vec<Filter>) -> Result<Filter, Vec<Filter>> {
    match (filters.len(), filters.pop()) {
        (1, Some(only)) => Ok(only),
        (_, Some(last)) => {
            filters.push(last);
            Err(filters)
        }
        (_, None) => Err(filters),
    }
}

fn datum(kind: Kind, literal: &Token) -> Option<Datum> {
    match (kind, literal) {
        (Kind::Text, Token::Text(text)) => Some(Datum::Text(text.to_lowercase())),
        (Kind::Flag, Token::Word(word)) => word.parse().ok().map(Datum::Flag),
        (Kind::Date, Token::Word(word)) => date(word).map(Datum::Date),
        _ => None,
    }
}

fn shown(token: &Token) -> String {
    match token {
        Token::Word(word) => word.clone(),
        Token::Text(text) => format!("{text:?}"),
        Token::Open => "(".to_owned(),
        Token::Close => ")".to_owned(),
        Token::Comma => ",".to_owned(),
    }
}
