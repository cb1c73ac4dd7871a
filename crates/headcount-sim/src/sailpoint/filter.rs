//! The filter language of the standard collection parameters.

use std::iter::Peekable;
use std::vec::IntoIter;

use chrono::DateTime;
use serde_json::Value;

use super::accounts::Sources;
use super::operation::Api;

/// A filter operator. Which fields support it depends on the API version.
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
    /// Parses an operator, which must be in lower case.
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

/// A filter that the API version supports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Test { field: Field, op: Op, values: Vec<FieldValue> },
}

impl Filter {
    /// Returns whether a record matches.
    pub(crate) fn matches(&self, record: &Value, sources: &Sources) -> bool {
        match self {
            Self::And(all) => all.iter().all(|filter| filter.matches(record, sources)),
            Self::Or(any) => any.iter().any(|filter| filter.matches(record, sources)),
            Self::Not(filter) => !filter.matches(record, sources),
            Self::Test { field: Field::Entitlements, values, .. } => values
                .iter()
                .any(|value| matches!(value, FieldValue::Text(id) if sources.entitles(record, id))),
            Self::Test { field, op, values } => compare(&field.value(record), *op, values),
        }
    }
}

fn compare(actual: &FieldValue, op: Op, values: &[FieldValue]) -> bool {
    if op == Op::IsNull {
        return *actual == FieldValue::Null;
    }
    if *actual == FieldValue::Null {
        return false;
    }
    values.iter().any(|value| match op {
        Op::Eq | Op::In => actual == value,
        Op::Ge => actual >= value,
        Op::Gt => actual > value,
        Op::Le => actual <= value,
        Op::Lt => actual < value,
        Op::Sw => match (actual, value) {
            (FieldValue::Text(actual), FieldValue::Text(prefix)) => actual.starts_with(prefix.as_str()),
            _ => false,
        },
        // No version supports these for accounts, so the parser rejects them.
        Op::Ca | Op::Co | Op::IsNull | Op::Ne | Op::Pr => false,
    })
}

/// The maximum nesting depth of parentheses and `not`, so that a request cannot overflow the stack.
const MAX_DEPTH: usize = 50;

/// Parses a filter of an API version. `not` has the highest precedence, and `or` the lowest.
///
/// # Errors
///
/// Returns a message for the client.
pub(crate) fn parse(text: &str, api: Api) -> Result<Filter, String> {
    let mut parser = Parser { tokens: tokenize(text)?.into_iter().peekable(), api };
    let filter = parser.or(0)?;
    match parser.tokens.next() {
        None => Ok(filter),
        Some(token) => Err(format!("unexpected {}", describe(&token))),
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
        Ok(single(any).unwrap_or_else(Filter::Or))
    }

    fn and(&mut self, depth: usize) -> Result<Filter, String> {
        let first = self.not(depth)?;
        let mut all = vec![first];
        while self.take_word("and") {
            all.push(self.not(depth)?);
        }
        Ok(single(all).unwrap_or_else(Filter::And))
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
            self.expect(&Token::Close)?;
            return Ok(inner);
        }
        self.test()
    }

    /// Parses `field op value`, `field in (values)`, `field isnull` or `pr field`.
    fn test(&mut self) -> Result<Filter, String> {
        let word = self.word()?;
        if word == "pr" {
            let field = self.word()?;
            return self.new_test(&field, Op::Pr, &[]);
        }
        let op = self.word()?;
        let op = Op::parse(&op).ok_or_else(|| format!("unknown operator {op}"))?;
        let literals = match op {
            Op::IsNull => Vec::new(),
            Op::In | Op::Ca => self.list()?,
            _ => vec![self.literal()?],
        };
        self.new_test(&word, op, &literals)
    }

    fn list(&mut self) -> Result<Vec<Token>, String> {
        self.expect(&Token::Open)?;
        let mut list = vec![self.literal()?];
        while self.tokens.next_if_eq(&Token::Comma).is_some() {
            list.push(self.literal()?);
        }
        self.expect(&Token::Close)?;
        Ok(list)
    }

    /// Creates a test, if the API version supports it.
    fn new_test(&self, name: &str, op: Op, literals: &[Token]) -> Result<Filter, String> {
        let field = Field::parse(name).filter(|field| self.api.filters_by(*field, op));
        let field = field.ok_or_else(|| format!("the filter property {name} does not support {op:?}"))?;
        let values = literals.iter().map(|literal| {
            field_value(field.kind(), literal)
                .ok_or_else(|| format!("{} is no value for {name}", describe(literal)))
        });
        Ok(Filter::Test { field, op, values: values.collect::<Result<_, _>>()? })
    }

    fn take_word(&mut self, word: &str) -> bool {
        self.tokens.next_if(|token| matches!(token, Token::Word(next) if next == word)).is_some()
    }

    fn word(&mut self) -> Result<String, String> {
        match self.tokens.next() {
            Some(Token::Word(word)) => Ok(word),
            Some(token) => Err(format!("unexpected {}", describe(&token))),
            None => Err("the filter ends too early".to_owned()),
        }
    }

    fn literal(&mut self) -> Result<Token, String> {
        match self.tokens.next() {
            Some(token @ (Token::Word(_) | Token::Text(_))) => Ok(token),
            Some(token) => Err(format!("unexpected {}", describe(&token))),
            None => Err("the filter ends too early".to_owned()),
        }
    }

    fn expect(&mut self, expected: &Token) -> Result<(), String> {
        match self.tokens.next_if_eq(expected) {
            Some(_) => Ok(()),
            None => Err(format!("{} is missing", describe(expected))),
        }
    }
}

