use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use super::Base64;
use crate::{Error, Result, open_enum::open_enum};

/// How the users of an account log in.
///
/// Create one from an [`AuthConfigPassword`], [`AuthConfigOauth`] or [`AuthConfigRef`], or read one from an
/// account.
///
/// A configuration that was read can be changed and sent back. To be sent, it must have exactly one member,
/// which the reference implies but does not state. That member must have everything that the reference
/// requires. If the server does not return the client secret, set it again. Members that this version does
/// not know are not sent.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct AuthenticationConfig {
    /// Login with a password.
    pub password: Option<AuthConfigPassword>,
    /// Login at an identity provider.
    pub oauth: Option<AuthConfigOauth>,
    /// A reference to an authentication configuration of the cluster.
    pub cluster_auth_ref: Option<AuthConfigRef>,
}

/// Configuration for password-based authentication.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct AuthConfigPassword {
    /// Whether a second factor is required.
    pub require_2fa: Option<bool>,
    /// Whether only administrators may log in with a password.
    pub administrators_only: Option<bool>,
}

/// Configuration for authentication at an identity provider.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct AuthConfigOauth {
    /// The name of the identity provider.
    pub idp_name: Option<String>,
    /// The URL of the identity provider's icon.
    pub idp_icon_url: Option<String>,
    /// The identity provider's authorization endpoint.
    pub idp_authorization_endpoint: Option<String>,
    /// The identity provider's token endpoint.
    pub idp_token_endpoint: Option<String>,
    /// Whether the token endpoint expects the client's credentials as Basic authentication.
    pub idp_requires_basic_auth: Option<bool>,
    /// The identity provider's user-info endpoint.
    pub idp_userinfo_endpoint: Option<String>,
    /// How the identity provider's certificate is verified.
    pub tls: Option<TlsConfig>,
    /// The client's id at the identity provider.
    pub client_id: Option<String>,
    /// The client's secret. Whether the server returns it is not documented. Read it with
    /// [`ExposeSecret`](crate::secrecy::ExposeSecret).
    pub client_secret: Option<SecretString>,
}

/// A reference to an authentication configuration of the cluster.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct AuthConfigRef {
    /// The configuration's id.
    pub target_id: Option<String>,
}

/// How the TLS certificate of an identity provider is verified. One member is set.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct TlsConfig {
    /// No TLS; an empty object.
    pub disabled: Option<serde_json::Map<String, serde_json::Value>>,
    /// TLS if the identity provider supports it; an empty object.
    pub opportunistic: Option<serde_json::Map<String, serde_json::Value>>,
    /// TLS is required.
    pub required: Option<TlsConfigRequired>,
}

/// Required TLS.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct TlsConfigRequired {
    /// Whether the host name must match the certificate.
    pub validate_hostname: Option<bool>,
    /// The client's private key, in base64. Read it with [`ExposeSecret`](crate::secrecy::ExposeSecret).
    pub client_key: Option<SecretString>,
    /// The client's certificate.
    pub client_cert: Option<Base64>,
    /// The trusted certificate authorities.
    pub ca: Option<CaConfig>,
}

/// The trusted certificate authorities. One member is set.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct CaConfig {
    /// A predefined set.
    pub ca_set: Option<CaSet>,
    /// Pinned certificates.
    pub pinned: Option<Vec<Base64>>,
}

open_enum! {
    /// A predefined set of certificate authorities.
    pub enum CaSet {
        /// The global root certificates.
        GlobalRoots = "GLOBAL_ROOTS",
    }
}

/// The required parameters of an identity provider, for [`AuthConfigOauth::new`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityProvider {
    /// The name.
    pub name: String,
    /// The URL of the icon.
    pub icon_url: String,
    /// The authorization endpoint.
    pub authorization_endpoint: String,
    /// The token endpoint.
    pub token_endpoint: String,
    /// Whether the token endpoint expects the client's credentials as Basic authentication.
    pub requires_basic_auth: bool,
}

impl From<AuthConfigPassword> for AuthenticationConfig {
    fn from(password: AuthConfigPassword) -> Self {
        Self { password: Some(password), oauth: None, cluster_auth_ref: None }
    }
}

impl From<AuthConfigOauth> for AuthenticationConfig {
    fn from(oauth: AuthConfigOauth) -> Self {
        Self { password: None, oauth: Some(oauth), cluster_auth_ref: None }
    }
}

impl From<AuthConfigRef> for AuthenticationConfig {
    fn from(reference: AuthConfigRef) -> Self {
        Self { password: None, oauth: None, cluster_auth_ref: Some(reference) }
    }
}

impl AuthConfigPassword {
    /// Creates a configuration for login with a password.
    pub fn new(require_2fa: bool, administrators_only: bool) -> Self {
        Self { require_2fa: Some(require_2fa), administrators_only: Some(administrators_only) }
    }
}

