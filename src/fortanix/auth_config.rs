use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Base64, NodeEnrollment};
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

/// A part of a body being written: where it stands, and the secrets that were written.
pub(super) struct Writer<'a> {
    place: String,
    secrets: &'a mut Vec<SecretString>,
}

impl<'a> Writer<'a> {
    /// `place` is what an error calls the part.
    pub(super) fn at(place: impl Into<String>, secrets: &'a mut Vec<SecretString>) -> Self {
        Self { place: place.into(), secrets }
    }

    /// A configuration, if it is whole.
    pub(super) fn config(&mut self, config: &AuthenticationConfig) -> Result<Value> {
        let AuthenticationConfig { password, oauth, cluster_auth_ref } = config;
        match (password, oauth, cluster_auth_ref) {
            (Some(password), None, None) => {
                Ok(json!({"password": self.inside("password").password(password)?}))
            }
            (None, Some(oauth), None) => Ok(json!({"oauth": self.inside("oauth").oauth(oauth)?})),
            (None, None, Some(target)) => {
                Ok(json!({"cluster_auth_ref": self.inside("cluster_auth_ref").reference(target)?}))
            }
            _ => self.refuse("is to have exactly one of password, oauth and cluster_auth_ref"),
        }
    }

    fn password(&mut self, config: &AuthConfigPassword) -> Result<Value> {
        let AuthConfigPassword { require_2fa, administrators_only } = config;
        Ok(json!({
            "require_2fa": self.needs("require_2fa", require_2fa.as_ref())?,
            "administrators_only": self.needs("administrators_only", administrators_only.as_ref())?,
        }))
    }

    fn oauth(&mut self, config: &AuthConfigOauth) -> Result<Value> {
        let mut members = Map::new();
        for (name, text) in [
            ("idp_name", &config.idp_name),
            ("idp_icon_url", &config.idp_icon_url),
            ("idp_authorization_endpoint", &config.idp_authorization_endpoint),
            ("idp_token_endpoint", &config.idp_token_endpoint),
            ("client_id", &config.client_id),
        ] {
            members.insert(name.to_owned(), self.needs(name, text.as_ref())?.as_str().into());
        }
        let basic = self.needs("idp_requires_basic_auth", config.idp_requires_basic_auth.as_ref())?;
        members.insert("idp_requires_basic_auth".to_owned(), (*basic).into());
        if let Some(url) = &config.idp_userinfo_endpoint {
            members.insert("idp_userinfo_endpoint".to_owned(), url.as_str().into());
        }
        let tls = self.needs("tls", config.tls.as_ref())?;
        members.insert("tls".to_owned(), self.inside("tls").tls(tls)?);
        // A server that does not tell secrets may send an empty one: sent back, it would take their place.
        let secret = config.client_secret.as_ref().filter(|secret| !secret.expose_secret().is_empty());
        let secret = self.needs("client_secret", secret)?;
        members.insert("client_secret".to_owned(), self.secret(secret));
        Ok(members.into())
    }

    fn reference(&mut self, config: &AuthConfigRef) -> Result<Value> {
        let AuthConfigRef { target_id } = config;
        Ok(json!({"target_id": self.needs("target_id", target_id.as_ref())?}))
    }

    fn tls(&mut self, config: &TlsConfig) -> Result<Value> {
        let TlsConfig { disabled, opportunistic, required } = config;
        match (disabled, opportunistic, required) {
            (Some(_), None, None) => Ok(json!({"disabled": {}})),
            (None, Some(_), None) => Ok(json!({"opportunistic": {}})),
            (None, None, Some(required)) => {
                Ok(json!({"required": self.inside("required").tls_required(required)?}))
            }
            _ => self.refuse("is to have exactly one of disabled, opportunistic and required"),
        }
    }

    fn tls_required(&mut self, config: &TlsConfigRequired) -> Result<Value> {
        let TlsConfigRequired { validate_hostname, client_key, client_cert, ca } = config;
        let mut members = Map::new();
        let validate = self.needs("validate_hostname", validate_hostname.as_ref())?;
        members.insert("validate_hostname".to_owned(), (*validate).into());
        if let Some(key) = client_key {
            if BASE64_STANDARD.decode(key.expose_secret()).is_err() {
                return self.inside("client_key").refuse("is no padded base64");
            }
            members.insert("client_key".to_owned(), self.secret(key));
        }
        if let Some(certificate) = client_cert {
            members.insert("client_cert".to_owned(), self.inside("client_cert").bytes(certificate)?);
        }
        let ca = self.needs("ca", ca.as_ref())?;
        members.insert("ca".to_owned(), self.inside("ca").ca(ca)?);
        Ok(members.into())
    }

    fn ca(&mut self, config: &CaConfig) -> Result<Value> {
        let CaConfig { ca_set, pinned } = config;
        match (ca_set, pinned) {
            (Some(set), None) => Ok(json!({"ca_set": set})),
            (None, Some(pinned)) => {
                let mut inside = self.inside("pinned");
                let pinned: Result<Vec<_>> =
                    pinned.iter().map(|certificate| inside.bytes(certificate)).collect();
                Ok(json!({"pinned": pinned?}))
            }
            _ => self.refuse("is to have exactly one of ca_set and pinned"),
        }
    }

    pub(super) fn node_enrollment(&mut self, enrollment: &NodeEnrollment) -> Result<Value> {
        let name = "attestation_enforcement_disabled_insecure";
        let NodeEnrollment { attestation_enforcement_disabled_insecure } = enrollment;
        Ok(json!({name: self.needs(name, attestation_enforcement_disabled_insecure.as_ref())?}))
    }

    fn bytes(&mut self, bytes: &Base64) -> Result<Value> {
        if bytes.decode().is_none() {
            return self.refuse("is no padded base64");
        }
        Ok(bytes.as_str().into())
    }

    fn secret(&mut self, secret: &SecretString) -> Value {
        self.secrets.push(secret.clone());
        secret.expose_secret().into()
    }

    fn inside(&mut self, member: &str) -> Writer<'_> {
        Writer { place: format!("{}.{member}", self.place), secrets: self.secrets }
    }

    fn needs<'v, T>(&self, member: &str, value: Option<&'v T>) -> Result<&'v T> {
        value.ok_or_else(|| {
            Error::config(format!("{}.{member} is missing or empty, and the server requires it", self.place))
        })
    }

    fn refuse<T>(&self, why: &str) -> Result<T> {
        Err(Error::config(format!("{} {why}", self.place)))
    }
}
