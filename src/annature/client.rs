use std::{fmt, sync::Arc};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use secrecy::{ExposeSecret, SecretString};

use super::{ListAccounts, ListAccountsV1, NAME, error};
use crate::{
    Result,
    auth::{Environment, credential, sensitive},
    http::{Answer, Channel, Problem, Service, Settings, shared_settings},
};

const BASE_URL: &str = "https://api.annature.com.au";
const ID: HeaderName = HeaderName::from_static("x-annature-id");
const KEY: HeaderName = HeaderName::from_static("x-annature-key");
const PARTNER: HeaderName = HeaderName::from_static("x-annature-partner");

/// A client of Annature. Cheap to clone; clones share connections and limits.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    channel: Channel,
    keys: Keys,
}

struct Keys {
    id: HeaderValue,
    key: HeaderValue,
    partner: Option<HeaderValue>,
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

pub(super) fn partner_header(key: &SecretString) -> Result<HeaderValue> {
    sensitive("partner key", credential("partner key", key)?.expose_secret())
        .map_err(|error| error.with_provider(NAME))
}

impl Client {
    /// A client with an API key: its id (the public part) and the private key, at
    /// `https://api.annature.com.au`. A key has full access to its organisation.
    pub fn builder(id: impl Into<String>, key: impl Into<SecretString>) -> ClientBuilder {
        ClientBuilder { settings: Settings::new(BASE_URL), id: id.into(), key: key.into(), partner_key: None }
    }

    /// A client with what the environment says.
    ///
    /// | variable | |
    /// |---|---|
    /// | `ANNATURE_ID`, `ANNATURE_KEY` | the API key; both are needed |
    /// | `ANNATURE_PARTNER_KEY` | the partner key: lists then cover the organisations provisioned with it |
    /// | `ANNATURE_BASE_URL` | another base URL |
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) naming the variable that is missing or wrong.
    pub fn from_env() -> Result<Self> {
        Self::builder_from_env()?.build()
    }

    /// The same as a builder, for setting the rest.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn builder_from_env() -> Result<ClientBuilder> {
        let env = Environment::of(NAME);
        let mut builder = Self::builder(env.required("ANNATURE_ID")?, env.secret("ANNATURE_KEY")?);
        builder.partner_key = env.optional_secret("ANNATURE_PARTNER_KEY")?;
        if let Some(url) = env.optional("ANNATURE_BASE_URL")? {
            builder.settings.base_url = url;
        }
        Ok(builder)
    }

    /// All accounts, page by page (version 2 of the endpoint). Set its filters, then take it as a
    /// [`Paginator`](crate::Paginator).
    pub fn list_accounts(&self) -> ListAccounts {
        ListAccounts::new(self.clone())
    }

    /// The newest accounts, at most 1,000, in one array (version 1 of the endpoint). It too is a
    /// [`Paginator`](crate::Paginator).
    pub fn list_accounts_v1(&self) -> ListAccountsV1 {
        ListAccountsV1::new(self.clone())
    }

    pub(super) fn channel(&self) -> &Channel {
        &self.0.channel
    }

    pub(super) fn keys(&self, partner: &Partner) -> Result<CallKeys<'_>> {
        let keys = &self.0.keys;
        let partner = match partner {
            Partner::Client => keys.partner.clone(),
            Partner::Without => None,
            Partner::With(key) => Some(partner_header(key)?),
        };
        Ok(CallKeys { keys, partner })
    }

    /// Whose accounts are listed, the partner's or one's own: for checkpoints, which keep a digest of it
    /// only.
    pub(super) fn audience<'a>(&'a self, partner: &'a Partner) -> &'a str {
        match (partner, &self.0.keys.partner) {
            (Partner::With(key), _) => key.expose_secret().trim(),
            (Partner::Client, Some(key)) => key.to_str().unwrap_or_default(),
            _ => "",
        }
    }

    pub(super) fn id(&self) -> &str {
        self.0.keys.id.to_str().unwrap_or_default()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.0.channel.base_url())
            .field("id", &self.id())
            .field("partner", &self.0.keys.partner.is_some())
            .finish_non_exhaustive()
    }
}

/// Builds a [`Client`].
#[derive(Clone)]
#[must_use = "a builder does nothing until build() is called"]
pub struct ClientBuilder {
    settings: Settings,
    id: String,
    key: SecretString,
    partner_key: Option<SecretString>,
}

impl ClientBuilder {
    /// The partner key, sent with every call unless the call says otherwise: lists then cover the
    /// organisations that were provisioned with it, and not one's own.
    pub fn partner_key(mut self, key: impl Into<SecretString>) -> Self {
        self.partner_key = Some(key.into());
        self
    }

    /// Another base URL, with or without a path prefix.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.settings.base_url = url.into();
        self
    }

    shared_settings!();

    /// Builds the client. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the base URL, a key or a setting can not be used.
    pub fn build(self) -> Result<Client> {
        let keys = || {
            let id = credential("id", &self.id.as_str().into())?;
            let id = HeaderValue::try_from(id.expose_secret()).map_err(|_| {
                crate::Error::config("the id holds characters that no header may: expected visible ASCII")
            })?;
            let key = sensitive("key", credential("key", &self.key)?.expose_secret())?;
            let partner = self.partner_key.as_ref().map(partner_header).transpose()?;
            Ok(Keys { id, key, partner })
        };
        let keys = keys().map_err(|error: crate::Error| error.with_provider(NAME))?;
        Ok(Client(Arc::new(Inner { channel: Channel::open(NAME, &self.settings)?, keys })))
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("settings", &self.settings)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
