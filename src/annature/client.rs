use std::{fmt, sync::Arc};

use secrecy::SecretString;

use super::{
    NAME,
    auth::{ApiKeys, PartnerKey},
    error,
};
use crate::{
    ListingId, Result,
    auth::{Env, required},
    http::{ApiClient, ApiRequest, ApiResponse, ClientOptions, NoAuth, client_options},
};

const BASE_URL: &str = "https://api.annature.com.au";

/// An Annature client. Cheap to clone; clones share connections and limits.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    api: ApiClient,
    keys: ApiKeys,
}

impl Client {
    /// Returns a builder. An API key is required: its [`id`](ClientBuilder::id) and its private
    /// [`key`](ClientBuilder::key), which has full access to its organisation.
    pub fn builder() -> ClientBuilder {
        ClientBuilder { options: ClientOptions::new(BASE_URL), id: None, key: None, partner_key: None }
    }

    /// Creates a client from environment variables.
    ///
    /// | variable | |
    /// |---|---|
    /// | `ANNATURE_ID`, `ANNATURE_KEY` | the API key; both are required |
    /// | `ANNATURE_PARTNER_KEY` | the partner key; lists then cover the organisations provisioned with it |
    /// | `ANNATURE_BASE_URL` | the base URL, instead of the default |
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), which names the missing or invalid variable.
    pub fn from_env() -> Result<Self> {
        Self::builder_from_env()?.build()
    }

    /// Returns a builder configured from the same environment variables as [`from_env`](Self::from_env).
    ///
    /// # Errors
    /// The same as for [`from_env`](Self::from_env), for variables that are missing or unreadable.
    pub fn builder_from_env() -> Result<ClientBuilder> {
        let env = Env::new(NAME);
        let mut builder = Self::builder().id(env.required("ANNATURE_ID")?).key(env.secret("ANNATURE_KEY")?);
        builder.partner_key = env.optional_secret("ANNATURE_PARTNER_KEY")?;
        if let Some(url) = env.optional("ANNATURE_BASE_URL")? {
            builder.options.base_url = url;
        }
        Ok(builder)
    }

    /// Returns the base URL, without a trailing slash.
    pub fn base_url(&self) -> &str {
        self.0.api.base_url()
    }

    /// Returns the partner key that a request is sent with, if any.
    pub(super) fn resolve_partner_key<'a>(&'a self, partner_key: &'a PartnerKey) -> Option<&'a str> {
        self.0.keys.resolve_partner_key(partner_key)
    }

    /// Sends `request` with the API key and the partner key that `partner_key` selects.
    pub(super) async fn send<T>(
        &self,
        partner_key: &PartnerKey,
        request: Result<ApiRequest>,
        read: impl Fn(&ApiResponse) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        let request = request.and_then(|request| self.0.keys.apply(request, partner_key));
        self.0.api.try_send(&NoAuth(error::parse), request, read).await
    }

    /// Attaches the provider to an error that was raised before or after a request.
    pub(super) fn context<T>(&self, result: Result<T>) -> Result<T> {
        self.0.api.context(result)
    }

    /// Returns the id of the listing whose first request is `first`.
    ///
    /// `extra` holds options that change the listing without changing its first request.
    pub(super) fn listing_id(
        &self,
        partner_key: &PartnerKey,
        first: &Result<ApiRequest>,
        extra: &[(&str, &str)],
    ) -> ListingId {
        let audience = ("audience", self.resolve_partner_key(partner_key).unwrap_or_default());
        self.0.api.try_listing_id(self.0.keys.id(), first.as_ref(), &[&[audience], extra].concat())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.0.api.base_url())
            .field("id", &self.0.keys.id())
            .field("partner", &self.resolve_partner_key(&PartnerKey::FromClient).is_some())
            .finish_non_exhaustive()
    }
}

/// Builds a [`Client`].
#[derive(Clone)]
#[must_use = "a builder does nothing until build() is called"]
pub struct ClientBuilder {
    options: ClientOptions,
    id: Option<String>,
    key: Option<SecretString>,
    partner_key: Option<SecretString>,
}

impl ClientBuilder {
    /// Sets the id of the API key, which is not secret. Required.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets the private key of the API key. Required.
    pub fn key(mut self, key: impl Into<SecretString>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Sets the partner key, which is sent with every request that does not override or omit it.
    ///
    /// With it, lists cover the organisations that were provisioned with the key instead of the caller's own,
    /// and accounts can be [registered](Client::register_account).
    pub fn partner_key(mut self, key: impl Into<SecretString>) -> Self {
        self.partner_key = Some(key.into());
        self
    }

    /// Sets the base URL, with or without a path prefix. Default: `https://api.annature.com.au`.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.options.base_url = url.into();
        self
    }

    client_options!();

    /// Builds the client. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the base URL, a key or a setting is invalid.
    pub fn build(self) -> Result<Client> {
        let api = ApiClient::versioned(NAME, &self.options)?;
        let keys = || {
            let (id, key) = (required(self.id, "id")?, required(self.key, "key")?);
            ApiKeys::new(&id, &key, self.partner_key.as_ref())
        };
        let keys = api.context(keys())?;
        Ok(Client(Arc::new(Inner { api, keys })))
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("options", &self.options)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