/// Returns the only filter, or all filters as the error.
fn single(mut filters: Vec<Filter>) -> Result<Filter, Vec<Filter>> {
    match (filters.len(), filters.pop()) {
        (1, Some(only)) => Ok(only),
        (_, Some(last)) => {
            filters.push(last);
            Err(filters)
        }
        (_, None) => Err(filters),
    }
}

fn field_value(kind: Kind, literal: &Token) -> Option<FieldValue> {
    match (kind, literal) {
        (Kind::Text, Token::Text(text)) => Some(FieldValue::Text(text.to_lowercase())),
        (Kind::Flag, Token::Word(word)) => word.parse().ok().map(FieldValue::Flag),
        (Kind::Date, Token::Word(word)) => parse_date(word).map(FieldValue::Date),
        _ => None,
    }
}

fn describe(token: &Token) -> String {
    match token {
        Token::Word(word) => word.clone(),
        Token::Text(text) => format!("{text:?}"),
        Token::Open => "(".to_owned(),
        Token::Close => ")".to_owned(),
        Token::Comma => ",".to_owned(),
    }
}

/// A token of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// A field, an operator, or an unquoted literal.
    Word(String),
    /// A quoted literal, unescaped.
    Text(String),
    Open,
    Close,
    Comma,
}

/// Splits a filter into tokens.
pub(crate) fn tokenize(filter: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = filter.chars().peekable();
    while let Some(next) = rest.next() {
        let token = match next {
            '(' => Token::Open,
            ')' => Token::Close,
            ',' => Token::Comma,
            '"' => Token::Text(quoted(&mut rest)?),
            space if space.is_whitespace() => continue,
            first => {
                let mut word = String::from(first);
                while let Some(next) = rest.next_if(|next| !ends_word(*next)) {
                    word.push(next);
                }
                Token::Word(word)
            }
        };
        tokens.push(token);
    }
    Ok(tokens)
}

fn ends_word(next: char) -> bool {
    next.is_whitespace() || matches!(next, '(' | ')' | ',' | '"')
}

/// Parses the rest of a quoted literal. A backslash may only escape a backslash or a quote.
fn quoted(rest: &mut impl Iterator<Item = char>) -> Result<String, String> {
    let mut text = String::new();
    while let Some(next) = rest.next() {
        match next {
            '"' => return Ok(text),
            '\\' => match rest.next() {
                Some(escaped @ ('"' | '\\')) => text.push(escaped),
                Some(other) => return Err(format!("unknown escape \\{other}")),
                None => break,
            },
            other => text.push(other),
        }
    }
    Err("a quote is not closed".to_owned())
}

