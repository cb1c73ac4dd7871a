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

/// `PUT …/accounts/{id}`: writes the attributes of an account on a source of delimited files.
///
/// Other sources are refused by the provider. What becomes of attributes that are not given is not documented:
/// by the meaning of `PUT` they go, so give all that shall stay. To change single ones, see
/// [`update_account`](Client::update_account).
///
/// Permission: the scope `idn:accounts:manage`, and a user level of `ORG_ADMIN`, `SOURCE_ADMIN` or
/// `SOURCE_SUBADMIN`.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retry::Uncertain`](crate::Retry::Uncertain) it does no
/// harm to send it again, unless somebody else has written meanwhile.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id or an attribute's name can not be one, or there are no
/// attributes; [`Api`](crate::ErrorKind::Api) with status 400 for other sources;
/// [`NotFound`](crate::ErrorKind::NotFound) if there is no such account; [`Denied`](crate::ErrorKind::Denied)
/// without the permission. Errors do not quote the attributes, unless they have fewer
/// than four characters.
#[derive(Clone)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct PutAccount {
    client: Client,
    id: String,
    attributes: Map<String, Value>,
}

impl PutAccount {
    pub(super) fn new(client: Client, id: String, attributes: Map<String, Value>) -> Self {
        Self { client, id, attributes }
    }

    /// Has the attributes written; the task that does it.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<TaskId> {
        self.client.send(self.call(), task::read).await
    }

    fn call(&self) -> Result<Call> {
        let id = segment("account id", &self.id)?;
        if self.attributes.is_empty() {
            let message = "there are no attributes; expected all that the account shall have";
            return Err(Error::config(message));
        }
        self.attributes.keys().try_for_each(|name| check_name(name))?;
        let path = self.client.api_version().path_to(Root::Accounts, &[&id]);
        let mut call = Call::change(Method::PUT, path).json(&Body { attributes: &self.attributes })?;
        call.secrets = texts(self.attributes.values());
        Ok(call)
    }
}

impl fmt::Debug for PutAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PutAccount")
            .field("client", &self.client)
            .field("id", &self.id)
            .field("attributes", &self.attributes.keys().collect::<Vec<_>>())
            .finish()
    }
}
