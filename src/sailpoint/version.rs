use http::{HeaderName, HeaderValue, Method};

use crate::{Error, Result, http::ApiRequest};

/// Opts in to endpoints that are experimental in a version. Other endpoints ignore the header.
const EXPERIMENTAL: HeaderName = HeaderName::from_static("x-sailpoint-experimental");

/// The version of the API. All versions list the same accounts with the same members.
///
/// The provider supports the versions with a year, `v3` and `beta` until 2028 and shuts them down in 2029.
/// `accounts/v1` is not affected.
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
    /// `/accounts/v1`: the accounts service with its own version. The default.
    #[default]
    AccountsV1,
}

/// A collection of the API.
#[derive(Clone, Copy, Debug)]
pub(super) enum Collection {
    /// `accounts`.
    Accounts,
    /// `identities-accounts`: the accounts of identities with SailPoint itself.
    IdentitiesAccounts,
}

impl ApiVersion {
    /// All versions.
    pub const ALL: [Self; 6] =
        [Self::Beta, Self::V3, Self::V2024, Self::V2025, Self::V2026, Self::AccountsV1];

    /// Returns the path of the accounts collection.
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

    /// Returns the path of `segments` below a collection, such as `/v2025/accounts/{id}/enable` or
    /// `/accounts/v1/{id}/enable`.
    ///
    /// The segments must be valid path segments, as returned by [`path_segment`](crate::http::path_segment).
    pub(super) fn resource_path(self, collection: Collection, segments: &[&str]) -> String {
        let base = match collection {
            Collection::Accounts => self.path(),
            Collection::IdentitiesAccounts => match self {
                Self::Beta => "/beta/identities-accounts",
                Self::V3 => "/v3/identities-accounts",
                Self::V2024 => "/v2024/identities-accounts",
                Self::V2025 => "/v2025/identities-accounts",
                Self::V2026 => "/v2026/identities-accounts",
                Self::AccountsV1 => "/identities-accounts/v1",
            },
        };
        segments.iter().fold(base.to_owned(), |path, segment| path + "/" + segment)
    }

    /// Creates a `POST` request to an endpoint that `v3` does not have and that is experimental in `v2024`
    /// and `v2025`. `operation` is its description in errors.
    pub(super) fn experimental_post(
        self,
        operation: &str,
        collection: Collection,
        segments: &[&str],
    ) -> Result<ApiRequest> {
        let request = ApiRequest::new(Method::POST, self.resource_path(collection, segments));
        match self {
            Self::V3 => {
                let message =
                    format!("API version v3 cannot {operation}; use another version, such as accounts/v1");
                Err(Error::config(message))
            }
            Self::V2024 | Self::V2025 => Ok(request.header(EXPERIMENTAL, HeaderValue::from_static("true"))),
            Self::Beta | Self::V2026 | Self::AccountsV1 => Ok(request),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_every_version() {
        let paths = |collection, segments: &[&str]| {
            ApiVersion::ALL.map(|version| version.resource_path(collection, segments))
        };
        assert_eq!(paths(Collection::Accounts, &[]), ApiVersion::ALL.map(ApiVersion::path));
        let expected = [
            "/beta/accounts/1/enable",
            "/v3/accounts/1/enable",
            "/v2024/accounts/1/enable",
            "/v2025/accounts/1/enable",
            "/v2026/accounts/1/enable",
            "/accounts/v1/1/enable",
        ];
        assert_eq!(paths(Collection::Accounts, &["1", "enable"]), expected);
        let expected = [
            "/beta/identities-accounts/disable",
            "/v3/identities-accounts/disable",
            "/v2024/identities-accounts/disable",
            "/v2025/identities-accounts/disable",
            "/v2026/identities-accounts/disable",
            "/identities-accounts/v1/disable",
        ];
        assert_eq!(paths(Collection::IdentitiesAccounts, &["disable"]), expected);
    }

    #[test]
    fn experimental_post_by_version() {
        for version in ApiVersion::ALL {
            let request =
                version.experimental_post("remove accounts", Collection::Accounts, &["1", "remove"]);
            let experimental = |request: &ApiRequest| {
                request
                    .headers
                    .iter()
                    .any(|(name, value)| name == "X-SailPoint-Experimental" && value == "true")
            };
            match (version, request) {
                (ApiVersion::V3, Err(error)) => {
                    let expected =
                        "API version v3 cannot remove accounts; use another version, such as accounts/v1";
                    assert_eq!(error.message(), expected);
                }
                (ApiVersion::V2024 | ApiVersion::V2025, Ok(request)) => assert!(experimental(&request)),
                (version, Ok(request)) => assert!(version != ApiVersion::V3 && !experimental(&request)),
                (version, Err(error)) => panic!("{version:?}: {error}"),
            }
        }
    }
}
