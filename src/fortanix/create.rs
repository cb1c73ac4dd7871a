use http::Method;
use serde_json::{Map, Value};

use super::{
    Account, AuthenticationConfig, Client, Component, Logo, NodeEnrollment, auth_config_body::Writer,
};
use crate::{
    Error, Result,
    http::{Call, read_object},
};

pub(super) const PATH: &str = "/v1/accounts";

/// `POST /v1/accounts`: makes an account.
///
/// Permission: any user who is logged in. The user becomes a member of the account, presumably its manager.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retry::Uncertain`](crate::Retry::Uncertain) list the
/// accounts and look for the name: it is unique. To send it again is safe too, and fails if it was made.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the name is empty or a configuration is not whole; nothing is sent
/// then. The provider documents no failures of its own; a name that is taken is presumably
/// [`Api`](crate::ErrorKind::Api) with status 400.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct CreateAccount {
    client: Client,
    name: String,
    custom_logo: Option<Logo>,
    auth_configs: Vec<AuthenticationConfig>,
    node_enrollment: Option<NodeEnrollment>,
    component: Option<Component>,
}

impl CreateAccount {
    pub(super) fn new(client: Client, name: String) -> Self {
        Self {
            client,
            name,
            custom_logo: None,
            auth_configs: Vec::new(),
            node_enrollment: None,
            component: None,
        }
    }

    /// Its logo.
    pub fn custom_logo(mut self, logo: Logo) -> Self {
        self.custom_logo = Some(logo);
        self
    }

    /// One way for its users to log in; call it again for further ones. The server gives each an id.
    pub fn auth_config(mut self, config: impl Into<AuthenticationConfig>) -> Self {
        self.auth_configs.push(config.into());
        self
    }

    /// How its nodes enroll.
    pub fn node_enrollment(mut self, enrollment: NodeEnrollment) -> Self {
        self.node_enrollment = Some(enrollment);
        self
    }

    /// What it is for.
    pub fn component(mut self, component: Component) -> Self {
        self.component = Some(component);
        self
    }

    /// Makes the account, and gives it as the server tells it.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<Account> {
        self.client.send(self.call(), |answer| read_object(answer, "the account that was made")).await
    }

    fn call(&self) -> Result<Call> {
        if self.name.trim().is_empty() {
            return Err(Error::config("the account's name is empty; expected a name"));
        }
        let mut body: Map<String, Value> = Map::new();
        let mut secrets = Vec::new();
        let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
        set("name", self.name.as_str().into());
        if let Some(logo) = &self.custom_logo {
            set("custom_logo", logo.base64().into());
        }
        if !self.auth_configs.is_empty() {
            let configs = self.auth_configs.iter().enumerate();
            let configs: Result<Vec<_>> = configs
                .map(|(at, config)| Writer::at(format!("auth_configs[{at}]"), &mut secrets).config(config))
                .collect();
            set("auth_configs", configs?.into());
        }
        if let Some(enrollment) = &self.node_enrollment {
            let enrollment = Writer::at("node_enrollment", &mut secrets).node_enrollment(enrollment)?;
            set("node_enrollment", enrollment);
        }
        if let Some(component) = &self.component {
            set("component", component.as_str().into());
        }
        let mut call = Call::change(Method::POST, PATH).json(&body)?;
        call.secrets = secrets;
        Ok(call)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use serde_json::json;

    use super::*;
    use crate::fortanix::{
        AuthConfigOauth, AuthConfigPassword, AuthConfigRef, CaConfig, CaSet, IdentityProvider, TlsConfig,
        TlsConfigRequired,
    };

    fn request(name: &str) -> CreateAccount {
        let builder = Client::builder().base_url("http://127.0.0.1:9").token("token");
        builder.build().unwrap().create_account(name)
    }

    fn body(request: &CreateAccount) -> Value {
        serde_json::from_slice(&request.call().unwrap().body).unwrap()
    }

    fn oauth(tls: impl Into<TlsConfig>) -> AuthConfigOauth {
        let idp = IdentityProvider {
            name: "Idp".into(),
            icon_url: "https://i/icon".into(),
            authorization_endpoint: "https://i/authorize".into(),
            token_endpoint: "https://i/token".into(),
            requires_basic_auth: false,
        };
        AuthConfigOauth::new(idp, tls.into(), "client", "hunter2 \"secret\"")
    }

    #[test]
    fn only_what_is_set_is_sent() {
        assert_eq!(body(&request("Acme")), json!({"name": "Acme"}));
        let logo = Logo::new(b"\x89PNG\r\n\x1a\n").unwrap();
        let whole = request("A\"b")
            .custom_logo(logo)
            .auth_config(AuthConfigPassword::new(true, false))
            .auth_config(AuthConfigRef::new("target"))
            .node_enrollment(NodeEnrollment::new(true))
            .component(Component::ConfidentialAi);
        let expected = json!({
            "name": "A\"b",
            "custom_logo": "iVBORw0KGgo=",
            "auth_configs": [
                {"password": {"require_2fa": true, "administrators_only": false}},
                {"cluster_auth_ref": {"target_id": "target"}},
            ],
            "node_enrollment": {"attestation_enforcement_disabled_insecure": true},
            "component": "CONFIDENTIAL_AI",
        });
        assert_eq!(body(&whole), expected);
    }

    #[test]
    fn an_identity_provider_is_sent_with_each_kind_of_tls() {
        let required = |ca: CaConfig| TlsConfigRequired::new(true, ca);
        for (tls, expected) in [
            (TlsConfig::disabled(), json!({"disabled": {}})),
            (TlsConfig::opportunistic(), json!({"opportunistic": {}})),
            (
                required(CaSet::GlobalRoots.into()).into(),
                json!({"required": {"validate_hostname": true, "ca": {"ca_set": "GLOBAL_ROOTS"}}}),
            ),
            (
                required(CaConfig::pinned([b"one".as_slice(), b"two!"])).client("cert", "the key").into(),
                json!({"required": {"validate_hostname": true, "client_cert": "Y2VydA==",
                    "client_key": "dGhlIGtleQ==", "ca": {"pinned": ["b25l", "dHdvIQ=="]}}}),
            ),
        ] {
            let request = request("Acme").auth_config(oauth(tls).userinfo_endpoint("https://i/user"));
            let expected = json!({
                "idp_name": "Idp",
                "idp_icon_url": "https://i/icon",
                "idp_authorization_endpoint": "https://i/authorize",
                "idp_token_endpoint": "https://i/token",
                "idp_requires_basic_auth": false,
                "idp_userinfo_endpoint": "https://i/user",
                "tls": expected,
                "client_id": "client",
                "client_secret": "hunter2 \"secret\"",
            });
            assert_eq!(body(&request)["auth_configs"], json!([{"oauth": expected}]));
        }
    }

    #[test]
    fn the_secrets_of_a_body_are_known_as_such() {
        let tls = TlsConfigRequired::new(false, CaSet::GlobalRoots).client("cert", "the key");
        let call = request("Acme").auth_config(oauth(tls)).call().unwrap();
        let secrets: Vec<_> = call.secrets.iter().map(ExposeSecret::expose_secret).collect();
        assert_eq!(secrets, ["dGhlIGtleQ==", "hunter2 \"secret\""]);
    }
}