/// A field of filters and sorters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Id,
    IdentityId,
    Name,
    NativeIdentity,
    SourceId,
    Uuid,
    Uncorrelated,
    HasEntitlements,
    Entitlements,
    Origin,
    ManuallyCorrelated,
    IdentityName,
    IdentityCorrelated,
    IdentityState,
    SourceDisplayableName,
    SourceAuthoritative,
    SourceConnectionType,
    SourceOwnerName,
    RecommendationMethod,
    RecommendationType,
    Created,
    Modified,
}

/// The type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Flag,
    Date,
}

/// A value of a field, in the order of sorters: null first, text without case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FieldValue {
    Null,
    Flag(bool),
    /// Unix milliseconds.
    Date(i64),
    /// In lower case.
    Text(String),
}

impl Field {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "id" => Self::Id,
            "identityId" => Self::IdentityId,
            "name" => Self::Name,
            "nativeIdentity" => Self::NativeIdentity,
            "sourceId" => Self::SourceId,
            "uuid" => Self::Uuid,
            "uncorrelated" => Self::Uncorrelated,
            "hasEntitlements" => Self::HasEntitlements,
            "entitlements" => Self::Entitlements,
            "origin" => Self::Origin,
            "manuallyCorrelated" => Self::ManuallyCorrelated,
            "identity.name" => Self::IdentityName,
            "identity.correlated" => Self::IdentityCorrelated,
            "identity.identityState" => Self::IdentityState,
            "source.displayableName" => Self::SourceDisplayableName,
            "source.authoritative" => Self::SourceAuthoritative,
            "source.connectionType" => Self::SourceConnectionType,
            "sourceOwner.name" => Self::SourceOwnerName,
            "recommendation.method" => Self::RecommendationMethod,
            "recommendation.type" => Self::RecommendationType,
            "created" => Self::Created,
            "modified" => Self::Modified,
            _ => return None,
        })
    }

    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Uncorrelated
            | Self::HasEntitlements
            | Self::ManuallyCorrelated
            | Self::IdentityCorrelated
            | Self::SourceAuthoritative => Kind::Flag,
            Self::Created | Self::Modified => Kind::Date,
            _ => Kind::Text,
        }
    }

    /// Returns the field's value in a record. Null for `entitlements`, which records do not contain.
    pub(crate) fn value(self, record: &Value) -> FieldValue {
        let at = |pointer: &str| record.pointer(pointer).unwrap_or(&Value::Null);
        let value = match self {
            Self::Id => at("/id"),
            Self::IdentityId => at("/identityId"),
            Self::Name => at("/name"),
            Self::NativeIdentity => at("/nativeIdentity"),
            Self::SourceId => at("/sourceId"),
            Self::Uuid => at("/uuid"),
            Self::Uncorrelated | Self::IdentityCorrelated => at("/uncorrelated"),
            Self::HasEntitlements => at("/hasEntitlements"),
            Self::Entitlements => &Value::Null,
            Self::Origin => at("/origin"),
            Self::ManuallyCorrelated => at("/manuallyCorrelated"),
            Self::IdentityName => at("/identity/name"),
            Self::IdentityState => at("/identityState"),
            Self::SourceDisplayableName => at("/sourceName"),
            Self::SourceAuthoritative => at("/authoritative"),
            Self::SourceConnectionType => at("/connectionType"),
            Self::SourceOwnerName => at("/sourceOwner/name"),
            Self::RecommendationMethod => at("/recommendation/method"),
            Self::RecommendationType => at("/recommendation/type"),
            Self::Created => at("/created"),
            Self::Modified => at("/modified"),
        };
        match (value, self.kind()) {
            (Value::String(text), Kind::Text) => FieldValue::Text(text.to_lowercase()),
            (Value::String(text), Kind::Date) => parse_date(text).map_or(FieldValue::Null, FieldValue::Date),
            (Value::Bool(flag), Kind::Flag) => FieldValue::Flag(*flag != (self == Self::IdentityCorrelated)),
            _ => FieldValue::Null,
        }
    }
}

