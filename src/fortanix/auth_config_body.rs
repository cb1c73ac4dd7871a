//! Authentication configurations as they are sent, with their secrets.
//!
//! The public types have no `Serialize`: it would give the secrets to every serializer.

use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use super::{
    AuthConfigOauth, AuthConfigPassword, AuthConfigRef, AuthenticationConfig, Base64, CaConfig,
    NodeEnrollment, TlsConfig, TlsConfigRequired,
};
use crate::{Error, Result};

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
