//! Filters on accounts: fields, operators and values.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};

use super::ApiVersion;
use crate::{Error, Result};

/// A filter on accounts, in the filter syntax of the provider's *Standard Collection Parameters*.
///
/// Text is quoted and escaped, so any text is safe. Dates and booleans are not quoted. Whether a field
/// supports an operator in the API version of the client is checked before a request is sent. The provider
/// would respond to an unsupported operator with 400.
///
/// ```
/// use headcount::sailpoint::{Field, Filter};
///
/// let filter = Filter::eq(Field::SourceId, "2c91808b").and(
///     Filter::starts_with(Field::Name, "svc \"x\"")
///         .or(Filter::eq(Field::Uncorrelated, true)),
/// );
/// assert_eq!(
///     filter.to_string(),
///     r#"sourceId eq "2c91808b" and (name sw "svc \"x\"" or uncorrelated eq true)"#
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a filter does nothing until it is passed to a list"]
pub struct Filter(Node);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Compare(Field, Operator, Literal),
    In(Field, Vec<Literal>),
    IsNull(Field),
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Raw(String),
}

impl Filter {
    /// Matches if `field` equals `value`.
    pub fn eq(field: Field, value: impl Into<Literal>) -> Self {
        Self(Node::Compare(field, Operator::Eq, value.into()))
    }

    /// Matches if `field` is one of `values`.
    pub fn is_in<L: Into<Literal>>(field: Field, values: impl IntoIterator<Item = L>) -> Self {
        Self(Node::In(field, values.into_iter().map(Into::into).collect()))
    }

    /// Matches if `field` starts with `prefix`.
    pub fn starts_with(field: Field, prefix: impl Into<String>) -> Self {
        Self(Node::Compare(field, Operator::Sw, Literal::Text(prefix.into())))
    }

    /// Matches if `field` is at or after `value`.
    pub fn ge(field: Field, value: impl Into<Literal>) -> Self {
        Self(Node::Compare(field, Operator::Ge, value.into()))
    }

    /// Matches if `field` is after `value`.
    pub fn gt(field: Field, value: impl Into<Literal>) -> Self {
        Self(Node::Compare(field, Operator::Gt, value.into()))
    }

    /// Matches if `field` is at or before `value`.
    pub fn le(field: Field, value: impl Into<Literal>) -> Self {
        Self(Node::Compare(field, Operator::Le, value.into()))
    }

    /// Matches if `field` is before `value`.
    pub fn lt(field: Field, value: impl Into<Literal>) -> Self {
        Self(Node::Compare(field, Operator::Lt, value.into()))
    }

    /// Matches if `field` has no value.
    pub fn is_null(field: Field) -> Self {
        Self(Node::IsNull(field))
    }

    /// Creates a filter in the provider's syntax. It is sent unchanged and not checked.
    pub fn raw(text: impl Into<String>) -> Self {
        Self(Node::Raw(text.into()))
    }

    /// Matches if both this filter and `other` match.
    pub fn and(self, other: Self) -> Self {
        Self(match self.0 {
            Node::All(mut nodes) => {
                nodes.push(other.0);
                Node::All(nodes)
            }
            node => Node::All(vec![node, other.0]),
        })
    }

    /// Matches if this filter, `other` or both match.
    pub fn or(self, other: Self) -> Self {
        Self(match self.0 {
            Node::Any(mut nodes) => {
                nodes.push(other.0);
                Node::Any(nodes)
            }
            node => Node::Any(vec![node, other.0]),
        })
    }

    /// Matches if this filter does not match.
    #[expect(clippy::should_implement_trait, reason = "reads like `and` and `or`; `!filter` would not")]
    pub fn not(self) -> Self {
        Self(Node::Not(Box::new(self.0)))
    }

    /// Checks that `version` documents all fields and operators of the filter.
    pub(super) fn check(&self, version: ApiVersion) -> Result<()> {
        self.0.check(version)
    }
}

impl Node {
    fn check(&self, version: ApiVersion) -> Result<()> {
        match self {
            Self::Compare(field, operator, value) => {
                check_operator(*field, *operator, version)?;
                check_type(*field, value)
            }
            Self::In(field, values) => {
                check_operator(*field, Operator::In, version)?;
                if values.is_empty() {
                    let message = format!("filter on {}: `in` has no values", field.as_str());
                    return Err(Error::config(message));
                }
                values.iter().try_for_each(|value| check_type(*field, value))
            }
            Self::IsNull(field) => check_operator(*field, Operator::IsNull, version),
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().try_for_each(|node| node.check(version)),
            Self::Not(node) => node.check(version),
            Self::Raw(text) if text.trim().is_empty() => Err(Error::config("raw filter is empty")),
            Self::Raw(_) => Ok(()),
        }
    }

    fn is_composite(&self) -> bool {
        // The content of a raw filter is unknown, so it is treated as a composite.
        matches!(self, Self::All(_) | Self::Any(_) | Self::Raw(_))
    }
}

