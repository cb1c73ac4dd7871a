//! Which operation a request asks for, and who may.

use http::Method;
use percent_encoding::percent_decode_str;

use super::api::{Api, Service};
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

#[cfg(test)]
mod tests {
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
