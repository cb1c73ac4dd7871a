//! Which operation a request asks for, and who may.

use http::Method;
use percent_encoding::percent_decode_str;

use super::filter::{Field, Op};
use super::refusal::Refusal;

/// Allows everything.
const ALL: &str = "sp:scopes:all";
const READ: &str = "idn:accounts:read";
const MANAGE: &str = "idn:accounts:manage";
const STATE: &str = "idn:accounts-state:manage";
const PROVISIONING: &str = "idn:accounts-provisioning:manage";

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    List,
    Create,
    /// The others have the id of an account or of an identity.
    Get(String),
    Update(String),
    Put(String),
    Delete(String),
    Remove(String),
    Entitlements(String),
    Reload(String),
    Enable(String),
    Disable(String),
    Unlock(String),
    /// The account of an identity, on or off.
    OfIdentity(String, bool),
    /// Those of several identities, on or off.
    OfIdentities(bool),
}

impl Operation {
    /// The operation and its version.
    pub(crate) fn find(method: &Method, path: &str) -> Result<(Api, Self), Refusal> {
        let (api, service, below) = Api::split(path).ok_or(Refusal::NotFound)?;
        let id = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let post = |operation: Self| match *method {
            Method::POST => Ok(operation),
            _ => Err(Refusal::WrongMethod("POST")),
        };
        let found = match (service, below.as_slice()) {
            (Service::Accounts, []) => match *method {
                Method::GET => Ok(Self::List),
                Method::POST => Ok(Self::Create),
                _ => Err(Refusal::WrongMethod("GET, POST")),
            },
            (_, [""] | ["", ..]) => Err(Refusal::NotFound),
            (Service::Accounts, [account]) => match *method {
                Method::GET => Ok(Self::Get(id(account))),
                Method::PATCH => Ok(Self::Update(id(account))),
                Method::PUT => Ok(Self::Put(id(account))),
                Method::DELETE => Ok(Self::Delete(id(account))),
                _ => Err(Refusal::WrongMethod("GET, PATCH, PUT, DELETE")),
            },
            (Service::Accounts, [account, "entitlements"]) => match *method {
                Method::GET => Ok(Self::Entitlements(id(account))),
                _ => Err(Refusal::WrongMethod("GET")),
            },
            (Service::Accounts, [account, "enable"]) => post(Self::Enable(id(account))),
            (Service::Accounts, [account, "disable"]) => post(Self::Disable(id(account))),
            (Service::Accounts, [account, "unlock"]) => post(Self::Unlock(id(account))),
            (Service::Accounts, [account, "reload"]) => post(Self::Reload(id(account))),
            (Service::Accounts, [account, "remove"]) => post(Self::Remove(id(account))),
            (Service::IdentitiesAccounts, ["enable"]) => post(Self::OfIdentities(true)),
            (Service::IdentitiesAccounts, ["disable"]) => post(Self::OfIdentities(false)),
            (Service::IdentitiesAccounts, [identity, "enable"]) => post(Self::OfIdentity(id(identity), true)),
            (Service::IdentitiesAccounts, [identity, "disable"]) => {
                post(Self::OfIdentity(id(identity), false))
            }
            _ => Err(Refusal::NotFound),
        };
        match found {
            Ok(operation) if api == Api::V3 && operation.came_late() => Err(Refusal::NotFound),
            found => found.map(|operation| (api, operation)),
        }
    }

    /// Whether the version wants the header of experimental calls.
    pub(crate) fn is_experimental(&self, api: Api) -> bool {
        matches!(api, Api::V2024 | Api::V2025) && self.came_late()
    }

    fn came_late(&self) -> bool {
        matches!(self, Self::Remove(_) | Self::OfIdentity(..) | Self::OfIdentities(_))
    }

    /// Whether a token with these scopes, of a user of this level, may ask for it.
    pub(crate) fn is_allowed(&self, scopes: &[String], level: &str) -> bool {
        let one_of: &[&str] = match self {
            Self::List | Self::Get(_) | Self::Entitlements(_) => &[READ, MANAGE],
            Self::Create | Self::Update(_) | Self::Put(_) | Self::Delete(_) | Self::Remove(_) => &[MANAGE],
            Self::Reload(_) | Self::Enable(_) | Self::Disable(_) | Self::Unlock(_) => &[STATE],
            Self::OfIdentity(..) | Self::OfIdentities(_) => &[STATE, PROVISIONING],
        };
        let levels: &[&str] = match self {
            Self::Remove(_) | Self::OfIdentity(..) | Self::OfIdentities(_) => &["ORG_ADMIN"],
            Self::Create | Self::Update(_) | Self::Put(_) | Self::Delete(_) => {
                &["ORG_ADMIN", "SOURCE_ADMIN", "SOURCE_SUBADMIN"]
            }
            _ => &["ORG_ADMIN", "SOURCE_ADMIN", "SOURCE_SUBADMIN", "HELPDESK"],
        };
        levels.contains(&level) && scopes.iter().any(|scope| scope == ALL || one_of.contains(&scope.as_str()))
    }
}

/// Whether these scopes allow forcing a change upon a source.
pub(crate) fn may_provision(scopes: &[String]) -> bool {
    scopes.iter().any(|scope| scope == ALL || scope == PROVISIONING)
}

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
mod operation_tests {
    use super::*;

    #[test]
    fn every_version_has_its_operations() {
        let find = |method, path: &str| Operation::find(&method, path);
        assert_eq!(find(Method::PUT, "/v3/accounts/a"), Ok((Api::V3, Operation::Put("a".into()))));
        let remove = Operation::Remove("a b".into());
        assert_eq!(find(Method::POST, "/accounts/v1/a%20b/remove"), Ok((Api::ServiceV1, remove.clone())));
        assert_eq!(find(Method::POST, "/v3/accounts/a/remove"), Err(Refusal::NotFound));
        assert_eq!(find(Method::POST, "/v3/identities-accounts/enable"), Err(Refusal::NotFound));
        assert_eq!(find(Method::GET, "/accounts/v1/"), Err(Refusal::NotFound));
        assert_eq!(find(Method::GET, "/accounts/v1/a/enable"), Err(Refusal::WrongMethod("POST")));
        let one = Operation::OfIdentity("enable".into(), false);
        assert_eq!(find(Method::POST, "/beta/identities-accounts/enable/disable"), Ok((Api::Beta, one)));
        let versions = [Api::Beta, Api::V3, Api::V2024, Api::V2025, Api::V2026, Api::ServiceV1];
        let experimental = versions.map(|api| remove.is_experimental(api));
        assert_eq!(experimental, [false, false, true, true, false, false]);
    }

    #[test]
    fn scopes_and_levels_are_both_needed() {
        let scope = |scope: &str| vec![scope.to_owned()];
        assert!(Operation::List.is_allowed(&scope(READ), "HELPDESK"));
        assert!(!Operation::List.is_allowed(&scope(STATE), "ORG_ADMIN"));
        assert!(!Operation::Create.is_allowed(&scope(READ), "ORG_ADMIN"));
        assert!(!Operation::Create.is_allowed(&scope(ALL), "HELPDESK"));
        assert!(Operation::OfIdentities(true).is_allowed(&scope(PROVISIONING), "ORG_ADMIN"));
        assert!(!Operation::OfIdentities(true).is_allowed(&scope(ALL), "SOURCE_ADMIN"));
        assert!(may_provision(&scope(ALL)) && !may_provision(&scope(STATE)));
    }
}

#[cfg(test)]
mod api_tests {
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
