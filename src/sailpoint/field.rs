use super::ApiVersion;

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
