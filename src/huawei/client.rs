use std::{fmt, path::Path, sync::Arc};

use secrecy::SecretString;

use super::{
    NAME,
    auth::{self, Keys, Origin, Signer, Source},
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

/// A client of Huawei Cloud Organizations. Cheap to clone; clones share connections and limits.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    api: ApiClient,
    signer: Signer,
}

impl Client {
    /// A client with an access key (AK) and its secret (SK), at
    /// `https://organizations.myhuaweicloud.com`.
    pub fn builder(access_key: impl Into<String>, secret_key: impl Into<SecretString>) -> ClientBuilder {
        ClientBuilder::new(Origin::Given(Credentials {
            access_key: access_key.into(),
            secret_key: secret_key.into(),
            security_token: None,
            domain_id: None,
        }))
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
        let env = Env::new(NAME);
        let asked = auth::from_environment(&|name| env.optional(name));
        ClientBuilder::given(asked)?.endpoint_of(&env)
    }

    /// A client with the first access key that is found where Huawei's own SDKs look for one:
    ///
    /// 1. the environment, as [`from_env`](Self::from_env) reads it
    /// 2. the profile file that `HUAWEICLOUD_SDK_CREDENTIALS_FILE` names, or else
    ///    `~/.huaweicloud/credentials`, as [`builder_from_profile`](Self::builder_from_profile) reads it
    /// 3. the metadata service, as [`builder_from_metadata`](Self::builder_from_metadata) uses it
    ///
    /// A place that has no key is passed over. One that has half a key, or can not be read, is an error
    /// here; the vendor's SDKs go on, and may come to list another organization than was meant. Federated
    /// identities (OIDC) and the pod identity of containers, which those SDKs know too, are not supported.
    ///
    /// The endpoint is that of the environment, if it has one.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) naming the place that can not be used, and those
    /// before it. That no place has a key shows only when a request is made: its error then names them all.
    pub fn from_default_chain() -> Result<Self> {
        Self::builder_from_default_chain()?.build()
    }

    /// The same as a builder, for setting the rest. The file is read now; the metadata service is not asked
    /// before a request is made.
    ///
    /// # Errors
    /// As [`from_default_chain`](Self::from_default_chain).
    pub fn builder_from_default_chain() -> Result<ClientBuilder> {
        let env = Env::new(NAME);
        let origin = auth::default_chain(&|name| env.optional(name), home().as_deref());
        ClientBuilder::new(env.context(origin)?).endpoint_of(&env)
    }

    /// A client with the access key in a profile file, such as `~/.huaweicloud/credentials`:
    ///
    /// ```ini
    /// [global]
    /// ak = …
    /// sk = …
    /// security_token = …
    /// domain_id = …
    /// ```
    ///
    /// The last two may be missing. A section `[globalcredentials]` is taken for `[global]`; if neither has
    /// a key, that of `[basic]` is used.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the file can not be read or has no key. Its lines
    /// are told by their numbers, never quoted.
    pub fn builder_from_profile(path: impl AsRef<Path>) -> Result<ClientBuilder> {
        let path = path.as_ref();
        let asked = auth::named_profile(path);
        let asked = asked.map_err(|error| error.message().to_owned());
        ClientBuilder::given(match asked {
            Ok(Lookup::Missing(why)) | Err(why) => Err(Error::config(format!("{}: {why}", path.display()))),
            Ok(has) => Ok(has),
        })
    }

    /// A client with temporary keys of the agency that this elastic cloud server (ECS) runs under.
    ///
    /// Its metadata service is asked with the first request, and again when the key has less than 40 minutes
    /// left, or half its life if that is less. As long as the old key lives, a service that does not answer
    /// does no harm. If there is no key, requests fail with [`ErrorKind::Auth`](crate::ErrorKind::Auth).
    ///
    /// The service is asked at `http://169.254.169.254`, an address on the machine's own link, by connections
    /// of its own: neither a proxy nor an [`http_client`](ClientBuilder::http_client) or
    /// [`transport`](ClientBuilder::transport) of yours is used. It has 3 seconds for each answer.
    ///
    /// When Organizations answers 401, no other key is asked for: that the service would give the same one
    /// again is an assumption.
    pub fn builder_from_metadata() -> ClientBuilder {
        ClientBuilder::new(Origin::Metadata(CredentialChain::default()))
    }

    /// Sends a call whose making has checked it, and reads the answer.
    pub(super) async fn send<T>(
        &self,
        call: Result<ApiRequest>,
        read: impl Fn(&ApiResponse) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        self.0.api.send(&self.0.signer, call, read).await.map_err(error::passing)
    }

    /// Attaches the provider to an error that was made before or after a request.
    pub(super) fn context<T>(&self, result: Result<T>) -> Result<T> {
        self.0.api.context(result)
    }

    /// The identity of the list whose first request is `first`.
    pub(super) fn listing_id(&self, first: &Result<ApiRequest>) -> ListingId {
        // Whose accounts are listed, as far as is known before asking.
        let tenant = match &self.0.signer.keys {
            Keys::Given(key) => key.domain_id.as_deref().unwrap_or(&key.access_key),
            Keys::Metadata(_) => "metadata",
        };
        self.0.api.listing_id(tenant, first, &[])
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let access_key = match &self.0.signer.keys {
            Keys::Given(key) => &key.access_key,
            Keys::Metadata(_) => "of the metadata service",
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
    source: Source,
}

impl ClientBuilder {
    fn new(origin: Origin) -> Self {
        Self { options: ClientOptions::new(ENDPOINT), source: Source::new(origin) }
    }

    /// With the key that a source has to have.
    fn given(asked: Result<Lookup<Credentials>>) -> Result<Self> {
        let env = Env::new(NAME);
        match env.context(asked)? {
            Lookup::Found(credentials) => Ok(Self::new(Origin::Given(credentials))),
            Lookup::Missing(why) => Err(env.error(why)),
        }
    }

    fn endpoint_of(self, env: &Env) -> Result<Self> {
        Ok(match env.optional(ENDPOINT_VARIABLE)? {
            Some(endpoints) => self.base_url(endpoints.split(',').next().unwrap_or_default()),
            None => self,
        })
    }

    /// The token of a temporary access key.
    pub fn security_token(mut self, token: impl Into<SecretString>) -> Self {
        self.source.security_token = Some(token.into());
        self
    }

    /// The account that the key belongs to, sent as `X-Domain-Id`.
    ///
    /// Checkpoints are bound to it; without it, to the access key, which is another for each temporary key.
    ///
    /// The signing guide wants it for global services, the Organizations reference does not mention it:
    /// it is assumed not to be needed.
    pub fn domain_id(mut self, id: impl Into<String>) -> Self {
        self.source.domain_id = Some(id.into());
        self
    }

    /// Another endpoint, with or without a path prefix. No endpoint in Europe is documented.
    #[doc(alias = "endpoint")]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.options.base_url = url.into();
        self
    }

    /// Another address of the metadata service, if that is where the key comes from: for tests, or for
    /// something that stands in for it. `http` is taken on loopback and link-local addresses only.
    pub fn metadata_endpoint(mut self, url: impl Into<String>) -> Self {
        self.source.metadata_endpoint = url.into();
        self
    }

    client_options!();

    /// Builds the client. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the endpoint, a credential or a setting can
    /// not be used.
    pub fn build(self) -> Result<Client> {
        let api = ApiClient::new(NAME, &self.options)?;
        let keys = api.context(self.source.open(&self.options))?;
        let signer = Signer { keys, clock: api.clock().clone() };
        Ok(Client(Arc::new(Inner { api, signer })))
    }
}
