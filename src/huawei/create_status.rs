use serde::Deserialize;

use super::{Client, path};
use crate::{
    Record, Result, Timestamp,
    http::{Answer, Call, read_object},
    open_enum::open_enum,
    record::keeps_record,
};

/// How far the creation of an account has come: `CreateAccountStatusDto` of the reference.
///
/// Only `id` is certain to be there.
#[derive(Clone, Debug, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct CreateAccountStatus {
    /// The id of the request to create an account: what [`Client::wait_for_account`] takes.
    #[serde(deserialize_with = "crate::record::id")]
    pub id: String,
    /// How far it has come.
    pub state: Option<CreateAccountState>,
    /// The id of the new account, once there is one.
    pub account_id: Option<String>,
    /// The name asked for.
    pub account_name: Option<String>,
    /// When the request was made.
    pub created_at: Option<Timestamp>,
    /// When it was completed.
    pub completed_at: Option<Timestamp>,
    /// Why it failed. Which reasons there are is not documented.
    pub failure_reason: Option<String>,
    /// Why it failed, in detail.
    pub failure_detail_msg: Option<FailureDetail>,
    #[serde(skip, default = "Record::none")]
    record: Record,
}

keeps_record!(CreateAccountStatus, id = "id", secret = &[]);

open_enum! {
    /// How far the creation of an account has come.
    pub enum CreateAccountState {
        /// Under way.
        InProgress = "in_progress",
        /// Done: the account is there.
        Succeeded = "succeeded",
        /// Given up: there is no account.
        Failed = "failed",
    }
}

/// Why the creation of an account failed, as the service behind it has said.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct FailureDetail {
    /// Its error.
    pub error_msg: Option<String>,
    /// What a policy has denied, in a form that only the provider can decode.
    pub encoded_authorization_message: Option<String>,
}

impl Client {
    /// How far the creation of an account has come, by the id that [`create_account`](Self::create_account)
    /// answers with.
    ///
    /// For the management account and delegated administrators; IAM action
    /// `organizations:createAccountStatuses:get`.
    #[doc(alias = "get_create_account_status")]
    pub fn show_create_account_status(&self, id: impl Into<String>) -> ShowCreateAccountStatus {
        ShowCreateAccountStatus { client: self.clone(), id: id.into() }
    }
}

/// `GET /v1/organizations/create-account-status/{create_account_status_id}`: the state of one creation.
/// It reads, and is retried.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id can not stand in a path;
/// [`NotFound`](crate::ErrorKind::NotFound) if there is no such creation (the code is not documented);
/// [`Denied`](crate::ErrorKind::Denied) as in every list.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct ShowCreateAccountStatus {
    client: Client,
    id: String,
}

impl ShowCreateAccountStatus {
    /// Sends the request. A creation that failed is no error here: its state says so.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<CreateAccountStatus> {
        self.client.send(self.call(), read).await
    }

    fn call(&self) -> Result<Call> {
        Ok(Call::get(path::creation(&self.id)?))
    }
}

#[derive(Deserialize)]
struct Envelope {
    create_account_status: CreateAccountStatus,
}

pub(super) fn read(answer: &Answer) -> Result<CreateAccountStatus> {
    let envelope: Envelope = read_object(answer, "an object with create_account_status")?;
    Ok(envelope.create_account_status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_read_and_only_the_id_is_needed() {
        let json = r#"{
            "id": "car-awjp43m7bz3b8jgy5v61jrfwakt3og8w", "state": "FAILED", "account_id": null,
            "account_name": "paas_iam_573331", "created_at": "2022-08-24T06:41:15Z",
            "completed_at": "2022-08-24T06:42:15Z", "failure_reason": "string",
            "failure_detail_msg": {"error_msg": "IAM.0001", "encoded_authorization_message": "e30="}
        }"#;
        let status: CreateAccountStatus = serde_json::from_str(json).unwrap();
        assert_eq!(status.id, "car-awjp43m7bz3b8jgy5v61jrfwakt3og8w");
        assert_eq!(status.state, Some(CreateAccountState::Failed));
        assert_eq!(
            (status.account_id.as_deref(), status.account_name.as_deref()),
            (None, Some("paas_iam_573331"))
        );
        let seconds = |date: &Option<Timestamp>| date.as_ref().unwrap().utc().unwrap().timestamp();
        assert_eq!(seconds(&status.completed_at) - seconds(&status.created_at), 60);
        assert_eq!(status.failure_reason.as_deref(), Some("string"));
        let detail = status.failure_detail_msg.as_ref().unwrap();
        assert_eq!(detail.error_msg.as_deref(), Some("IAM.0001"));
        assert_eq!(detail.encoded_authorization_message.as_deref(), Some("e30="));
        assert_eq!(status.raw().get(), json);
        assert!(serde_json::from_str::<CreateAccountStatus>(r#"{"id":"car-1"}"#).is_ok());
        assert!(serde_json::from_str::<CreateAccountStatus>(r#"{"state":"succeeded"}"#).is_err());
    }
}