impl AuthConfigOauth {
    /// Creates a configuration for login at `idp`, with the client's id and secret at that identity provider.
    ///
    /// `tls` sets how the identity provider's certificate is verified.
    pub fn new(
        idp: IdentityProvider,
        tls: TlsConfig,
        client_id: impl Into<String>,
        client_secret: impl Into<SecretString>,
    ) -> Self {
        Self {
            idp_name: Some(idp.name),
            idp_icon_url: Some(idp.icon_url),
            idp_authorization_endpoint: Some(idp.authorization_endpoint),
            idp_token_endpoint: Some(idp.token_endpoint),
            idp_requires_basic_auth: Some(idp.requires_basic_auth),
            idp_userinfo_endpoint: None,
            tls: Some(tls),
            client_id: Some(client_id.into()),
            client_secret: Some(client_secret.into()),
        }
    }

    /// Sets the identity provider's user-info endpoint.
    pub fn userinfo_endpoint(mut self, url: impl Into<String>) -> Self {
        self.idp_userinfo_endpoint = Some(url.into());
        self
    }
}

impl AuthConfigRef {
    /// Refers to the cluster's configuration with this id.
    pub fn new(target_id: impl Into<String>) -> Self {
        Self { target_id: Some(target_id.into()) }
    }
}

impl TlsConfig {
    /// Disables TLS.
    pub fn disabled() -> Self {
        Self { disabled: Some(serde_json::Map::new()), opportunistic: None, required: None }
    }

    /// Uses TLS if the identity provider supports it.
    pub fn opportunistic() -> Self {
        Self { disabled: None, opportunistic: Some(serde_json::Map::new()), required: None }
    }
}

impl From<TlsConfigRequired> for TlsConfig {
    fn from(required: TlsConfigRequired) -> Self {
        Self { disabled: None, opportunistic: None, required: Some(required) }
    }
}

impl TlsConfigRequired {
    /// Requires TLS with a certificate of one of the authorities in `ca`.
    ///
    /// `validate_hostname` is whether the host name must match the certificate.
    pub fn new(validate_hostname: bool, ca: impl Into<CaConfig>) -> Self {
        Self {
            validate_hostname: Some(validate_hostname),
            client_key: None,
            client_cert: None,
            ca: Some(ca.into()),
        }
    }

    /// Sets the client's own certificate and private key. Their encoding is not documented.
    pub fn client(mut self, certificate: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Self {
        self.client_cert = Some(Base64::new(certificate));
        self.client_key = Some(Base64::new(key).as_str().into());
        self
    }
}

impl CaConfig {
    /// Trusts only these certificates. Their encoding is not documented.
    pub fn pinned(certificates: impl IntoIterator<Item: AsRef<[u8]>>) -> Self {
        let pinned = certificates.into_iter().map(Base64::new).collect();
        Self { ca_set: None, pinned: Some(pinned) }
    }
}

impl From<CaSet> for CaConfig {
    fn from(ca_set: CaSet) -> Self {
        Self { ca_set: Some(ca_set), pinned: None }
    }
}

/// Serialises a secret into the body of a request. Secrets are not `Serialize`, so each field has to opt in
/// with `serialize_with`.
pub(super) fn expose<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

/// An optional secret of a request body.
#[derive(Clone, Copy, Serialize)]
#[serde(transparent)]
struct Exposed<'a>(#[serde(serialize_with = "expose")] &'a SecretString);

