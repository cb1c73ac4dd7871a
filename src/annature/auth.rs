use std::fmt;

use http::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    Error, Result,
    auth::{credential, sensitive},
    http::ApiRequest,
};

/// The partner key of a single request.
#[derive(Clone, Default)]
pub(super) enum PartnerKey {
    /// The client's key, if it has one.
    #[default]
    FromClient,
    /// This key instead of the client's.
    Override(SecretString),
    /// No key, even if the client has one.
    Omit,
}

impl fmt::Debug for PartnerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FromClient => "from client",
            Self::Override(_) => "[redacted]",
            Self::Omit => "none",
        })
    }
}

fn partner_header(key: &SecretString) -> Result<HeaderValue> {
    sensitive("partner key", credential("partner key", key)?.expose_secret())
}

/// Defines the setters of [`PartnerKey`] for a request with a field `partner_key`.
macro_rules! partner_setters {
    () => {
        /// Sends this request with the partner key `key`, instead of the client's if it has one.
        ///
        /// The effect is documented for some requests only: see [the module](crate::annature#not-documented).
        pub fn partner_key(mut self, key: impl Into<secrecy::SecretString>) -> Self {
            self.partner_key = $crate::annature::auth::PartnerKey::Override(key.into());
            self
        }

        /// Sends this request without a partner key, even if the client has one.
        pub fn without_partner_key(mut self) -> Self {
            self.partner_key = $crate::annature::auth::PartnerKey::Omit;
            self
        }
    };
}
pub(super) use partner_setters;

const ID: HeaderName = HeaderName::from_static("x-annature-id");
const KEY: HeaderName = HeaderName::from_static("x-annature-key");
const PARTNER: HeaderName = HeaderName::from_static("x-annature-partner");

/// The API key and the optional partner key of a client, as header values.
pub(super) struct ApiKeys {
    id: HeaderValue,
    key: HeaderValue,
    partner_key: Option<HeaderValue>,
}

impl ApiKeys {
    pub(super) fn new(id: &str, key: &SecretString, partner_key: Option<&SecretString>) -> Result<Self> {
        let id = HeaderValue::try_from(credential("id", &id.into())?.expose_secret())
            .map_err(|_| Error::config("invalid character in the id; expected visible ASCII"))?;
        let key = sensitive("key", credential("key", key)?.expose_secret())?;
        Ok(Self { id, key, partner_key: partner_key.map(partner_header).transpose()? })
    }

    pub(super) fn id(&self) -> &str {
        self.id.to_str().unwrap_or_default()
    }

    /// Returns the partner key that a request is sent with, if any.
    pub(super) fn resolve_partner_key<'a>(&'a self, partner_key: &'a PartnerKey) -> Option<&'a str> {
        match partner_key {
            PartnerKey::FromClient => self.partner_key.as_ref()?.to_str().ok(),
            PartnerKey::Override(key) => Some(key.expose_secret().trim()),
            PartnerKey::Omit => None,
        }
    }

    /// Adds the key headers to `request`.
    pub(super) fn apply(&self, request: ApiRequest, partner_key: &PartnerKey) -> Result<ApiRequest> {
        let partner_key = match partner_key {
            PartnerKey::FromClient => self.partner_key.clone(),
            PartnerKey::Override(key) => Some(partner_header(key)?),
            PartnerKey::Omit => None,
        };
        let request = request.header(ID, self.id.clone()).header(KEY, self.key.clone());
        Ok(match partner_key {
            Some(partner_key) => request.header(PARTNER, partner_key),
            None => request,
        })
    }
}
