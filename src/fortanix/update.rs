use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use secrecy::SecretString;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    Account, AccountStatus, AuthenticationConfig, Client, Logo, PcrPriority, auth_config_body::Writer,
    create::PATH,
};
use crate::{
    Error, Result,
    http::{Call, read_object},
};

/// `PATCH /v1/accounts/{account-id}`: changes an account. What is not set stays as it is, which the reference
/// implies but does not state; how a logo is taken away it does not say.
///
/// Permission: the user must be the account's manager.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retry::Uncertain`](crate::Retry::Uncertain)
/// [get](Client::get_account) the account and look: to send it again adds configurations twice.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if nothing is set, the name is empty, a configuration is not whole, or
/// one is both changed and removed; nothing is sent then. The provider documents no failures of its own.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct UpdateAccount {
    client: Client,
    id: Uuid,
    name: Option<String>,
    custom_logo: Option<Logo>,
    add_auth_configs: Vec<AuthenticationConfig>,
    mod_auth_configs: BTreeMap<String, AuthenticationConfig>,
    del_auth_configs: BTreeSet<String>,
    enabled: Option<bool>,
    default_group_id: Option<Uuid>,
    marketplace_group_id: Option<Uuid>,
    account_status: Option<AccountStatus>,
    azure_cvm_pcr_priority: Option<PcrPriority>,
}

impl UpdateAccount {
    pub(super) fn new(client: Client, id: Uuid) -> Self {
        Self {
            client,
            id,
            name: None,
            custom_logo: None,
            add_auth_configs: Vec::new(),
            mod_auth_configs: BTreeMap::new(),
            del_auth_configs: BTreeSet::new(),
            enabled: None,
            default_group_id: None,
            marketplace_group_id: None,
            account_status: None,
            azure_cvm_pcr_priority: None,
        }
    }

    /// Another name, unique within the instance.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Another logo.
    pub fn custom_logo(mut self, logo: Logo) -> Self {
        self.custom_logo = Some(logo);
        self
    }

    /// A further way for its users to log in; call it again for more. The server gives each an id.
    pub fn add_auth_config(mut self, config: impl Into<AuthenticationConfig>) -> Self {
        self.add_auth_configs.push(config.into());
        self
    }

    /// Replaces the configuration with this id, a key of [`Account::auth_configs`]; call it again for others.
    pub fn mod_auth_config(mut self, id: impl Into<String>, config: impl Into<AuthenticationConfig>) -> Self {
        self.mod_auth_configs.insert(id.into(), config.into());
        self
    }

    /// Removes the configuration with this id, a UUID and key of [`Account::auth_configs`]; call it again for
    /// others.
    pub fn del_auth_config(mut self, id: impl Into<String>) -> Self {
        self.del_auth_configs.insert(id.into());
        self
    }

