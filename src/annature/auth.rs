use std::fmt;

use http::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    Error, Result,
    auth::{credential, sensitive},
    http::ApiRequest,
};

/// Whether a call goes out as a partner's.
#[derive(Clone, Default)]
pub(super) enum Partner {
    /// As the client is set.
    #[default]
    Client,
    /// With this key.
    With(SecretString),
    /// Without one, whatever the client has.
    Without,
}

impl fmt::Debug for Partner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "as the client",
            Self::With(_) => "[redacted]",
            Self::Without => "none",
        })
    }
}

/// The header that a partner key goes out in.
fn partner_header(key: &SecretString) -> Result<HeaderValue> {
    sensitive("partner key", credential("partner key", key)?.expose_secret())
}

/// The setters of [`Partner`], for a call that has it in a field `partner`.
macro_rules! partner_setters {
    () => {
        /// This call with the partner key `key`, whatever the client has. What that does is documented for
        /// some calls only: see [the module](crate::annature#endpoints).
        pub fn partner_key(mut self, key: impl Into<secrecy::SecretString>) -> Self {
            self.partner = $crate::annature::auth::Partner::With(key.into());
            self
        }

        /// This call without a partner key, whatever the client has.
        pub fn without_partner_key(mut self) -> Self {
            self.partner = $crate::annature::auth::Partner::Without;
            self
        }
    };
}
pub(super) use partner_setters;

const ID: HeaderName = HeaderName::from_static("x-annature-id");
const KEY: HeaderName = HeaderName::from_static("x-annature-key");
const PARTNER: HeaderName = HeaderName::from_static("x-annature-partner");

/// What a client sends with every call.
pub(super) struct Keys {
    id: HeaderValue,
    key: HeaderValue,
    partner: Option<HeaderValue>,
}

impl Keys {
    pub(super) fn new(id: &str, key: &SecretString, partner: Option<&SecretString>) -> Result<Self> {
        let id = HeaderValue::try_from(credential("id", &id.into())?.expose_secret()).map_err(|_| {
            Error::config("the id holds characters that no header may: expected visible ASCII")
        })?;
        let key = sensitive("key", credential("key", key)?.expose_secret())?;
        Ok(Self { id, key, partner: partner.map(partner_header).transpose()? })
    }

    pub(super) fn id(&self) -> &str {
        self.id.to_str().unwrap_or_default()
    }

    /// The partner key of a call, if it has one.
    pub(super) fn partner<'a>(&'a self, partner: &'a Partner) -> Option<&'a str> {
        match partner {
            Partner::Client => self.partner.as_ref()?.to_str().ok(),
            Partner::With(key) => Some(key.expose_secret().trim()),
            Partner::Without => None,
        }
    }

    /// `call` with the keys; the partner key can be another for each.
    pub(super) fn apply(&self, call: ApiRequest, partner: &Partner) -> Result<ApiRequest> {
        let partner = match partner {
            Partner::Client => self.partner.clone(),
            Partner::With(key) => Some(partner_header(key)?),
            Partner::Without => None,
        };
        let call = call.header(ID, self.id.clone()).header(KEY, self.key.clone());
        Ok(match partner {
            Some(partner) => call.header(PARTNER, partner),
            None => call,
        })
    }
}
