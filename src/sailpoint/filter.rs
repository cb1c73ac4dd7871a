//! Conditions on accounts: the fields of accounts, the values they are compared with, and filters of both.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};

use super::ApiVersion;
use crate::{Error, Result};

/// A condition on accounts, in the language of the provider's *Standard Collection Parameters*.
///
/// Text is quoted and escaped here, so any text is safe; dates and booleans go without quotes. Whether a
/// field knows an operator, and in which version, is checked before anything is sent: an unknown one would
/// be a 400.
///
/// ```
/// use headcount::sailpoint::{Field, Filter};
///
/// let filter = Filter::eq(Field::SourceId, "2c91808b7c28b350017c2a2ec5790aa1")
///     .and(Filter::starts_with(Field::Name, "svc \"x\"").or(Filter::eq(Field::Uncorrelated, true)));
/// assert_eq!(
///     filter.to_string(),
///     r#"sourceId eq "2c91808b7c28b350017c2a2ec5790aa1" and (name sw "svc \"x\"" or uncorrelated eq true)"#
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a filter does nothing until it is given to a list"]
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
    /// `field` is `value`.
    pub fn eq(field: Field, value: impl Into<Literal>) -> Self {
        Self(Node::Compare(field, Operator::Eq, value.into()))
    }

    /// `field` is one of `values`.
    pub fn is_in<L: Into<Literal>>(field: Field, values: impl IntoIterator<Item = L>) -> Self {
        Self(Node::In(field, values.into_iter().map(Into::into).collect()))
    }

    /// `field` starts with `prefix`.
    pub fn starts_with(field: Field, prefix: impl Into<String>) -> Self {
        Self(Node::Compare(field, Operator::Sw, Literal::Text(prefix.into())))
    }

    /// `field` is at or after `value`.
    pub fn ge(field: Field, value: impl Into<Literal>) -> Self {
        Self(Node::Compare(field, Operator::Ge, value.into()))
    }

    /// `field` is after `value`.
    pub fn gt(field: Field, value: impl Into<Literal>) -> Self {
        Self(Node::Compare(field, Operator::Gt, value.into()))
    }

    /// `field` is at or before `value`.
    pub fn le(field: Field, value: impl Into<Literal>) -> Self {
        Self(Node::Compare(field, Operator::Le, value.into()))
    }

    /// `field` is before `value`.
    pub fn lt(field: Field, value: impl Into<Literal>) -> Self {
        Self(Node::Compare(field, Operator::Lt, value.into()))
    }

    /// `field` has no value.
    pub fn is_null(field: Field) -> Self {
        Self(Node::IsNull(field))
    }

    /// A filter in the provider's own words, sent as it is and not checked.
    pub fn raw(text: impl Into<String>) -> Self {
        Self(Node::Raw(text.into()))
    }

    /// Both this and `other`.
    pub fn and(self, other: Self) -> Self {
        Self(match self.0 {
            Node::All(mut nodes) => {
                nodes.push(other.0);
                Node::All(nodes)
            }
            node => Node::All(vec![node, other.0]),
        })
    }

    /// This or `other`, or both.
    pub fn or(self, other: Self) -> Self {
        Self(match self.0 {
            Node::Any(mut nodes) => {
                nodes.push(other.0);
                Node::Any(nodes)
            }
            node => Node::Any(vec![node, other.0]),
        })
    }

    /// Not this.
    #[expect(clippy::should_implement_trait, reason = "reads like `and` and `or`; `!filter` would not")]
    pub fn not(self) -> Self {
        Self(Node::Not(Box::new(self.0)))
    }

    /// Whether `version` documents everything in it.
    pub(super) fn check(&self, version: ApiVersion) -> Result<()> {
        self.0.check(version)
    }
}

impl Node {
    fn check(&self, version: ApiVersion) -> Result<()> {
        match self {
            Self::Compare(field, operator, value) => {
                allow(*field, *operator, version)?;
                fits(*field, value)
            }
            Self::In(field, values) => {
                allow(*field, Operator::In, version)?;
                if values.is_empty() {
                    let message = format!("the filter on {} names no values to be in", field.as_str());
                    return Err(Error::config(message));
                }
                values.iter().try_for_each(|value| fits(*field, value))
            }
            Self::IsNull(field) => allow(*field, Operator::IsNull, version),
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().try_for_each(|node| node.check(version)),
            Self::Not(node) => node.check(version),
            Self::Raw(text) if text.trim().is_empty() => Err(Error::config("the raw filter is empty")),
            Self::Raw(_) => Ok(()),
        }
    }

    fn is_composite(&self) -> bool {
        // What a raw filter holds is not known, so it is taken for a composite.
        matches!(self, Self::All(_) | Self::Any(_) | Self::Raw(_))
    }
}

fn allow(field: Field, operator: Operator, version: ApiVersion) -> Result<()> {
    let allowed = field.operators(version);
    if allowed.contains(&operator) {
        return Ok(());
    }
    let names: Vec<_> = allowed.iter().map(|operator| operator.as_str()).collect();
    let known =
        if names.is_empty() { "no filter at all".into() } else { format!("only {}", names.join(", ")) };
    Err(Error::config(format!(
        "{} does not know `{}`: in {} it knows {known}",
        field.as_str(),
        operator.as_str(),
        version.path()
    )))
}

