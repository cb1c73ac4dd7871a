use http::Method;
use serde::Serialize;

use super::{Client, length::check_length, path};
use crate::{
    Result,
    http::{Call, read_nothing},
};

impl Client {
    /// Moves an account from one root (`r-…`) or organizational unit (`ou-…`) to another.
    ///
    /// For the management account only (the reference does not say so for this endpoint); IAM action
    /// `organizations:accounts:move`.
    pub fn move_account(
        &self,
        id: impl Into<String>,
        source_parent_id: impl Into<String>,
        destination_parent_id: impl Into<String>,
    ) -> MoveAccount {
        MoveAccount {
            client: self.clone(),
            id: id.into(),
            source_parent_id: source_parent_id.into(),
            destination_parent_id: destination_parent_id.into(),
        }
    }
}

/// `POST /v1/organizations/accounts/{account_id}/move`: moves an account to another parent.
///
/// The lengths of the parents' ids are those of the API Reference of 2024.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retry::Uncertain`](crate::Retry::Uncertain), ask
/// [`list_entities`](Client::list_entities) with the account as `child_id` where it is now.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if a parent's id does not have 1 to 100 characters, or the account's
/// can not stand in a path; [`NotFound`](crate::ErrorKind::NotFound) or [`Api`](crate::ErrorKind::Api) if
/// there is no such account or parent, or the account is elsewhere (the codes are not documented);
/// [`Denied`](crate::ErrorKind::Denied) if the key does not belong to the management account
/// (`Organizations.1001`).
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct MoveAccount {
    client: Client,
    id: String,
    source_parent_id: String,
    destination_parent_id: String,
}

#[derive(Serialize)]
struct Body<'a> {
    source_parent_id: &'a str,
    destination_parent_id: &'a str,
}

impl MoveAccount {
    /// Sends the request.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<()> {
        self.client.send(self.call(), read_nothing).await
    }

    fn call(&self) -> Result<Call> {
        let (source, destination) = (&self.source_parent_id, &self.destination_parent_id);
        check_length("source_parent_id", source, 1, 100)?;
        check_length("destination_parent_id", destination, 1, 100)?;
        let body = Body { source_parent_id: source, destination_parent_id: destination };
        Call::change(Method::POST, path::account(&self.id, "/move")?).json(&body)
    }
}
