use std::{fmt, sync::Arc};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::Request;
use secrecy::SecretString;

use super::{
    ListAccounts, NAME, error,
    sign::{self, Credentials},
};
use crate::{
    Result,
    auth::{Environment, credential},
    http::{Answer, Channel, Clock, Problem, Service, Settings, shared_settings},
};

const ENDPOINT: &str = "https://organizations.myhuaweicloud.com";
const ENDPOINT_VARIABLE: &str = "HUAWEICLOUD_SDK_REGION_ORGANIZATIONS_CN_NORTH_4";

/// A client of Huawei Cloud Organizations. Cheap to clone; clones share connections and limits.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    channel: Channel,
    signer: Signer,
}

/// Signs every attempt anew: a signature holds its date.
struct Signer {
    credentials: Credentials,
    clock: Clock,
}

impl Signer {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now().into()
    }
}

impl Service for Signer {
    async fn authorise(&self, request: &mut Request<Bytes>) -> Result<u64> {
        sign::sign(request, &self.credentials, self.now())?;
        Ok(0)
    }

    // A 401 is never replayed: five in a row lock the key.

    fn problem(&self, answer: &Answer) -> Problem {
        error::read(answer, &sign::date(self.now()))
    }
}

impl Client {
    /// A client with an access key (AK) and its secret (SK), at
    /// `https://organizations.myhuaweicloud.com`.
    pub fn builder(access_key: impl Into<String>, secret_key: impl Into<SecretString>) -> ClientBuilder {
        ClientBuilder {
            settings: Settings::new(ENDPOINT),
            credentials: Credentials {
                access_key: access_key.into(),
                secret_key: secret_key.into(),
                security_token: None,
                domain_id: None,
            },
        }
    }

    /// A client with what the environment says, in the variables of Huawei's own SDKs:
    ///
    /// | variable | |
    /// |---|---|
    /// | `HUAWEICLOUD_SDK_AK`, `HUAWEICLOUD_SDK_SK` | the access key; both are needed |
    /// | `HUAWEICLOUD_SDK_SECURITY_TOKEN` | the token of a temporary key |
    /// | `HUAWEICLOUD_SDK_DOMAIN_ID` | sent as `X-Domain-Id` if set |
    /// | `HUAWEICLOUD_SDK_REGION_ORGANIZATIONS_CN_NORTH_4` | the endpoint; of several, the first |
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
        let mut builder = Self::builder(
            env.required("HUAWEICLOUD_SDK_AK")?,
            env.secret("HUAWEICLOUD_SDK_SK")?,
        );
        builder.credentials.security_token = env.optional_secret("HUAWEICLOUD_SDK_SECURITY_TOKEN")?;
        builder.credentials.domain_id = env.optional("HUAWEICLOUD_SDK_DOMAIN_ID")?;
        if let Some(endpoints) = env.optional(ENDPOINT_VARIABLE)? {
            builder = builder.endpoint(endpoints.split(',').next().unwrap_or_default());
        }
        Ok(builder)
    }

    /// The accounts of the organization. Set its parameters, then take it as a
    /// [`Paginator`](crate::Paginator).
    pub fn list_accounts(&self) -> ListAccounts {
        ListAccounts::new(self.clone())
    }

    pub(super) fn channel(&self) -> &Channel {
        &self.0.channel
    }

    pub(super) fn service(&self) -> &impl Service {
        &self.0.signer
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.0.channel.base_url())
            .field("access_key", &self.0.signer.credentials.access_key)
            .finish_non_exhaustive()
    }
}

/// Builds a [`Client`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until build() is called"]
pub struct ClientBuilder {
    settings: Settings,
    credentials: Credentials,
}

impl ClientBuilder {
    /// The token of a temporary access key.
    pub fn security_token(mut self, token: impl Into<SecretString>) -> Self {
        self.credentials.security_token = Some(token.into());
        self
    }

    /// The account that the key belongs to, sent as `X-Domain-Id`.
    ///
    /// The signing guide wants it for global services, the Organizations reference does not mention it:
    /// it is assumed not to be needed.
    pub fn domain_id(mut self, id: impl Into<String>) -> Self {
        self.credentials.domain_id = Some(id.into());
        self
    }

    /// Another endpoint, with or without a path prefix. No endpoint in Europe is documented.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.settings.base_url = url.into();
        self
    }

    shared_settings!();

    /// Builds the client. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the endpoint, a credential or a setting can
    /// not be used.
    pub fn build(self) -> Result<Client> {
        let check = || {
            let mut credentials = self.credentials.clone();
            credentials.access_key = credentials.access_key.trim().to_owned();
            credential("access key", &SecretString::from(credentials.access_key.as_str()))?;
            credentials.secret_key = credential("secret key", &credentials.secret_key)?;
            credentials.security_token = credentials
                .security_token
                .map(|token| credential("security token", &token))
                .transpose()?;
            Ok(credentials)
        };
        let credentials = check().map_err(|error: crate::Error| error.with_provider(NAME))?;
        let channel = Channel::open(NAME, &self.settings)?;
        let signer = Signer {
            credentials,
            clock: channel.clock().clone(),
        };
        Ok(Client(Arc::new(Inner { channel, signer })))
    }
}