fn check_operator(field: Field, operator: Operator, version: ApiVersion) -> Result<()> {
    let operators = field.operators(version);
    if operators.contains(&operator) {
        return Ok(());
    }
    let names: Vec<_> = operators.iter().map(|operator| operator.as_str()).collect();
    let supported = if names.is_empty() { "none".into() } else { names.join(", ") };
    Err(Error::config(format!(
        "operator `{}` is not supported for {} in {} (supported: {supported})",
        operator.as_str(),
        field.as_str(),
        version.path()
    )))
}

fn check_type(field: Field, value: &Literal) -> Result<()> {
    let (expected, actual) = (field.literal_type(), value.literal_type());
    if expected == actual {
        return Ok(());
    }
    Err(Error::config(format!(
        "filter on {}: expected {}, got {}",
        field.as_str(),
        expected.describe(),
        actual.describe()
    )))
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let write_joined = |f: &mut fmt::Formatter<'_>, nodes: &[Node], word: &str| {
            for (index, node) in nodes.iter().enumerate() {
                if index > 0 {
                    write!(f, " {word} ")?;
                }
                if node.is_composite() && nodes.len() > 1 {
                    write!(f, "({node})")?;
                } else {
                    node.fmt(f)?;
                }
            }
            Ok(())
        };
        match self {
            Self::Compare(field, operator, value) => {
                write!(f, "{} {} {value}", field.as_str(), operator.as_str())
            }
            Self::In(field, values) => {
                let values: Vec<_> = values.iter().map(ToString::to_string).collect();
                write!(f, "{} in ({})", field.as_str(), values.join(","))
            }
            Self::IsNull(field) => write!(f, "{} isnull", field.as_str()),
            Self::All(nodes) => write_joined(f, nodes, "and"),
            Self::Any(nodes) => write_joined(f, nodes, "or"),
            Self::Not(node) => write!(f, "not ({node})"),
            Self::Raw(text) => f.write_str(text),
        }
    }
}

/// A filter operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Eq,
    In,
    Sw,
    Ge,
    Gt,
    Le,
    Lt,
    IsNull,
}

impl Operator {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::In => "in",
            Self::Sw => "sw",
            Self::Ge => "ge",
            Self::Gt => "gt",
            Self::Le => "le",
            Self::Lt => "lt",
            Self::IsNull => "isnull",
        }
    }
}

/// The type of a field's literals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LiteralType {
    Text,
    Bool,
    Date,
}

impl LiteralType {
    fn describe(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Bool => "true or false",
            Self::Date => "a date",
        }
    }
}

macro_rules! fields {
    ($( $(#[$meta:meta])* $variant:ident = $name:literal, $literal:ident, [$($op:ident)*], $sort:literal; )+) => {
        /// A member of an account that a list can be filtered or sorted by.
        ///
        /// Whether the API version supports the filter or sorter is checked before a request is sent.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Field {
            $( $(#[$meta])* $variant, )+
        }

        impl Field {
            /// All fields.
            pub const ALL: &[Self] = &[$( Self::$variant, )+];

            /// Returns the name in filters and sorters.
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $name, )+ }
            }

            pub(super) fn literal_type(self) -> LiteralType {
                match self { $( Self::$variant => LiteralType::$literal, )+ }
            }

            fn documented_operators(self) -> &'static [Operator] {
                match self { $( Self::$variant => &[$( Operator::$op, )*], )+ }
            }

            fn sorts_in_all_versions(self) -> bool {
                match self { $( Self::$variant => $sort, )+ }
            }
        }
    };
}

fields! {
    /// `id`.
    Id = "id", Text, [Eq In Sw], true;
    /// `identityId`.
    IdentityId = "identityId", Text, [Eq In Sw], true;
    /// `name`.
    Name = "name", Text, [Eq In Sw], true;
    /// `nativeIdentity`.
    NativeIdentity = "nativeIdentity", Text, [Eq In Sw], true;
    /// `sourceId`. Filters with `in` over several sources have been reported to return incomplete lists. A
    /// separate list for each source is safer.
    SourceId = "sourceId", Text, [Eq In Sw], true;
    /// `uncorrelated`.
    Uncorrelated = "uncorrelated", Bool, [Eq], false;
    /// `hasEntitlements`. Sorting is supported in `beta` only.
    HasEntitlements = "hasEntitlements", Bool, [Eq], false;
    /// `entitlements`: the id of an entitlement.
    Entitlements = "entitlements", Text, [Eq], true;
    /// `origin`: `AGGREGATED` or `PROVISIONED`.
    Origin = "origin", Text, [Eq In], true;
    /// `manuallyCorrelated`.
    ManuallyCorrelated = "manuallyCorrelated", Bool, [Eq], true;
    /// `identity.name`.
    IdentityName = "identity.name", Text, [Eq In Sw], true;
    /// `identity.correlated`.
    IdentityCorrelated = "identity.correlated", Bool, [Eq], true;
    /// `identity.identityState`.
    IdentityState = "identity.identityState", Text, [Eq In], true;
    /// `source.displayableName`.
    SourceDisplayableName = "source.displayableName", Text, [Eq In], true;
    /// `source.authoritative`.
    SourceAuthoritative = "source.authoritative", Bool, [Eq], true;
    /// `source.connectionType`.
    SourceConnectionType = "source.connectionType", Text, [Eq In], true;
    /// `recommendation.method`.
    RecommendationMethod = "recommendation.method", Text, [Eq In IsNull], false;
    /// `recommendation.type`. `v2025` only.
    RecommendationType = "recommendation.type", Text, [Eq In IsNull], false;
    /// `created`.
    Created = "created", Date, [Eq Ge Gt Le Lt], true;
    /// `modified`.
    Modified = "modified", Date, [Eq Ge Gt Le Lt], true;
    /// `uuid`. For sorting only.
    Uuid = "uuid", Text, [], true;
    /// `sourceOwner.name`. For sorting only, and only in `beta`.
    SourceOwnerName = "sourceOwner.name", Text, [], false;
}

