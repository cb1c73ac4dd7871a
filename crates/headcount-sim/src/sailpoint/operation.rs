//! Operations, their API versions and their authorization.

use http::Method;
use percent_encoding::percent_decode_str;

use super::api_error::ApiError;
use super::filter::{Field, Op};

/// The scope that allows everything.
const ALL: &str = "sp:scopes:all";
const READ: &str = "idn:accounts:read";
const MANAGE: &str = "idn:accounts:manage";
const STATE: &str = "idn:accounts-state:manage";
const PROVISIONING: &str = "idn:accounts-provisioning:manage";

/// An operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    List,
    Create,
    /// This and the following have the id of an account or of an identity.
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
    /// Enables (true) or disables the account of an identity.
    SetIdentityState(String, bool),
    /// Enables (true) or disables the accounts of several identities.
    SetIdentityStates(bool),
}

impl Operation {
    /// Returns the API version and the operation of a request.
    pub(crate) fn find(method: &Method, path: &str) -> Result<(Api, Self), ApiError> {
        let (api, service, below) = Api::split(path).ok_or(ApiError::NotFound)?;
        let id = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let post = |operation: Self| match *method {
            Method::POST => Ok(operation),
            _ => Err(ApiError::WrongMethod("POST")),
        };
        let operation = match (service, below.as_slice()) {
            (Service::Accounts, []) => match *method {
                Method::GET => Ok(Self::List),
                Method::POST => Ok(Self::Create),
                _ => Err(ApiError::WrongMethod("GET, POST")),
            },
            (_, [""] | ["", ..]) => Err(ApiError::NotFound),
            (Service::Accounts, [account]) => match *method {
                Method::GET => Ok(Self::Get(id(account))),
                Method::PATCH => Ok(Self::Update(id(account))),
                Method::PUT => Ok(Self::Put(id(account))),
                Method::DELETE => Ok(Self::Delete(id(account))),
                _ => Err(ApiError::WrongMethod("GET, PATCH, PUT, DELETE")),
            },
            (Service::Accounts, [account, "entitlements"]) => match *method {
                Method::GET => Ok(Self::Entitlements(id(account))),
                _ => Err(ApiError::WrongMethod("GET")),
            },
            (Service::Accounts, [account, "enable"]) => post(Self::Enable(id(account))),
            (Service::Accounts, [account, "disable"]) => post(Self::Disable(id(account))),
            (Service::Accounts, [account, "unlock"]) => post(Self::Unlock(id(account))),
            (Service::Accounts, [account, "reload"]) => post(Self::Reload(id(account))),
            (Service::Accounts, [account, "remove"]) => post(Self::Remove(id(account))),
            (Service::IdentitiesAccounts, ["enable"]) => post(Self::SetIdentityStates(true)),
            (Service::IdentitiesAccounts, ["disable"]) => post(Self::SetIdentityStates(false)),
            (Service::IdentitiesAccounts, [identity, "enable"]) => {
                post(Self::SetIdentityState(id(identity), true))
            }
            (Service::IdentitiesAccounts, [identity, "disable"]) => {
                post(Self::SetIdentityState(id(identity), false))
            }
            _ => Err(ApiError::NotFound),
        };
        match operation {
            Ok(operation) if api == Api::V3 && operation.is_missing_in_v3() => Err(ApiError::NotFound),
            operation => operation.map(|operation| (api, operation)),
        }
    }

    /// Returns whether the version requires the header of experimental endpoints.
    pub(crate) fn is_experimental(&self, api: Api) -> bool {
        matches!(api, Api::V2024 | Api::V2025) && self.is_missing_in_v3()
    }

    fn is_missing_in_v3(&self) -> bool {
        matches!(self, Self::Remove(_) | Self::SetIdentityState(..) | Self::SetIdentityStates(_))
    }

    /// Returns whether these scopes and this user level allow the operation.
    pub(crate) fn is_allowed(&self, scopes: &[String], level: &str) -> bool {
        let allowed_scopes: &[&str] = match self {
            Self::List | Self::Get(_) | Self::Entitlements(_) => &[READ, MANAGE],
            Self::Create | Self::Update(_) | Self::Put(_) | Self::Delete(_) | Self::Remove(_) => &[MANAGE],
            Self::Reload(_) | Self::Enable(_) | Self::Disable(_) | Self::Unlock(_) => &[STATE],
            Self::SetIdentityState(..) | Self::SetIdentityStates(_) => &[STATE, PROVISIONING],
        };
        let allowed_levels: &[&str] = match self {
            Self::Remove(_) | Self::SetIdentityState(..) | Self::SetIdentityStates(_) => &["ORG_ADMIN"],
            Self::Create | Self::Update(_) | Self::Put(_) | Self::Delete(_) => {
                &["ORG_ADMIN", "SOURCE_ADMIN", "SOURCE_SUBADMIN"]
            }
            _ => &["ORG_ADMIN", "SOURCE_ADMIN", "SOURCE_SUBADMIN", "HELPDESK"],
        };
        allowed_levels.contains(&level)
            && scopes.iter().any(|scope| scope == ALL || allowed_scopes.contains(&scope.as_str()))
    }
}

