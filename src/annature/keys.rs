use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use secrecy::{ExposeSecret, SecretString};

use super::{
    error,
    partner::{Partner, partner_header},
};
use crate::{
    Error, Result,
    auth::{credential, sensitive},
    http::{Answer, Problem, Service},
};

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

    pub(super) fn of_call(&self, partner: &Partner) -> Result<CallKeys<'_>> {
        let partner = match partner {
            Partner::Client => self.partner.clone(),
            Partner::With(key) => Some(partner_header(key)?),
            Partner::Without => None,
        };
        Ok(CallKeys { keys: self, partner })
    }
}

/// The keys of one call: the partner key can be another for each.
pub(super) struct CallKeys<'a> {
    keys: &'a Keys,
    partner: Option<HeaderValue>,
}

impl Service for CallKeys<'_> {
    type Permit = ();

    async fn permit(&self) -> Result<()> {
        Ok(())
    }

    fn authorise(&self, (): &(), request: &mut Request<Bytes>) -> Result<()> {
        let headers = request.headers_mut();
        headers.insert(ID, self.keys.id.clone());
        headers.insert(KEY, self.keys.key.clone());
        if let Some(partner) = &self.partner {
            headers.insert(PARTNER, partner.clone());
        }
        Ok(())
    }

    fn problem(&self, answer: &Answer) -> Problem {
        error::read(answer)
    }
}
