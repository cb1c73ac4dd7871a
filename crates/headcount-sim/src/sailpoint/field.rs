//! The fields that filters and sorters name, and where a record holds them.

use chrono::DateTime;
use serde_json::Value;

/// A field by which listings are filtered or sorted.
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

/// What kind of literal a field compares with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Flag,
    Date,
}

/// A value that can be compared. The order is the one that sorters use: null first, text without case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Datum {
    Null,
    Flag(bool),
    /// Milliseconds since 1970.
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

    /// What a record holds under this field. `entitlements` is not in the record: it is null here.
    pub(crate) fn of(self, record: &Value) -> Datum {
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
            (Value::String(text), Kind::Text) => Datum::Text(text.to_lowercase()),
            (Value::String(text), Kind::Date) => date(text).map_or(Datum::Null, Datum::Date),
            (Value::Bool(flag), Kind::Flag) => Datum::Flag(*flag != (self == Self::IdentityCorrelated)),
            _ => Datum::Null,
        }
    }
}

/// Milliseconds since 1970 of an RFC 3339 timestamp.
pub(crate) fn date(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.timestamp_millis())
}