fn fits(field: Field, value: &Literal) -> Result<()> {
    let expected = match (field.literal_type(), value.literal_type()) {
        (expected, given) if expected == given => return Ok(()),
        (LiteralType::Text, _) => "text",
        (LiteralType::Bool, _) => "true or false",
        (LiteralType::Date, _) => "a date",
    };
    Err(Error::config(format!("the filter on {} expects {expected}", field.as_str())))
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut fmt::Formatter<'_>, nodes: &[Node], word: &str| {
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
            Self::All(nodes) => joined(f, nodes, "and"),
            Self::Any(nodes) => joined(f, nodes, "or"),
            Self::Not(node) => write!(f, "not ({node})"),
            Self::Raw(text) => f.write_str(text),
        }
    }
}

/// The operators that a filter may use on a field.
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

/// What a literal of a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LiteralType {
    Text,
    Bool,
    Date,
}

macro_rules! fields {
    ($( $(#[$meta:meta])* $variant:ident = $name:literal, $literal:ident, [$($op:ident)*], $sort:literal; )+) => {
        /// A member of an account that a list can be filtered or sorted by. Which of both, and how, is
        /// checked before anything is sent, by the API's version.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Field {
            $( $(#[$meta])* $variant, )+
        }

        impl Field {
            /// All of them.
            pub const ALL: &[Self] = &[$( Self::$variant, )+];

            /// The name in filters and sorters.
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $name, )+ }
            }

            pub(super) fn literal_type(self) -> LiteralType {
                match self { $( Self::$variant => LiteralType::$literal, )+ }
            }

            fn documented_operators(self) -> &'static [Operator] {
                match self { $( Self::$variant => &[$( Operator::$op, )*], )+ }
            }

            fn sorts_everywhere(self) -> bool {
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
    /// `sourceId`. `in` over several sources has been reported to give incomplete lists; one list for each
    /// source is safer.
    SourceId = "sourceId", Text, [Eq In Sw], true;
    /// `uncorrelated`.
    Uncorrelated = "uncorrelated", Bool, [Eq], false;
    /// `hasEntitlements`; sorts in `beta` only.
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
    /// `recommendation.type`; in `v2025` only.
    RecommendationType = "recommendation.type", Text, [Eq In IsNull], false;
    /// `created`.
    Created = "created", Date, [Eq Ge Gt Le Lt], true;
    /// `modified`.
    Modified = "modified", Date, [Eq Ge Gt Le Lt], true;
    /// `uuid`; for sorting only.
    Uuid = "uuid", Text, [], true;
    /// `sourceOwner.name`; for sorting, in `beta` only.
    SourceOwnerName = "sourceOwner.name", Text, [], false;
}

impl Field {
    /// The operators that `version` documents for the field.
    pub(super) fn operators(self, version: ApiVersion) -> Vec<Operator> {
        let in_version = |operator: &Operator| match self {
            Self::RecommendationType => version == ApiVersion::V2025,
            Self::Created => version != ApiVersion::Beta || *operator != Operator::Lt,
            _ => true,
        };
        self.documented_operators().iter().copied().filter(in_version).collect()
    }

    /// Whether `version` documents sorting by the field.
    pub(super) fn sorts(self, version: ApiVersion) -> bool {
        match self {
            Self::HasEntitlements | Self::SourceOwnerName => version == ApiVersion::Beta,
            _ => self.sorts_everywhere(),
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_quoted_so_that_it_stays_one_literal() {
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
    fn dates_and_booleans_go_without_quotes_and_composites_in_parentheses() {
        let date: DateTime<Utc> = "2018-12-18T23:05:55Z".parse().unwrap();
        let a = Filter::gt(Field::Created, date);
        let b = Filter::is_in(Field::Origin, ["AGGREGATED", "PROVISIONED"]);
        let c = Filter::is_null(Field::RecommendationMethod);
        assert_eq!(
            a.clone().or(b.clone()).and(c.clone().not()).to_string(),
            r#"(created gt 2018-12-18T23:05:55Z or origin in ("AGGREGATED","PROVISIONED")) and not (recommendation.method isnull)"#
        );
        assert_eq!(a.and(b).and(c).to_string().matches('(').count(), 1, "one level needs none");
        assert_eq!(
            Filter::raw("name eq \"x\" or id pr").and(Filter::eq(Field::Uncorrelated, true)).to_string(),
            r#"(name eq "x" or id pr) and uncorrelated eq true"#
        );
    }

    #[test]
    fn what_a_version_does_not_document_is_refused_before_it_is_sent() {
        let date: DateTime<Utc> = "2018-12-18T23:05:55Z".parse().unwrap();
        let lt = Filter::lt(Field::Created, date);
        assert!(lt.check(ApiVersion::V3).is_ok());
        let error = lt.not().check(ApiVersion::Beta).unwrap_err();
        assert_eq!(
            error.message(),
            "created does not know `lt`: in /beta/accounts it knows only eq, ge, gt, le"
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
