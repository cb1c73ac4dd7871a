use std::{fmt, sync::Arc};

use secrecy::SecretString;

use super::{
    NAME,
    auth::{Keys, Partner},
    error,
};
use crate::{
    ListingId, Result,
    auth::Env,
    http::{ApiClient, ApiRequest, ApiResponse, ClientOptions, NoAuth, client_options},
};

const BASE_URL: &str = "https://api.annature.com.au";

/// A client of Annature. Cheap to clone; clones share connections and limits.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    api: ApiClient,
    keys: Keys,
}

impl Client {
    /// A client with an API key: its id (the public part) and the private key, at
    /// `https://api.annature.com.au`. A key has full access to its organisation.
    pub fn builder(id: impl Into<String>, key: impl Into<SecretString>) -> ClientBuilder {
        ClientBuilder {
            options: ClientOptions::new(BASE_URL),
            id: id.into(),
            key: key.into(),
            partner_key: None,
        }
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
        let env = Env::new(NAME);
        let mut builder = Self::builder(env.required("ANNATURE_ID")?, env.secret("ANNATURE_KEY")?);
        builder.partner_key = env.optional_secret("ANNATURE_PARTNER_KEY")?;
        if let Some(url) = env.optional("ANNATURE_BASE_URL")? {
            builder.options.base_url = url;
        }
        Ok(builder)
    }

    /// The partner key of a call, if it has one.
    pub(super) fn partner_key<'a>(&'a self, partner: &'a Partner) -> Option<&'a str> {
        self.0.keys.partner(partner)
    }

    /// Sends `call`, as a partner's or not.
    pub(super) async fn send<T>(
        &self,
        partner: &Partner,
        call: Result<ApiRequest>,
        read: impl Fn(&ApiResponse) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        let call = call.and_then(|call| self.0.keys.apply(call, partner));
        self.0.api.send(&NoAuth(error::read), call, read).await
    }

    /// Attaches the provider to an error that was made before or after a request.
    pub(super) fn context<T>(&self, result: Result<T>) -> Result<T> {
        self.0.api.context(result)
    }

    /// The identity of the list whose first request is `first`, sent as a partner's or not; `extra`: what else
    /// changes what is listed.
    pub(super) fn listing_id(
        &self,
        partner: &Partner,
        first: &Result<ApiRequest>,
        extra: &[(&str, &str)],
    ) -> ListingId {
        let audience = ("audience", self.partner_key(partner).unwrap_or_default());
        self.0.api.listing_id(self.0.keys.id(), first, &[&[audience], extra].concat())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.0.api.base_url())
            .field("id", &self.0.keys.id())
            .field("partner", &self.partner_key(&Partner::Client).is_some())
            .finish_non_exhaustive()
    }
}

/// Builds a [`Client`].
#[derive(Clone)]
#[must_use = "a builder does nothing until build() is called"]
pub struct ClientBuilder {
    options: ClientOptions,
    id: String,
    key: SecretString,
    partner_key: Option<SecretString>,
}

impl ClientBuilder {
    /// The partner key, sent with every call unless the call says otherwise: lists then cover the
    /// organisations that were provisioned with it, and not one's own, and accounts can be
    /// [registered](Client::register_account).
    pub fn partner_key(mut self, key: impl Into<SecretString>) -> Self {
        self.partner_key = Some(key.into());
        self
    }

    /// Another base URL, with or without a path prefix.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.options.base_url = url.into();
        self
    }

    client_options!();

    /// Builds the client. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the base URL, a key or a setting can not be used.
    pub fn build(self) -> Result<Client> {
        let api = ApiClient::new(NAME, &self.options)?;
        let keys = api.context(Keys::new(&self.id, &self.key, self.partner_key.as_ref()))?;
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
