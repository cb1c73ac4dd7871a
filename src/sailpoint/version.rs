use http::{HeaderName, HeaderValue, Method};

use crate::{Error, Result, http::ApiRequest};

/// Asks for a call that the version holds experimental; where it is none, the header means nothing.
const EXPERIMENTAL: HeaderName = HeaderName::from_static("x-sailpoint-experimental");

/// Which generation of the API a client speaks. All list the same accounts with the same members.
///
/// The provider supports the generations with a year, `v3` and `beta` until 2028 and ends them in 2029;
/// `accounts/v1` stands outside of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ApiVersion {
    /// `/beta/accounts`; deprecated by the provider.
    Beta,
    /// `/v3/accounts`.
    V3,
    /// `/v2024/accounts`.
    V2024,
    /// `/v2025/accounts`.
    V2025,
    /// `/v2026/accounts`.
    V2026,
    /// `/accounts/v1`: the accounts service under a version of its own. The default.
    #[default]
    AccountsV1,
}

/// What a path is below.
#[derive(Clone, Copy, Debug)]
pub(super) enum Root {
    /// `accounts`.
    Accounts,
    /// `identities-accounts`: the accounts that identities have with the provider itself.
    IdentitiesAccounts,
}

impl ApiVersion {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Beta, Self::V3, Self::V2024, Self::V2025, Self::V2026, Self::AccountsV1];

    /// The path of the accounts collection.
    pub fn path(self) -> &'static str {
        match self {
            Self::Beta => "/beta/accounts",
            Self::V3 => "/v3/accounts",
            Self::V2024 => "/v2024/accounts",
            Self::V2025 => "/v2025/accounts",
            Self::V2026 => "/v2026/accounts",
            Self::AccountsV1 => "/accounts/v1",
        }
    }

    /// The path of what lies `below` a root, which are segments as [`segment`](crate::http::segment) gives
    /// them: `/v2025/accounts/{id}/enable`, and `/accounts/v1/{id}/enable`.
    pub(super) fn path_to(self, root: Root, below: &[&str]) -> String {
        let root = match root {
            Root::Accounts => self.path(),
            Root::IdentitiesAccounts => match self {
                Self::Beta => "/beta/identities-accounts",
                Self::V3 => "/v3/identities-accounts",
                Self::V2024 => "/v2024/identities-accounts",
                Self::V2025 => "/v2025/identities-accounts",
                Self::V2026 => "/v2026/identities-accounts",
                Self::AccountsV1 => "/identities-accounts/v1",
            },
        };
        below.iter().fold(root.to_owned(), |path, segment| path + "/" + segment)
    }

    /// A `POST` of those that came late: `v3` has none of them, and `v2024` and `v2025` hold them
    /// experimental. `what` is what an error calls it.
    pub(super) fn late_post(self, what: &str, root: Root, below: &[&str]) -> Result<ApiRequest> {
        let call = ApiRequest::mutation(Method::POST, self.path_to(root, below));
        match self {
            Self::V3 => {
                let message = format!("v3 can not {what}; expected another API version, such as accounts/v1");
                Err(Error::config(message))
            }
            Self::V2024 | Self::V2025 => Ok(call.header(EXPERIMENTAL, HeaderValue::from_static("true"))),
            Self::Beta | Self::V2026 | Self::AccountsV1 => Ok(call),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_stands_before_the_service_or_behind_it() {
        let paths = |root, below: &[&str]| ApiVersion::ALL.map(|version| version.path_to(root, below));
        assert_eq!(paths(Root::Accounts, &[]), ApiVersion::ALL.map(ApiVersion::path));
        let expected = [
            "/beta/accounts/1/enable",
            "/v3/accounts/1/enable",
            "/v2024/accounts/1/enable",
            "/v2025/accounts/1/enable",
            "/v2026/accounts/1/enable",
            "/accounts/v1/1/enable",
        ];
        assert_eq!(paths(Root::Accounts, &["1", "enable"]), expected);
        let expected = [
            "/beta/identities-accounts/disable",
            "/v3/identities-accounts/disable",
            "/v2024/identities-accounts/disable",
            "/v2025/identities-accounts/disable",
            "/v2026/identities-accounts/disable",
            "/identities-accounts/v1/disable",
        ];
        assert_eq!(paths(Root::IdentitiesAccounts, &["disable"]), expected);
    }

    #[test]
    fn what_came_late_is_refused_for_v3_and_experimental_in_two_versions() {
        for version in ApiVersion::ALL {
            let call = version.late_post("remove accounts", Root::Accounts, &["1", "remove"]);
            let experimental = |call: &ApiRequest| {
                call.headers.iter().any(|(name, value)| name == "X-SailPoint-Experimental" && value == "true")
            };
            match (version, call) {
                (ApiVersion::V3, Err(error)) => {
                    let expected =
                        "v3 can not remove accounts; expected another API version, such as accounts/v1";
                    assert_eq!(error.message(), expected);
                }
                (ApiVersion::V2024 | ApiVersion::V2025, Ok(call)) => assert!(experimental(&call)),
                (version, Ok(call)) => assert!(version != ApiVersion::V3 && !experimental(&call)),
                (version, Err(error)) => panic!("{version:?}: {error}"),
            }
        }
    }
}