/// Parses an RFC 3339 timestamp to Unix milliseconds.
fn parse_date(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.timestamp_millis())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn matches(filter: &str, record: &Value) -> bool {
        let filter = parse(filter, Api::V2025).unwrap_or_else(|error| panic!("{filter}: {error}"));
        filter.matches(record, &Sources::new(1, 20))
    }

    fn account() -> Value {
        json!({
            "id": "2c9180867c184ff6017c2a2fbf031667",
            "name": "O\"Neill \\ Søn",
            "nativeIdentity": "CN=a,OU=b",
            "sourceId": "S1",
            "sourceName": "Active Directory",
            "uncorrelated": false,
            "hasEntitlements": true,
            "created": "2021-09-28T02:15:44.644Z",
            "modified": null,
            "origin": null,
            "identity": {"name": "Zoë"},
        })
    }

    #[test]
    fn comparisons() {
        let account = account();
        for filter in [
            "id sw \"2C91\"",
            "name eq \"o\\\"neill \\\\ SØN\"",
            "nativeIdentity eq \"CN=a,OU=b\"",
            "sourceId in (\"s0\",\"s1\" , \"s2\")",
            "uncorrelated eq false",
            "identity.correlated eq true",
            "source.displayableName in (\"Active Directory\")",
            "created eq 2021-09-28T12:15:44.644+10:00",
            "created gt 2021-09-28T02:15:44Z and created le 2021-09-28T02:15:44.644Z",
            "recommendation.type isnull",
            "not modified lt 2030-01-01T00:00:00Z",
            "not(uncorrelated eq true)",
            "identity.name sw \"zoë\"",
        ] {
            assert!(matches(filter, &account), "{filter}");
        }
        for filter in [
            "id eq \"2c91\"",
            "origin eq \"AGGREGATED\"",
            "origin in (\"AGGREGATED\",\"\")",
            "created lt 2021-09-28T02:15:44.644Z",
            "modified ge 1970-01-01T00:00:00Z",
            "uncorrelated eq true",
        ] {
            assert!(!matches(filter, &account), "{filter}");
        }
    }

    #[test]
    fn operator_precedence() {
        let account = account();
        let (yes, no) = ("uncorrelated eq false", "uncorrelated eq true");
        assert!(matches(&format!("{yes} or {no} and {no}"), &account));
        assert!(!matches(&format!("({yes} or {no}) and {no}"), &account));
        assert!(!matches(&format!("not {yes} and {no}"), &account));
        assert!(matches(&format!("not ({yes} and {no})"), &account));
        assert!(matches(&format!("not {no} and not not {yes}"), &account));
        let parsed = parse(&format!("{no} or {no} and {yes}"), Api::V3).expect("a filter");
        assert!(
            matches!(parsed, Filter::Or(any) if matches!(any.as_slice(), [Filter::Test { .. }, Filter::And(_)]))
        );
    }

    #[test]
    fn undocumented_filters_are_rejected() {
        for filter in [
            "",
            "id",
            "id eq",
            "id EQ \"a\"",
            "id gt \"a\"",
            "name co \"a\"",
            "name ne \"a\"",
            "pr name",
            "name isnull",
            "id eq a",
            "uncorrelated eq \"true\"",
            "uncorrelated eq TRUE",
            "created eq \"2021-09-28T02:15:44Z\"",
            "created gt yesterday",
            "unheard eq \"a\"",
            "uuid eq \"a\"",
            "id in \"a\"",
            "id in ()",
            "id in (\"a\"",
            "id in (\"a\",)",
            "id eq \"a",
            "id eq \"a\\n\"",
            "id eq \"a\" id eq \"b\"",
            "id eq \"a\" and",
            "id eq \"a\" AND id eq \"b\"",
            "(id eq \"a\"",
            "id eq \"a\")",
        ] {
            assert!(parse(filter, Api::V2025).is_err(), "{filter}");
        }
        assert!(parse("created lt 2021-09-28T02:15:44Z", Api::Beta).is_err());
        assert!(parse("recommendation.type isnull", Api::V3).is_err());
        assert!(parse("recommendation.method isnull", Api::V3).is_ok());
    }

    #[test]
    fn nesting_is_limited() {
        let deep = format!("{}uncorrelated eq true{}", "(".repeat(100_000), ")".repeat(100_000));
        assert!(parse(&deep, Api::V3).is_err());
        assert!(parse(&"not ".repeat(100_000), Api::V3).is_err());
        let long = vec!["uncorrelated eq true"; 5_000].join(" or ");
        assert!(parse(&long, Api::V3).is_ok());
    }
}
