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

/// A service of the API, of those that have to do with accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Accounts,
    IdentitiesAccounts,
}

impl Service {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "accounts" => Some(Self::Accounts),
            "identities-accounts" => Some(Self::IdentitiesAccounts),
            _ => None,
        }
    }
}

impl Api {
    /// The version and the service that a path is of, and what lies below: the old versions stand before the
    /// service, the service's own behind it.
    pub(crate) fn split(path: &str) -> Option<(Self, Service, Vec<&str>)> {
        let mut segments = path.strip_prefix('/')?.split('/');
        let (first, second) = (segments.next()?, segments.next()?);
        let (api, service) = match first {
            "beta" => (Self::Beta, second),
            "v3" => (Self::V3, second),
            "v2024" => (Self::V2024, second),
            "v2025" => (Self::V2025, second),
            "v2026" => (Self::V2026, second),
            service if second == "v1" => (Self::ServiceV1, service),
            _ => return None,
        };
        Some((api, Service::parse(service)?, segments.collect()))
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
    fn the_version_stands_before_the_service_or_behind_it() {
        let split = Api::split;
        assert_eq!(split("/v3/accounts"), Some((Api::V3, Service::Accounts, vec![])));
        assert_eq!(split("/accounts/v1/a/b"), Some((Api::ServiceV1, Service::Accounts, vec!["a", "b"])));
        let identities = Some((Api::Beta, Service::IdentitiesAccounts, vec!["enable"]));
        assert_eq!(split("/beta/identities-accounts/enable"), identities);
        for wrong in ["", "/", "/accounts", "/v1/accounts", "/accounts/v2", "/v3/account", "accounts/v1"] {
            assert_eq!(split(wrong), None, "{wrong}");
        }
    }

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