impl Field {
    /// Returns the operators that `version` documents for the field.
    pub(super) fn operators(self, version: ApiVersion) -> Vec<Operator> {
        let in_version = |operator: &Operator| match self {
            Self::RecommendationType => version == ApiVersion::V2025,
            Self::Created => version != ApiVersion::Beta || *operator != Operator::Lt,
            _ => true,
        };
        self.documented_operators().iter().copied().filter(in_version).collect()
    }

    /// Returns whether `version` documents sorting by the field.
    pub(super) fn sorts(self, version: ApiVersion) -> bool {
        match self {
            Self::HasEntitlements | Self::SourceOwnerName => version == ApiVersion::Beta,
            _ => self.sorts_in_all_versions(),
        }
    }
}

/// A value in a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Literal {
    /// Text. Most comparisons ignore case.
    Text(String),
    /// `true` or `false`.
    Bool(bool),
    /// A point in time, sent with its full precision.
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
    fn from(value: bool) -> Self {
        Self::Bool(value)
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
            // `#`, `%` and `&` are not escaped here: the whole filter is percent-encoded in the URL.
            Self::Text(text) => write!(f, "\"{}\"", text.replace('\\', r"\\").replace('"', "\\\"")),
            Self::Bool(value) => value.fmt(f),
            Self::Date(date) => f.write_str(&date.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_quoted_and_escaped() {
        for (text, quoted) in [
            ("plain", r#""plain""#),
            (r#"a"b"#, r#""a\"b""#),
            (r"a\b", r#""a\\b""#),
            (r#"\" or true"#, r#""\\\" or true""#),
            ("#%&", "\"#%&\""),
            ("", "\"\""),
        ] {
            assert_eq!(Filter::eq(Field::Name, text).to_string(), format!("name eq {quoted}"));
        }
    }

    #[test]
    fn dates_are_unquoted_and_composites_parenthesized() {
        let date: DateTime<Utc> = "2018-12-18T23:05:55Z".parse().unwrap();
        let a = Filter::gt(Field::Created, date);
        let b = Filter::is_in(Field::Origin, ["AGGREGATED", "PROVISIONED"]);
        let c = Filter::is_null(Field::RecommendationMethod);
        assert_eq!(
            a.clone().or(b.clone()).and(c.clone().not()).to_string(),
            r#"(created gt 2018-12-18T23:05:55Z or origin in ("AGGREGATED","PROVISIONED")) and not (recommendation.method isnull)"#
        );
        assert_eq!(
            a.and(b).and(c).to_string().matches('(').count(),
            1,
            "a single level needs no parentheses"
        );
        assert_eq!(
            Filter::raw("name eq \"x\" or id pr").and(Filter::eq(Field::Uncorrelated, true)).to_string(),
            r#"(name eq "x" or id pr) and uncorrelated eq true"#
        );
    }

    #[test]
    fn check_rejects_undocumented_filters() {
        let date: DateTime<Utc> = "2018-12-18T23:05:55Z".parse().unwrap();
        let lt = Filter::lt(Field::Created, date);
        assert!(lt.check(ApiVersion::V3).is_ok());
        let error = lt.not().check(ApiVersion::Beta).unwrap_err();
        assert_eq!(
            error.message(),
            "operator `lt` is not supported for created in /beta/accounts (supported: eq, ge, gt, le)"
        );
        let agent = Filter::eq(Field::RecommendationType, "AGENT");
        assert!(agent.check(ApiVersion::V2025).is_ok());
        assert!(agent.check(ApiVersion::AccountsV1).is_err());
        for wrong in [
            Filter::eq(Field::Uncorrelated, "true"),
            Filter::eq(Field::Created, "2018-12-18T23:05:55Z"),
            Filter::eq(Field::Name, true),
            Filter::eq(Field::Uuid, "x"),
            Filter::is_in(Field::Id, Vec::<String>::new()),
            Filter::raw(" "),
            Filter::starts_with(Field::Created, "2018"),
        ] {
            assert!(wrong.check(ApiVersion::V2025).is_err(), "{wrong}");
        }
    }
}
