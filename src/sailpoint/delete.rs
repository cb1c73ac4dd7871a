use http::Method;
use serde::Deserialize;

use super::{Client, TaskId, task, version::Root};
use crate::{
    Error, Result,
    http::{Answer, Call, read_object, segment},
};

/// `DELETE …/accounts/{id}`: deletes an account on a source of delimited files, from the tenant only.
///
/// Other sources are refused by the provider. The account comes back with the next aggregation if the source
/// still has it; the provider recommends to [disable](Client::disable_account) it instead.
///
/// Permission: the scope `idn:accounts:manage`, and a user level of `ORG_ADMIN`, `SOURCE_ADMIN` or
/// `SOURCE_SUBADMIN`.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retry::Uncertain`](crate::Retry::Uncertain), see with
/// [`get_account`](Client::get_account) whether the account is there, some time later: a task deletes it.
/// Sending it again before that is done begins a second task, to the same end;
/// [`NotFound`](crate::ErrorKind::NotFound) then says that the account is gone, or that the id was none.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id can not be one, [`Api`](crate::ErrorKind::Api) with status
/// 400 for other sources, [`NotFound`](crate::ErrorKind::NotFound) if there is no such account,
/// [`Denied`](crate::ErrorKind::Denied) without the permission.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct DeleteAccount {
    client: Client,
    id: String,
}

impl DeleteAccount {
    pub(super) fn new(client: Client, id: String) -> Self {
        Self { client, id }
    }

    /// Has the account deleted; the task that does it.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<TaskId> {
        self.client.send(self.call(), task::read).await
    }

    fn call(&self) -> Result<Call> {
        let id = segment("account id", &self.id)?;
        let path = self.client.api_version().path_to(Root::Accounts, &[&id]);
        Ok(Call::change(Method::DELETE, path))
    }
}

/// `POST …/accounts/{id}/remove`: removes an account on any source from the tenant. Nothing is provisioned to
/// the source, and the next aggregation may make the account again.
///
/// It is good for accounts that are gone from their source, or are no longer aggregated, and for having an
/// account processed anew. `v3` has no such call; `v2024` and `v2025` hold it experimental, and the header
/// that this takes is sent.
///
/// Permission: the scope `idn:accounts:manage`, and a user level of `ORG_ADMIN`.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retry::Uncertain`](crate::Retry::Uncertain), see with
/// [`get_account`](Client::get_account) whether the account is there.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id can not be one, or the client speaks `v3`;
/// [`Denied`](crate::ErrorKind::Denied) without the permission; [`Decode`](crate::ErrorKind::Decode) if the answer
/// has neither the id nor the type of a task result. What an unknown id gives is not documented.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct RemoveAccount {
    client: Client,
    id: String,
}

impl RemoveAccount {
    pub(super) fn new(client: Client, id: String) -> Self {
        Self { client, id }
    }

    /// Has the account removed; the task that does it.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<TaskResult> {
        self.client.send(self.call(), TaskResult::read).await
    }

    fn call(&self) -> Result<Call> {
        let id = segment("account id", &self.id)?;
        self.client.api_version().late_post("remove accounts", Root::Accounts, &[&id, "remove"])
    }
}

/// The task that removes an account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct TaskResult {
    /// The task's id. The reference does not promise it.
    pub id: Option<TaskId>,
    /// What sort of object this is: `TASK_RESULT`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// A name; null in the reference's example.
    pub name: Option<String>,
}

impl TaskResult {
    /// Reads a task result. Each member is optional, so that any object would do: it has to look like one.
    fn read(answer: &Answer) -> Result<Self> {
        let result: Self = read_object(answer, "a task result")?;
        if result.id.is_none() && result.kind.is_none() {
            let message = "expected a task result, and an object without id and type came";
            return Err(Error::decode(message).with_status(answer.status.as_u16()));
        }
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};

    use super::*;
    use crate::ErrorKind;

    #[test]
    fn an_object_that_is_no_task_result_is_an_error() {
        let read = |body: &'static str| {
            let (status, headers) = (StatusCode::ACCEPTED, HeaderMap::new());
            TaskResult::read(&Answer { status, headers, body: body.into() })
        };
        let example = read(r#"{"type":"TASK_RESULT","id":"464ae7bf791e49fdb74606a2e4a89635","name":null}"#);
        assert_eq!(example.unwrap().id.unwrap().as_str(), "464ae7bf791e49fdb74606a2e4a89635");
        assert!(read(r#"{"type":"TASK_RESULT"}"#).unwrap().id.is_none());
        assert!(read(r#"{"id":"a"}"#).unwrap().kind.is_none());
        for body in ["{}", r#"{"error":"no"}"#, r#"{"id":null,"type":null,"name":"x"}"#, "[]", ""] {
            let error = read(body).unwrap_err();
            assert_eq!((error.kind(), error.status()), (ErrorKind::Decode, Some(202)), "{body}");
        }
    }
}
