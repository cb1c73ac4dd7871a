use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use super::Base64;
use crate::{Error, Result, open_enum::open_enum};

/// How the users of an account log in: made from one of the three, or read from an account.
///
/// What was read can be changed and sent back. To be sent, exactly one member must be there, which the
/// reference implies but does not state, and in it everything that the reference requires: a client secret
/// that the server does not tell has to be set again. What this version does not know of a configuration is
/// not sent.
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
    /// The client's secret. Whether the server tells it is not documented. Read it with
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
    /// The client's private key, in base64. Read it with [`ExposeSecret`](crate::secrecy::ExposeSecret).
    pub client_key: Option<SecretString>,
    /// The client's certificate.
    pub client_cert: Option<Base64>,
    /// Which authorities are trusted.
    pub ca: Option<CaConfig>,
}

/// Which certificate authorities are trusted. One member is there.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct CaConfig {
    /// A known set.
    pub ca_set: Option<CaSet>,
    /// These certificates.
    pub pinned: Option<Vec<Base64>>,
}

open_enum! {
    /// A known set of certificate authorities.
    pub enum CaSet {
        /// The usual ones.
        GlobalRoots = "GLOBAL_ROOTS",
    }
}

/// What a configuration must say of an identity provider: named arguments of [`AuthConfigOauth::new`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityProvider {
    /// Its name.
    pub name: String,
    /// Its icon.
    pub icon_url: String,
    /// Its authorization endpoint.
    pub authorization_endpoint: String,
    /// Its token endpoint.
    pub token_endpoint: String,
    /// Whether the token endpoint takes the client's credentials as Basic authentication.
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
    /// Whether a second factor is required, and whether only administrators may log in so.
    pub fn new(require_2fa: bool, administrators_only: bool) -> Self {
        Self { require_2fa: Some(require_2fa), administrators_only: Some(administrators_only) }
    }
}

impl AuthConfigOauth {
    /// At `idp`, whose certificate is checked as `tls` says, with the client's id and secret there.
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

    /// The identity provider's user-info endpoint.
    pub fn userinfo_endpoint(mut self, url: impl Into<String>) -> Self {
        self.idp_userinfo_endpoint = Some(url.into());
        self
    }
}

impl AuthConfigRef {
    /// The cluster's configuration with this id.
    pub fn new(target_id: impl Into<String>) -> Self {
        Self { target_id: Some(target_id.into()) }
    }
}

impl TlsConfig {
    /// No TLS.
    pub fn disabled() -> Self {
        Self { disabled: Some(serde_json::Map::new()), opportunistic: None, required: None }
    }

    /// TLS if the server has it.
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
    /// Whether the host name must be the certificate's, and which authorities are trusted.
    pub fn new(validate_hostname: bool, ca: impl Into<CaConfig>) -> Self {
        Self {
            validate_hostname: Some(validate_hostname),
            client_key: None,
            client_cert: None,
            ca: Some(ca.into()),
        }
    }

    /// The client's own certificate and private key. Their encoding is not documented.
    pub fn client(mut self, certificate: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Self {
        self.client_cert = Some(Base64::new(certificate));
        self.client_key = Some(Base64::new(key).as_str().into());
        self
    }
}

impl CaConfig {
    /// Only these certificates. Their encoding is not documented.
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

/// Writes a secret into the body of a request. A field has to name it: no secret has a serializer by itself.
pub(super) fn expose<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

/// A secret that is written where there is one.
#[derive(Clone, Copy, Serialize)]
#[serde(transparent)]
struct Exposed<'a>(#[serde(serialize_with = "expose")] &'a SecretString);

/// A configuration that is whole, as it is sent. The public types have no `Serialize`: it would give their secrets to
/// every serializer.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Body<'a> {
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

impl<'a> Body<'a> {
    /// The configuration, if it is whole. `place` is what an error calls it.
    pub(super) fn new(place: String, config: &'a AuthenticationConfig) -> Result<Self> {
        let place = Place(place);
        match (&config.password, &config.oauth, &config.cluster_auth_ref) {
            (Some(password), None, None) => {
                let place = place.inside("password");
                Ok(Self::Password {
                    require_2fa: place.needs("require_2fa", password.require_2fa)?,
                    administrators_only: place.needs("administrators_only", password.administrators_only)?,
                })
            }
            (None, Some(oauth), None) => OauthBody::new(&place.inside("oauth"), oauth).map(Self::Oauth),
            (None, None, Some(target)) => {
                let place = place.inside("cluster_auth_ref");
                Ok(Self::ClusterAuthRef { target_id: place.needs("target_id", target.target_id.as_deref())? })
            }
            _ => place.refuse("is to have exactly one of password, oauth and cluster_auth_ref"),
        }
    }