/// A complete configuration, as it is sent. The public types are not `Serialize`, because that would expose
/// their secrets to every serializer.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AuthConfigBody<'a> {
    Password { require_2fa: bool, administrators_only: bool },
    Oauth(OauthBody<'a>),
    ClusterAuthRef { target_id: &'a str },
}

#[derive(Serialize)]
pub(super) struct OauthBody<'a> {
    idp_name: &'a str,
    idp_icon_url: &'a str,
    idp_authorization_endpoint: &'a str,
    idp_token_endpoint: &'a str,
    idp_requires_basic_auth: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    idp_userinfo_endpoint: Option<&'a str>,
    tls: TlsBody<'a>,
    client_id: &'a str,
    #[serde(serialize_with = "expose")]
    client_secret: &'a SecretString,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum TlsBody<'a> {
    Disabled {},
    Opportunistic {},
    Required(RequiredBody<'a>),
}

#[derive(Serialize)]
struct RequiredBody<'a> {
    validate_hostname: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_key: Option<Exposed<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_cert: Option<&'a Base64>,
    ca: CaBody<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum CaBody<'a> {
    CaSet(&'a CaSet),
    Pinned(&'a [Base64]),
}

impl<'a> AuthConfigBody<'a> {
    /// Validates that the configuration is complete. `path` is its name in error messages.
    pub(super) fn new(path: String, config: &'a AuthenticationConfig) -> Result<Self> {
        let path = FieldPath(path);
        match (&config.password, &config.oauth, &config.cluster_auth_ref) {
            (Some(password), None, None) => {
                let path = path.child("password");
                Ok(Self::Password {
                    require_2fa: path.require("require_2fa", password.require_2fa)?,
                    administrators_only: path.require("administrators_only", password.administrators_only)?,
                })
            }
            (None, Some(oauth), None) => OauthBody::new(&path.child("oauth"), oauth).map(Self::Oauth),
            (None, None, Some(target)) => {
                let path = path.child("cluster_auth_ref");
                Ok(Self::ClusterAuthRef {
                    target_id: path.require("target_id", target.target_id.as_deref())?,
                })
            }
            _ => path.invalid("must have exactly one of password, oauth and cluster_auth_ref"),
        }
    }

    /// Returns the secrets of the configuration, which are redacted in errors.
    pub(super) fn secrets(&self) -> impl Iterator<Item = SecretString> {
        let oauth = if let Self::Oauth(oauth) = self { Some(oauth) } else { None };
        let key = oauth.and_then(|oauth| match &oauth.tls {
            TlsBody::Required(required) => required.client_key.map(|Exposed(key)| key),
            _ => None,
        });
        key.into_iter().chain(oauth.map(|oauth| oauth.client_secret)).cloned()
    }
}

impl<'a> OauthBody<'a> {
    fn new(path: &FieldPath, config: &'a AuthConfigOauth) -> Result<Self> {
        let text = |name, text: &'a Option<String>| path.require(name, text.as_deref());
        // A server that withholds secrets may return an empty one, which would overwrite the secret if sent
        // back.
        let secret = config.client_secret.as_ref().filter(|secret| !secret.expose_secret().is_empty());
        let tls = path.require("tls", config.tls.as_ref())?;
        Ok(Self {
            idp_name: text("idp_name", &config.idp_name)?,
            idp_icon_url: text("idp_icon_url", &config.idp_icon_url)?,
            idp_authorization_endpoint: text(
                "idp_authorization_endpoint",
                &config.idp_authorization_endpoint,
            )?,
            idp_token_endpoint: text("idp_token_endpoint", &config.idp_token_endpoint)?,
            idp_requires_basic_auth: path
                .require("idp_requires_basic_auth", config.idp_requires_basic_auth)?,
            idp_userinfo_endpoint: config.idp_userinfo_endpoint.as_deref(),
            tls: TlsBody::new(&path.child("tls"), tls)?,
            client_id: text("client_id", &config.client_id)?,
            client_secret: path.require("client_secret", secret)?,
        })
    }
}

impl<'a> TlsBody<'a> {
    fn new(path: &FieldPath, config: &'a TlsConfig) -> Result<Self> {
        let required = match (&config.disabled, &config.opportunistic, &config.required) {
            (Some(_), None, None) => return Ok(Self::Disabled {}),
            (None, Some(_), None) => return Ok(Self::Opportunistic {}),
            (None, None, Some(required)) => required,
            _ => return path.invalid("must have exactly one of disabled, opportunistic and required"),
        };
        let path = path.child("required");
        let key = required.client_key.as_ref();
        if key.is_some_and(|key| BASE64_STANDARD.decode(key.expose_secret()).is_err()) {
            return path.child("client_key").invalid("is not valid padded base64");
        }
        path.child("client_cert").check_base64(required.client_cert.as_slice())?;
        let ca = path.require("ca", required.ca.as_ref())?;
        Ok(Self::Required(RequiredBody {
            validate_hostname: path.require("validate_hostname", required.validate_hostname)?,
            client_key: key.map(Exposed),
            client_cert: required.client_cert.as_ref(),
            ca: CaBody::new(&path.child("ca"), ca)?,
        }))
    }
}

impl<'a> CaBody<'a> {
    fn new(path: &FieldPath, config: &'a CaConfig) -> Result<Self> {
        match (&config.ca_set, &config.pinned) {
            (Some(set), None) => Ok(Self::CaSet(set)),
            (None, Some(pinned)) => {
                path.child("pinned").check_base64(pinned)?;
                Ok(Self::Pinned(pinned))
            }
            _ => path.invalid("must have exactly one of ca_set and pinned"),
        }
    }
}

/// The path of a member in a request body, for error messages.
struct FieldPath(String);

impl FieldPath {
    fn child(&self, member: &str) -> Self {
        Self(format!("{}.{member}", self.0))
    }

    fn require<T>(&self, member: &str, value: Option<T>) -> Result<T> {
        value.ok_or_else(|| {
            Error::config(format!("{}.{member} is missing or empty; the server requires it", self.0))
        })
    }

    fn check_base64(&self, values: &[Base64]) -> Result<()> {
        if values.iter().any(|value| value.decode().is_none()) {
            return self.invalid("is not valid padded base64");
        }
        Ok(())
    }

    fn invalid<T>(&self, reason: &str) -> Result<T> {
        Err(Error::config(format!("{} {reason}", self.0)))
    }
}
