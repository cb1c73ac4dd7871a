use http::Method;
use serde_json::{Map, Value};

use super::{
    Account, AuthenticationConfig, Client, Component, Logo, NodeEnrollment, auth_config_body::Writer,
};
use crate::{
    Error, Result,
    http::{Call, read_json},
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
    pub async fn send(&self) -> Result<Account> {
        self.client.send(self.call(), |answer| read_json(answer, "the account that was made")).await
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