/// Returns whether these scopes allow `forceProvisioning`.
pub(crate) fn may_provision(scopes: &[String]) -> bool {
    scopes.iter().any(|scope| scope == ALL || scope == PROVISIONING)
}

/// An API version. Each has its own rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Api {
    Beta,
    V3,
    V2024,
    V2025,
    V2026,
    /// Version 1 of a service with its own versions.
    ServiceV1,
}

/// A service of the API that manages accounts.
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
    /// Splits a path into the version, the service and the remaining segments. API versions precede the
    /// service, and versions of the service follow it.
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

    /// Returns whether the version documents this filter.
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
            // Beta does not document `lt` for `created`.
            Field::Created => {
                matches!(op, Op::Eq | Op::Ge | Op::Gt | Op::Le) || (op == Op::Lt && self != Self::Beta)
            }
            Field::Modified => matches!(op, Op::Eq | Op::Ge | Op::Gt | Op::Le | Op::Lt),
            Field::Uuid | Field::SourceOwnerName => false,
        }
    }

    /// Returns whether the version documents this sorter.
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
    fn operations_of_each_version() {
        let find = |method, path: &str| Operation::find(&method, path);
        assert_eq!(find(Method::PUT, "/v3/accounts/a"), Ok((Api::V3, Operation::Put("a".into()))));
        let remove = Operation::Remove("a b".into());
        assert_eq!(find(Method::POST, "/accounts/v1/a%20b/remove"), Ok((Api::ServiceV1, remove.clone())));
        assert_eq!(find(Method::POST, "/v3/accounts/a/remove"), Err(ApiError::NotFound));
        assert_eq!(find(Method::POST, "/v3/identities-accounts/enable"), Err(ApiError::NotFound));
        assert_eq!(find(Method::GET, "/accounts/v1/"), Err(ApiError::NotFound));
        assert_eq!(find(Method::GET, "/accounts/v1/a/enable"), Err(ApiError::WrongMethod("POST")));
        let one = Operation::SetIdentityState("enable".into(), false);
        assert_eq!(find(Method::POST, "/beta/identities-accounts/enable/disable"), Ok((Api::Beta, one)));
        let versions = [Api::Beta, Api::V3, Api::V2024, Api::V2025, Api::V2026, Api::ServiceV1];
        let experimental = versions.map(|api| remove.is_experimental(api));
        assert_eq!(experimental, [false, false, true, true, false, false]);
    }

    #[test]
    fn scope_and_level_are_required() {
        let scope = |scope: &str| vec![scope.to_owned()];
        assert!(Operation::List.is_allowed(&scope(READ), "HELPDESK"));
        assert!(!Operation::List.is_allowed(&scope(STATE), "ORG_ADMIN"));
        assert!(!Operation::Create.is_allowed(&scope(READ), "ORG_ADMIN"));
        assert!(!Operation::Create.is_allowed(&scope(ALL), "HELPDESK"));
        assert!(Operation::SetIdentityStates(true).is_allowed(&scope(PROVISIONING), "ORG_ADMIN"));
        assert!(!Operation::SetIdentityStates(true).is_allowed(&scope(ALL), "SOURCE_ADMIN"));
        assert!(may_provision(&scope(ALL)) && !may_provision(&scope(STATE)));
    }
}

#[cfg(test)]
mod api_tests {
    use super::*;

    #[test]
    fn split_both_path_forms() {
        let split = Api::split;
        assert_eq!(split("/v3/accounts"), Some((Api::V3, Service::Accounts, vec![])));
        assert_eq!(split("/accounts/v1/a/b"), Some((Api::ServiceV1, Service::Accounts, vec!["a", "b"])));
        let identities = Some((Api::Beta, Service::IdentitiesAccounts, vec!["enable"]));
        assert_eq!(split("/beta/identities-accounts/enable"), identities);
        for invalid in ["", "/", "/accounts", "/v1/accounts", "/accounts/v2", "/v3/account", "accounts/v1"] {
            assert_eq!(split(invalid), None, "{invalid}");
        }
    }

    #[test]
    fn filters_and_sorters_of_each_version() {
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
