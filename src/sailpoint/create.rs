use std::fmt;

use http::Method;
use serde_json::{Map, Value};

use super::{
    Client, TaskId,
    attributes::{Body, check_name, texts},
    task,
    version::Root,
};
use crate::{
    Error, Result,
    http::{Call, segment},
};

const SOURCE_ID: &str = "sourceId";

/// `POST …/accounts`: makes an account on a source.
///
/// It is made in the tenant, not on the source system. That suits sources of delimited files; on a connected
/// source the account has to exist there too, or the next aggregation removes it here.
///
/// **If the attributes name an account that is there already, that one is changed.** By which of them it is
/// recognised is not documented; presumably by the one that the source's schema has for the account's id.
///
/// Permission: the scope `idn:accounts:manage`, and a user level of `ORG_ADMIN`, `SOURCE_ADMIN` or
/// `SOURCE_SUBADMIN`.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retry::Uncertain`](crate::Retry::Uncertain), look for
/// the account with [`list_accounts`](Client::list_accounts), filtered by source and native identity, some
/// time later: it is made by a task.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the source's id or an attribute's name can not be one, or there
/// are no attributes; [`Api`](crate::ErrorKind::Api) with status 400 if the provider refuses them;
/// [`Denied`](crate::ErrorKind::Denied) without the permission. Errors do not quote the attributes,
/// unless they have fewer than four characters.
#[derive(Clone)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct CreateAccount {
    client: Client,
    source_id: String,
    attributes: Map<String, Value>,
}

impl CreateAccount {
    pub(super) fn new(client: Client, source_id: String) -> Self {
        Self { client, source_id, attributes: Map::new() }
    }

    /// An attribute of the source's schema, in place of any of the same name given before. The provider takes
    /// text only.
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.insert(name.into(), Value::String(value.into()));
        self
    }

    /// Several attributes.
    pub fn attributes<N: Into<String>, V: Into<String>>(
        self,
        attributes: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        attributes.into_iter().fold(self, |this, (name, value)| this.attribute(name, value))
    }

    /// Has the account made; the task that does it.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<TaskId> {
        self.client.send(self.call(), task::read).await
    }

    fn call(&self) -> Result<Call> {
        segment("source id", &self.source_id)?;
        if self.attributes.is_empty() {
            return Err(Error::config(
                "the account has no attributes; expected those of the source's schema",
            ));
        }
        for name in self.attributes.keys() {
            check_name(name)?;
            if name == SOURCE_ID {
                let message = "the attribute sourceId is taken by the source that create_account() was given";
                return Err(Error::config(message));
            }
        }
        let mut attributes = self.attributes.clone();
        attributes.insert(SOURCE_ID.to_owned(), Value::String(self.source_id.clone()));
        let path = self.client.api_version().path_to(Root::Accounts, &[]);
        let mut call = Call::change(Method::POST, path).json(&Body { attributes: &attributes })?;
        call.secrets = texts(self.attributes.values());
        Ok(call)
    }
}

impl fmt::Debug for CreateAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateAccount")
            .field("client", &self.client)
            .field("source_id", &self.source_id)
            .field("attributes", &self.attributes.keys().collect::<Vec<_>>())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_id_with_blanks_or_none_is_no_id() {
        let client = Client::builder("https://tenant.example").token("token").build().unwrap();
        let call = |id: &str| client.create_account(id).attribute("name", "a").call();
        for (id, why) in [("", "is empty"), (" abc ", "holds blanks"), ("abc\n", "holds blanks")] {
            let error = call(id).err().unwrap();
            assert_eq!(error.kind(), crate::ErrorKind::Config, "{id:?}");
            assert!(error.message().starts_with(&format!("source id {why}")), "{error}");
        }
        let body = call("abc").unwrap().body;
        assert_eq!(body, r#"{"attributes":{"name":"a","sourceId":"abc"}}"#);
    }
}
