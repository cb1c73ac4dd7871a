use http::Method;
use serde::Serialize;

use super::{Account, Client, account, path};
use crate::{Error, Result, http::Call};

impl Client {
    /// Changes what is told of an account. Only its description can be changed.
    ///
    /// For the management account only; IAM action `organizations:accounts:update`.
    pub fn update_account(&self, id: impl Into<String>) -> UpdateAccount {
        UpdateAccount { client: self.clone(), id: id.into(), description: None }
    }
}

/// `PATCH /v1/organizations/accounts/{account_id}`: changes an account's description.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retry::Uncertain`](crate::Retry::Uncertain) it can be
/// sent again: the description is then as asked for, unless someone else has changed it meanwhile.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if no description is given (the provider would do nothing, and say
/// that all is well), or if the id can not stand in a path; [`NotFound`](crate::ErrorKind::NotFound) if there
/// is no such account (the code is not documented); [`Denied`](crate::ErrorKind::Denied) if the key does not
/// belong to the management account (`Organizations.1001`).
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct UpdateAccount {
    client: Client,
    id: String,
    description: Option<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    description: &'a str,
}

impl UpdateAccount {
    /// The new description; an empty one clears it.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// Sends the request, and gives the account as it is then.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<Account> {
        self.client.send(self.call(), account::read).await
    }

    fn call(&self) -> Result<Call> {
        let Some(description) = &self.description else {
            return Err(Error::config(
                "nothing is to be changed; expected a description, which may be empty",
            ));
        };
        Call::change(Method::PATCH, path::account(&self.id, "")?).json(&Body { description })
    }
}
