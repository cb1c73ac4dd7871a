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
        };
        below.iter().fold(root.to_owned(), |path, segment| path + "/" + segment)
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
    }
}
