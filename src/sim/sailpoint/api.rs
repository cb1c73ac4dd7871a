//! The versions of the API, and what each lets one filter and sort by.

use super::field::Field;
use super::filter::Op;

/// A version of the API; each has a rate limit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Api {
    Beta,
    V3,
    V2024,
    V2025,
    V2026,
    /// The versions of single services, of which accounts have the first.
    ServiceV1,
}

impl Api {
    /// The version whose account listing this path is.
    pub(crate) fn of_listing(path: &str) -> Option<Self> {
        match path {
            "/beta/accounts" => Some(Self::Beta),
            "/v3/accounts" => Some(Self::V3),
            "/v2024/accounts" => Some(Self::V2024),
            "/v2025/accounts" => Some(Self::V2025),
            "/v2026/accounts" => Some(Self::V2026),
            "/accounts/v1" => Some(Self::ServiceV1),
            _ => None,
        }
    }

    /// Whether the version documents this filter.
    pub(crate) fn filters_by(self, field: Field, op: Op) -> bool {
        match field {
            Field::Id
            | Field::IdentityId
            | Field::Name
            | Field::NativeIdentity
            | Field::SourceId
            | Field::IdentityName => matches!(op, Op::Eq | Op::In | Op::Sw),
            Field::Uncorrelated
            | Field::HasEntitlements
            | Field::Entitlements
            | Field::ManuallyCorrelated
            | Field::IdentityCorrelated
            | Field::SourceAuthoritative => op == Op::Eq,
            Field::Origin
            | Field::IdentityState
            | Field::SourceDisplayableName
            | Field::SourceConnectionType => matches!(op, Op::Eq | Op::In),
            Field::RecommendationMethod => matches!(op, Op::Eq | Op::In | Op::IsNull),
            Field::RecommendationType => self == Self::V2025 && matches!(op, Op::Eq | Op::In | Op::IsNull),
            // Beta has never listed `lt` for it.
            Field::Created => {
                matches!(op, Op::Eq | Op::Ge | Op::Gt | Op::Le) || (op == Op::Lt && self != Self::Beta)
            }
            Field::Modified => matches!(op, Op::Eq | Op::Ge | Op::Gt | Op::Le | Op::Lt),
            Field::Uuid | Field::SourceOwnerName => false,
        }
    }

    /// Whether the version documents this sorter.
    pub(crate) fn sorts_by(self, field: Field) -> bool {
        match field {
            Field::HasEntitlements | Field::SourceOwnerName => self == Self::Beta,
            Field::Uncorrelated | Field::RecommendationMethod | Field::RecommendationType => false,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_differ_where_their_documents_do() {
        for api in [Api::Beta, Api::V3, Api::V2024, Api::V2025, Api::V2026, Api::ServiceV1] {
            assert_eq!(api.filters_by(Field::Created, Op::Lt), api != Api::Beta);
            assert!(api.filters_by(Field::Modified, Op::Lt));
            assert_eq!(api.filters_by(Field::RecommendationType, Op::IsNull), api == Api::V2025);
            assert_eq!(api.sorts_by(Field::SourceOwnerName), api == Api::Beta);
            assert!(!api.filters_by(Field::Id, Op::Gt));
            assert!(!api.filters_by(Field::Name, Op::Co));
        }
    }
}
