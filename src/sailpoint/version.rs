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
}
