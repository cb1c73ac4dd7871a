use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Client, login::Proof};
use crate::{
    Result,
    http::{Answer, Call, read_object},
};

/// One way to log in. Exactly one member is expected to be there; none is where the way is not known to this
/// version.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct AuthMethod {
    /// With e-mail address and password; an empty object.
    pub password: Option<Map<String, Value>>,
    /// At an identity provider, which gives a code.
    pub oauth_code_grant: Option<OauthAuthCodeGrant>,
}

/// Where and how to obtain an authorization code, for
/// [`ClientBuilder::oauth_code`](super::ClientBuilder::oauth_code).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct OauthAuthCodeGrant {
    /// The identity provider's name.
    pub name: Option<String>,
    /// Its icon.
    pub icon_url: Option<String>,
    /// Where the user's browser is to go.
    pub authorization_url: Option<String>,
    /// The client's id at the identity provider.
    pub client_id: Option<String>,
    /// Where the browser is sent with the code.
    pub redirect_uri: Option<String>,
    /// What the identity provider is to give back along with the code.
    pub state: Option<String>,
    /// The identity provider's id, in base64: for [`OauthCode::new`](super::OauthCode::new).
    pub idp_id: Option<String>,
    /// The cluster's id of the identity provider.
    pub cluster_idp_id: Option<String>,
}

/// `POST /v1/sys/auth/discover`: the ways in which a user can log in.
///
/// Permission: none; no credential is sent, whatever the client has. What the server tells without an e-mail
/// address is not documented. Retried like every read.
///
/// # Errors
/// Those of every request; the provider documents none of its own.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct DiscoverAuthMethods {
    client: Client,
    user_email: Option<String>,
    acct_id: Option<Uuid>,
}

#[derive(Deserialize)]
struct Envelope {
    auth_methods: Vec<AuthMethod>,
}

impl DiscoverAuthMethods {
    pub(super) fn new(client: Client) -> Self {
        Self { client, user_email: None, acct_id: None }
    }

    /// The user's e-mail address.
    pub fn user_email(mut self, email: impl Into<String>) -> Self {
        self.user_email = Some(email.into());
        self
    }

    /// The account to log in to.
    pub fn acct_id(mut self, id: Uuid) -> Self {
        self.acct_id = Some(id);
        self
    }

    /// Asks for the ways to log in.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<Vec<AuthMethod>> {
        let secrets = self.client.session().known().await;
        let call = self.call().map(|call| Call { secrets, ..call });
        self.client.channel().send(&Proof::Nothing, call, read).await
    }

    fn call(&self) -> Result<Call> {
        let mut body: Map<String, Value> = Map::new();
        if let Some(email) = &self.user_email {
            body.insert("user_email".to_owned(), email.as_str().into());
        }
        let call = Call::change(Method::POST, "/v1/sys/auth/discover").repeatable();
        call.query("acct_id", self.acct_id).json(&body)
    }
}

fn read(answer: &Answer) -> Result<Vec<AuthMethod>> {
    read_object::<Envelope>(answer, "an object with auth_methods").map(|body| body.auth_methods)
}
