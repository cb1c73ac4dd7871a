use std::{fmt, path::Path, sync::Arc};

use secrecy::SecretString;

use super::{
    NAME,
    auth::{self, CredentialConfig, CredentialProvider, CredentialSource, Signer},
    error,
    signing::Credentials,
};
use crate::{
    Error, ListingId, Result,
    auth::{CredentialChain, Env, Lookup, home},
    http::{ApiClient, ApiRequest, ApiResponse, ClientOptions, client_options},
};

const ENDPOINT: &str = "https://organizations.myhuaweicloud.com";
const ENDPOINT_VARIABLE: &str = "HUAWEICLOUD_SDK_REGION_ORGANIZATIONS_CN_NORTH_4";

/// A client for Huawei Cloud Organizations. Cloning is cheap; clones share connections and rate limits.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    api: ApiClient,
    signer: Signer,
}

impl Client {
    /// Returns a builder. An [`access_key`](ClientBuilder::access_key) (AK) and its
    /// [`secret_key`](ClientBuilder::secret_key) (SK) are required.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new(None)
    }

    /// Creates a client from the environment variables of Huawei's own SDKs:
    ///
    /// | variable | |
    /// |---|---|
    /// | `HUAWEICLOUD_SDK_AK`, `HUAWEICLOUD_SDK_SK` | the access key and its secret key; both are required |
    /// | `HUAWEICLOUD_SDK_SECURITY_TOKEN` | the security token of a temporary key |
    /// | `HUAWEICLOUD_SDK_DOMAIN_ID` | sent as `X-Domain-Id` if set |
    /// | `HUAWEICLOUD_SDK_REGION_ORGANIZATIONS_CN_NORTH_4` | the endpoint; the first of a comma-separated list is used |
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) with the name of the missing or invalid variable.
    pub fn from_env() -> Result<Self> {
        Self::builder_from_env()?.build()
    }

    /// Returns a builder with the credentials and endpoint of [`from_env`](Self::from_env).
    ///
    /// # Errors
    /// Those of [`from_env`](Self::from_env).
    pub fn builder_from_env() -> Result<ClientBuilder> {
        let env = Env::new(NAME);
        let credentials = auth::from_environment(&|name| env.optional(name));
        ClientBuilder::with_credentials(credentials)?.endpoint_from_env(&env)
    }

    /// Returns the base URL, without a trailing slash.
    pub fn base_url(&self) -> &str {
        self.0.api.base_url()
    }

    /// Creates a client with the first access key found in the credential chain of Huawei's own SDKs:
    ///
    /// 1. the environment, as in [`from_env`](Self::from_env)
    /// 2. the credentials file at `HUAWEICLOUD_SDK_CREDENTIALS_FILE`, or at `~/.huaweicloud/credentials` if
    ///    the variable is not set, as in [`builder_from_credentials_file`](Self::builder_from_credentials_file)
    /// 3. the metadata service, as in [`builder_from_metadata`](Self::builder_from_metadata)
    ///
    /// A source without a key is skipped. A source that has an incomplete key, or cannot be read, is an
    /// error. The vendor's SDKs continue in this case and may list a different organization than intended.
    /// Federated identities (OIDC) and the pod identity of containers, which those SDKs support, are not
    /// supported.
    ///
    /// The endpoint is read from the environment, if it is set there.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) with the source that cannot be used and those tried
    /// before it. If no source has a key, this function succeeds and the first request fails with
    /// [`ErrorKind::Auth`](crate::ErrorKind::Auth); the error lists all sources.
    pub fn from_default_chain() -> Result<Self> {
        Self::builder_from_default_chain()?.build()
    }

    /// Returns a builder with the credentials and endpoint of
    /// [`from_default_chain`](Self::from_default_chain). The credentials file is read immediately; the
    /// metadata service is not queried before the first request.
    ///
    /// # Errors
    /// Those of [`from_default_chain`](Self::from_default_chain).
    pub fn builder_from_default_chain() -> Result<ClientBuilder> {
        let env = Env::new(NAME);
        let source = auth::default_chain(&|name| env.optional(name), home().as_deref());
        ClientBuilder::new(Some(env.context(source)?)).endpoint_from_env(&env)
    }

    /// Returns a builder with the access key in a credentials file, such as `~/.huaweicloud/credentials`:
    ///
    /// ```ini
    /// [global]
    /// ak = …
    /// sk = …
    /// security_token = …
    /// domain_id = …
    /// ```
    ///
    /// `security_token` and `domain_id` are optional. `[globalcredentials]` is an alias of `[global]`; if
    /// neither section has a key, that of `[basic]` is used.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the file cannot be read or has no key. The error
    /// refers to lines by number and never quotes them.
    pub fn builder_from_credentials_file(path: impl AsRef<Path>) -> Result<ClientBuilder> {
        let path = path.as_ref();
        let lookup = auth::from_file(path).map_err(|error| error.message().to_owned());
        ClientBuilder::with_credentials(match lookup {
            Ok(Lookup::Missing(reason)) | Err(reason) => {
                Err(Error::config(format!("{}: {reason}", path.display())))
            }
            Ok(found) => Ok(found),
        })
    }

    /// Returns a builder with temporary keys from the instance metadata service of this elastic cloud server
    /// (ECS). The keys belong to the agency that the server runs under.
    ///
    /// The key is fetched with the first request. It is refreshed when it has less than 40 minutes left, or
    /// less than half its lifetime if that is shorter. If the service is unavailable, the current key is used
    /// until it expires. Without a valid key, requests fail with [`ErrorKind::Auth`](crate::ErrorKind::Auth).
    ///
    /// The service is at `http://169.254.169.254`, a link-local address. It is queried over separate
    /// connections, without a proxy, and without the [`http_client`](ClientBuilder::http_client) or
    /// [`transport`](ClientBuilder::transport) set on the builder. The timeout of each request is 3 seconds.
    ///
    /// A 401 from Organizations does not trigger a refresh. That the service would return the same key again
    /// is an assumption.
    pub fn builder_from_metadata() -> ClientBuilder {
        ClientBuilder::new(Some(CredentialSource::Metadata(CredentialChain::default())))
    }

    /// Sends a validated request and reads the response. Fails without sending if the request is an error.
    pub(super) async fn send<T>(
        &self,
        request: Result<ApiRequest>,
        read: impl Fn(&ApiResponse) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        self.0.api.try_send(&self.0.signer, request, read).await.map_err(error::mark_retryable)
    }

    /// Attaches the provider to an error that was created outside of [`send`](Self::send).
    pub(super) fn context<T>(&self, result: Result<T>) -> Result<T> {
        self.0.api.context(result)
    }

    /// Returns the identity of the listing whose first request is `first`.
    pub(super) fn listing_id(&self, first: &Result<ApiRequest>) -> ListingId {
        // The best identification of the organization that is available without a request.
        let principal = match &self.0.signer.credentials {
            CredentialProvider::Static(credentials) => {
                credentials.domain_id.as_deref().unwrap_or(&credentials.access_key)
            }
            CredentialProvider::Metadata(metadata) => metadata.domain_id().unwrap_or("metadata"),
        };
        self.0.api.try_listing_id(principal, first.as_ref(), &[])
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let access_key = match &self.0.signer.credentials {
            CredentialProvider::Static(credentials) => &credentials.access_key,
            CredentialProvider::Metadata(_) => "from the metadata service",
        };
        f.debug_struct("Client")
            .field("base_url", &self.0.api.base_url())
            .field("access_key", &access_key)
            .finish_non_exhaustive()
    }
}