    /// The secrets in it, to be kept out of errors.
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
    fn new(place: &Place, config: &'a AuthConfigOauth) -> Result<Self> {
        let text = |name, text: &'a Option<String>| place.needs(name, text.as_deref());
        // A server that withholds secrets may send an empty one: sent back, it would take their place.
        let secret = config.client_secret.as_ref().filter(|secret| !secret.expose_secret().is_empty());
        let tls = place.needs("tls", config.tls.as_ref())?;
        Ok(Self {
            idp_name: text("idp_name", &config.idp_name)?,
            idp_icon_url: text("idp_icon_url", &config.idp_icon_url)?,
            idp_authorization_endpoint: text(
                "idp_authorization_endpoint",
                &config.idp_authorization_endpoint,
            )?,
            idp_token_endpoint: text("idp_token_endpoint", &config.idp_token_endpoint)?,
            idp_requires_basic_auth: place
                .needs("idp_requires_basic_auth", config.idp_requires_basic_auth)?,
            idp_userinfo_endpoint: config.idp_userinfo_endpoint.as_deref(),
            tls: TlsBody::new(&place.inside("tls"), tls)?,
            client_id: text("client_id", &config.client_id)?,
            client_secret: place.needs("client_secret", secret)?,
        })
    }
}

impl<'a> TlsBody<'a> {
    fn new(place: &Place, config: &'a TlsConfig) -> Result<Self> {
        let required = match (&config.disabled, &config.opportunistic, &config.required) {
            (Some(_), None, None) => return Ok(Self::Disabled {}),
            (None, Some(_), None) => return Ok(Self::Opportunistic {}),
            (None, None, Some(required)) => required,
            _ => return place.refuse("is to have exactly one of disabled, opportunistic and required"),
        };
        let place = place.inside("required");
        let key = required.client_key.as_ref();
        if key.is_some_and(|key| BASE64_STANDARD.decode(key.expose_secret()).is_err()) {
            return place.inside("client_key").refuse("is no padded base64");
        }
        place.inside("client_cert").check(required.client_cert.as_slice())?;
        let ca = place.needs("ca", required.ca.as_ref())?;
        Ok(Self::Required(RequiredBody {
            validate_hostname: place.needs("validate_hostname", required.validate_hostname)?,
            client_key: key.map(Exposed),
            client_cert: required.client_cert.as_ref(),
            ca: CaBody::new(&place.inside("ca"), ca)?,
        }))
    }
}

impl<'a> CaBody<'a> {
    fn new(place: &Place, config: &'a CaConfig) -> Result<Self> {
        match (&config.ca_set, &config.pinned) {
            (Some(set), None) => Ok(Self::CaSet(set)),
            (None, Some(pinned)) => {
                place.inside("pinned").check(pinned)?;
                Ok(Self::Pinned(pinned))
            }
            _ => place.refuse("is to have exactly one of ca_set and pinned"),
        }
    }
}

/// What an error calls a part of a body.
struct Place(String);

impl Place {
    fn inside(&self, member: &str) -> Self {
        Self(format!("{}.{member}", self.0))
    }

    fn needs<T>(&self, member: &str, value: Option<T>) -> Result<T> {
        value.ok_or_else(|| {
            Error::config(format!("{}.{member} is missing or empty, and the server requires it", self.0))
        })
    }

    fn check(&self, blobs: &[Base64]) -> Result<()> {
        if blobs.iter().any(|blob| blob.decode().is_none()) {
            return self.refuse("is no padded base64");
        }
        Ok(())
    }

    fn refuse<T>(&self, why: &str) -> Result<T> {
        Err(Error::config(format!("{} {why}", self.0)))
    }
}