    /// Whether it is enabled. How that differs from its [status](Self::account_status) is not documented.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = Some(enabled);
        self
    }

    /// The group that new objects go to.
    pub fn default_group_id(mut self, id: Uuid) -> Self {
        self.default_group_id = Some(id);
        self
    }

    /// The group of objects from the marketplace.
    pub fn marketplace_group_id(mut self, id: Uuid) -> Self {
        self.marketplace_group_id = Some(id);
        self
    }

    /// The account's own state.
    pub fn account_status(mut self, status: AccountStatus) -> Self {
        self.account_status = Some(status);
        self
    }

    /// In which order the registers of Azure's confidential machines count.
    pub fn azure_cvm_pcr_priority(mut self, priority: PcrPriority) -> Self {
        self.azure_cvm_pcr_priority = Some(priority);
        self
    }

    /// Changes the account, and gives it as it is then.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<Account> {
        self.client.send(self.call(), |answer| read_object(answer, "the account that was changed")).await
    }

    fn call(&self) -> Result<Call> {
        let mut secrets = Vec::new();
        let mut body = self.auth_configs(&mut secrets)?;
        let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
        if let Some(name) = &self.name {
            if name.trim().is_empty() {
                return Err(Error::config("the account's name is empty; expected a name"));
            }
            set("name", name.as_str().into());
        }
        if let Some(logo) = &self.custom_logo {
            set("custom_logo", logo.base64().into());
        }
        if let Some(enabled) = self.enabled {
            set("enabled", enabled.into());
        }
        if let Some(id) = self.default_group_id {
            set("default_group_id", id.to_string().into());
        }
        if let Some(id) = self.marketplace_group_id {
            set("marketplace_group_id", id.to_string().into());
        }
        if let Some(status) = &self.account_status {
            set("account_status", status.as_str().into());
        }
        if let Some(priority) = &self.azure_cvm_pcr_priority {
            set("azure_cvm_pcr_priority", priority.as_slice().into());
        }
        if body.is_empty() {
            return Err(Error::config("nothing is to be changed; expected at least one change"));
        }
        let mut call = Call::change(Method::PATCH, format!("{PATH}/{}", self.id)).json(&body)?;
        call.secrets = secrets;
        Ok(call)
    }

    /// The members about configurations.
    fn auth_configs(&self, secrets: &mut Vec<SecretString>) -> Result<Map<String, Value>> {
        let mut body = Map::new();
        let mut added = Vec::new();
        for (at, config) in self.add_auth_configs.iter().enumerate() {
            added.push(Writer::at(format!("add_auth_configs[{at}]"), secrets).config(config)?);
        }
        let mut changed = Map::new();
        for (id, config) in &self.mod_auth_configs {
            if id.is_empty() {
                return Err(Error::config(
                    "an id in mod_auth_configs is empty; expected a configuration's id",
                ));
            }
            let config = Writer::at(format!("mod_auth_configs.{id}"), secrets).config(config)?;
            changed.insert(id.clone(), config);
        }
        let mut removed = BTreeSet::new();
        for id in &self.del_auth_configs {
            let Ok(uuid) = Uuid::parse_str(id) else {
                let message =
                    format!("{id:?} in del_auth_configs is no id of a configuration; expected a UUID");
                return Err(Error::config(message));
            };
            // However either is spelled.
            if changed.keys().any(|changed| Uuid::parse_str(changed) == Ok(uuid)) {
                let message =
                    format!("the configuration {id} is both changed and removed; expected one of them");
                return Err(Error::config(message));
            }
            removed.insert(uuid.to_string());
        }
        if !added.is_empty() {
            body.insert("add_auth_configs".to_owned(), added.into());
        }
        if !changed.is_empty() {
            body.insert("mod_auth_configs".to_owned(), changed.into());
        }
        if !removed.is_empty() {
            body.insert("del_auth_configs".to_owned(), removed.into_iter().collect());
        }
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fortanix::AuthConfigPassword;

    #[test]
    fn every_change_is_sent_under_its_name() {
        let client = Client::builder().base_url("http://127.0.0.1:9").token("token").build().unwrap();
        let order: Vec<i64> = (0..23).rev().collect();
        let id = "9f0c0000-0000-4000-8000-000000000001";
        let request = client
            .update_account(Uuid::nil())
            .name("Acme")
            .custom_logo(Logo::new("<svg/>").unwrap())
            .add_auth_config(AuthConfigPassword::new(false, true))
            .mod_auth_config("any id", AuthConfigPassword::new(true, true))
            .del_auth_config(id)
            .del_auth_config(format!("urn:uuid:{}", id.to_uppercase()))
            .enabled(false)
            .default_group_id(Uuid::max())
            .marketplace_group_id(Uuid::nil())
            .account_status(AccountStatus::Deactivated)
            .azure_cvm_pcr_priority(PcrPriority::new(&order).unwrap());
        let call = request.call().unwrap();
        assert_eq!(call.method, Method::PATCH);
        assert_eq!(call.path, "/v1/accounts/00000000-0000-0000-0000-000000000000");
        assert!(!call.repeatable);
        let expected = json!({
            "name": "Acme",
            "custom_logo": "PHN2Zy8+",
            "add_auth_configs": [{"password": {"require_2fa": false, "administrators_only": true}}],
            "mod_auth_configs": {"any id": {"password": {"require_2fa": true, "administrators_only": true}}},
            "del_auth_configs": [id],
            "enabled": false,
            "default_group_id": "ffffffff-ffff-ffff-ffff-ffffffffffff",
            "marketplace_group_id": "00000000-0000-0000-0000-000000000000",
            "account_status": "Deactivated",
            "azure_cvm_pcr_priority": order,
        });
        assert_eq!(serde_json::from_slice::<Value>(&call.body).unwrap(), expected);
        let one = client.update_account(Uuid::nil()).enabled(true).call().unwrap();
        assert_eq!(&one.body[..], br#"{"enabled":true}"#);
    }
}
