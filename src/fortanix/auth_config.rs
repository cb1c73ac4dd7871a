use secrecy::SecretString;
use serde::Deserialize;

use crate::open_enum::open_enum;

/// How the users of an account log in. Exactly one member is expected to be there, which the reference
/// implies but does not state.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct AuthenticationConfig {
    /// With a password.
    pub password: Option<AuthConfigPassword>,
    /// At an identity provider.
    pub oauth: Option<AuthConfigOauth>,
    /// As the cluster says.
    pub cluster_auth_ref: Option<AuthConfigRef>,
}

/// Configuration for password-based authentication.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct AuthConfigPassword {
    /// Whether a second factor is required.
    pub require_2fa: Option<bool>,
    /// Whether only administrators may log in so.
    pub administrators_only: Option<bool>,
}

/// Configuration for authentication at an identity provider.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct AuthConfigOauth {
    /// The identity provider's name.
    pub idp_name: Option<String>,
    /// Its icon.
    pub idp_icon_url: Option<String>,
    /// Its authorization endpoint.
    pub idp_authorization_endpoint: Option<String>,
    /// Its token endpoint.
    pub idp_token_endpoint: Option<String>,
    /// Whether the token endpoint takes the client's credentials as Basic authentication.
    pub idp_requires_basic_auth: Option<bool>,
    /// Its user-info endpoint.
    pub idp_userinfo_endpoint: Option<String>,
    /// How its certificate is checked.
    pub tls: Option<TlsConfig>,
    /// The client's id at the identity provider.
    pub client_id: Option<String>,
    /// The client's secret. Whether the server tells it is not documented.
    pub client_secret: Option<SecretString>,
}

/// A reference to an authentication configuration of the cluster.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct AuthConfigRef {
    /// The configuration's id.
    pub target_id: Option<String>,
}

/// How the TLS certificate of an identity provider is checked. One member is there.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct TlsConfig {
    /// No TLS; an empty object.
    pub disabled: Option<serde_json::Map<String, serde_json::Value>>,
    /// TLS if the server has it; an empty object.
    pub opportunistic: Option<serde_json::Map<String, serde_json::Value>>,
    /// TLS always.
    pub required: Option<TlsConfigRequired>,
}

/// TLS always.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct TlsConfigRequired {
    /// Whether the host name must be the certificate's.
    pub validate_hostname: Option<bool>,
    /// The client's private key, in base64.
    pub client_key: Option<SecretString>,
    /// The client's certificate, in base64.
    pub client_cert: Option<String>,
    /// Which authorities are trusted.
    pub ca: Option<CaConfig>,
}

/// Which certificate authorities are trusted. One member is there.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct CaConfig {
    /// A known set.
    pub ca_set: Option<CaSet>,
    /// These certificates, in base64.
    pub pinned: Option<Vec<String>>,
}

open_enum! {
    /// A known set of certificate authorities.
    pub enum CaSet {
        /// The usual ones.
        GlobalRoots = "GLOBAL_ROOTS",
    }
}