/// Builds a [`Client`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until build() is called"]
pub struct ClientBuilder {
    options: ClientOptions,
    credentials: CredentialConfig,
}

impl ClientBuilder {
    fn new(source: Option<CredentialSource>) -> Self {
        Self { options: ClientOptions::new(ENDPOINT), credentials: CredentialConfig::new(source) }
    }

    /// Fails if the lookup found no credentials.
    fn with_credentials(lookup: Result<Lookup<Credentials>>) -> Result<Self> {
        let env = Env::new(NAME);
        match env.context(lookup)? {
            Lookup::Found(credentials) => Ok(Self::new(Some(CredentialSource::Static(credentials)))),
            Lookup::Missing(reason) => Err(env.error(reason)),
        }
    }

    fn endpoint_from_env(self, env: &Env) -> Result<Self> {
        Ok(match env.optional(ENDPOINT_VARIABLE)? {
            Some(endpoints) => self.base_url(endpoints.split(',').next().unwrap_or_default()),
            None => self,
        })
    }

    /// Sets the access key (AK). Required, unless the builder has a source of keys.
    ///
    /// With [`secret_key`](Self::secret_key) it replaces that source, including its security token and domain id.
    pub fn access_key(mut self, key: impl Into<String>) -> Self {
        self.credentials.access_key = Some(key.into());
        self
    }

    /// Sets the secret key (SK) of the access key.
    pub fn secret_key(mut self, key: impl Into<SecretString>) -> Self {
        self.credentials.secret_key = Some(key.into());
        self
    }

    /// Sets the security token of a temporary access key.
    pub fn security_token(mut self, token: impl Into<SecretString>) -> Self {
        self.credentials.security_token = Some(token.into());
        self
    }

    /// Sets the id of the account that the key belongs to, sent as `X-Domain-Id`.
    ///
    /// Checkpoints are bound to the domain id. Without it, they are bound to the access key, which differs
    /// for each temporary key, or to no key if the keys come from the metadata service.
    ///
    /// The signing guide requires it for global services; the Organizations reference does not mention it.
    /// That it is optional is an assumption.
    pub fn domain_id(mut self, id: impl Into<String>) -> Self {
        self.credentials.domain_id = Some(id.into());
        self
    }

    /// Sets the base URL, with or without a path prefix. Default: `https://organizations.myhuaweicloud.com`.
    ///
    /// No endpoint in Europe is documented.
    #[doc(alias = "endpoint")]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.options.base_url = url.into();
        self
    }

    /// Sets the URL of the metadata service, for tests or a replacement of the service. It is only used if
    /// the key is fetched from there. `http` is allowed only for loopback and link-local addresses.
    pub fn metadata_endpoint(mut self, url: impl Into<String>) -> Self {
        self.credentials.metadata_endpoint = url.into();
        self
    }

    client_options!();

    /// Builds the client. Sends no requests.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the base URL, a credential or an option is invalid.
    pub fn build(self) -> Result<Client> {
        let api = ApiClient::versioned(NAME, &self.options)?;
        let credentials = api.context(self.credentials.build(&self.options))?;
        let signer = Signer { credentials, clock: api.clock().clone() };
        Ok(Client(Arc::new(Inner { api, signer })))
    }
}
