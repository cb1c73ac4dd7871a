//! Arbitrary SailPoint filters. An independent parser must read the sent filter as it was built, so that no
//! text escapes its quotes.

#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use headcount::{
    ErrorKind,
    sailpoint::{Field, Filter},
};
use headcount_fuzz::{
    clients,
    filter_text::{Expression, Operand, parse},
    redaction,
    runtime::run,
    server::{Server, headers, parameter, with_headers},
};
use libfuzzer_sys::fuzz_target;

const FIELDS: [Field; 22] = [
    Field::Id,
    Field::IdentityId,
    Field::Name,
    Field::NativeIdentity,
    Field::SourceId,
    Field::Uncorrelated,
    Field::HasEntitlements,
    Field::Entitlements,
    Field::Origin,
    Field::ManuallyCorrelated,
    Field::IdentityName,
    Field::IdentityCorrelated,
    Field::IdentityState,
    Field::SourceDisplayableName,
    Field::SourceAuthoritative,
    Field::SourceConnectionType,
    Field::RecommendationMethod,
    Field::RecommendationType,
    Field::Created,
    Field::Modified,
    Field::Uuid,
    Field::SourceOwnerName,
];

/// The last second of the year 9999, where RFC 3339 ends.
const MAX_SECONDS: i64 = 253_402_300_799;

/// The structure of a filter.
#[derive(Debug)]
enum FilterSpec {
    Compare(Field, u8, Value),
    In(Field, Vec<Value>),
    IsNull(Field),
    And(Box<FilterSpec>, Box<FilterSpec>),
    Or(Box<FilterSpec>, Box<FilterSpec>),
    Not(Box<FilterSpec>),
}

#[derive(Arbitrary, Clone, Debug)]
enum Value {
    Text(String),
    Bool(bool),
    Date(u64, u32),
}

impl<'a> Arbitrary<'a> for FilterSpec {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        arbitrary_filter(input, 6)
    }
}

fn arbitrary_filter(input: &mut Unstructured<'_>, depth: u8) -> Result<FilterSpec> {
    let max_kind = if depth == 0 { 2 } else { 5 };
    let field = *input.choose(&FIELDS)?;
    Ok(match input.int_in_range(0..=max_kind)? {
        0 => FilterSpec::Compare(field, input.arbitrary()?, input.arbitrary()?),
        1 => FilterSpec::In(field, input.arbitrary()?),
        2 => FilterSpec::IsNull(field),
        3 => FilterSpec::And(
            arbitrary_filter(input, depth - 1)?.into(),
            arbitrary_filter(input, depth - 1)?.into(),
        ),
        4 => FilterSpec::Or(
            arbitrary_filter(input, depth - 1)?.into(),
            arbitrary_filter(input, depth - 1)?.into(),
        ),
        _ => FilterSpec::Not(arbitrary_filter(input, depth - 1)?.into()),
    })
}

impl Value {
    fn date(seconds: u64, nanos: u32) -> DateTime<Utc> {
        let seconds = i64::try_from(seconds % MAX_SECONDS.unsigned_abs()).unwrap_or_default();
        DateTime::from_timestamp(seconds, nanos % 1_000_000_000).unwrap_or_default()
    }

    fn literal(&self) -> headcount::sailpoint::Literal {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Bool(yes) => (*yes).into(),
            Self::Date(seconds, nanos) => Self::date(*seconds, *nanos).into(),
        }
    }

    fn operand(&self) -> Operand {
        match self {
            Self::Text(text) => Operand::Text(text.clone()),
            Self::Bool(yes) => Operand::Bool(*yes),
            Self::Date(seconds, nanos) => Operand::Date(Self::date(*seconds, *nanos)),
        }
    }
}

impl FilterSpec {
    fn filter(&self) -> Filter {
        match self {
            Self::Compare(field, operator, value) => match (operator % 6, value) {
                (1, value) => Filter::ge(*field, value.literal()),
                (2, value) => Filter::gt(*field, value.literal()),
                (3, value) => Filter::le(*field, value.literal()),
                (4, value) => Filter::lt(*field, value.literal()),
                (5, Value::Text(text)) => Filter::starts_with(*field, text),
                (_, value) => Filter::eq(*field, value.literal()),
            },
            Self::In(field, values) => Filter::is_in(*field, values.iter().map(Value::literal)),
            Self::IsNull(field) => Filter::is_null(*field),
            Self::And(one, other) => one.filter().and(other.filter()),
            Self::Or(one, other) => one.filter().or(other.filter()),
            Self::Not(one) => one.filter().not(),
        }
    }

    /// Returns what the provider should parse.
    fn expression(&self) -> Expression {
        match self {
            Self::Compare(field, operator, value) => {
                let operator = match (operator % 6, value) {
                    (1, _) => "ge",
                    (2, _) => "gt",
                    (3, _) => "le",
                    (4, _) => "lt",
                    (5, Value::Text(_)) => "sw",
                    _ => "eq",
                };
                Expression::Compare(field.as_str().into(), operator.into(), vec![value.operand()])
            }
            Self::In(field, values) => {
                let values = values.iter().map(Value::operand).collect();
                Expression::Compare(field.as_str().into(), "in".into(), values)
            }
            Self::IsNull(field) => Expression::Compare(field.as_str().into(), "isnull".into(), Vec::new()),
            Self::And(one, other) => Expression::all(vec![one.expression(), other.expression()]),
            Self::Or(one, other) => Expression::any(vec![one.expression(), other.expression()]),
            Self::Not(one) => Expression::Not(one.expression().into()),
        }
    }
}

fuzz_target!(|spec: FilterSpec| {
    let filter = spec.filter();
    let text = filter.to_string();
    let parsed = parse(&text).unwrap_or_else(|| panic!("{text:?} is not a filter"));
    assert_eq!(parsed, spec.expression(), "{text}");

    // The count reports an empty list, so there are no further requests.
    let server = Server::new(|_| with_headers(200, "[]", headers([("x-total-count", b"0".as_slice())])));
    let listed =
        run(clients::sailpoint(&server).list_accounts().filter(filter).items().try_collect::<Vec<_>>());
    match (listed, server.requests().as_slice()) {
        (Ok(_), [recorded]) => assert_eq!(parameter(&recorded.request, "filters"), Some(text)),
        (Err(error), []) => {
            redaction::check(&error);
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        }
        (listed, requests) => panic!("{listed:?} after {} requests", requests.len()),
    }
});
