use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Client, path};
use crate::{
    Error, Page, Paginator, Record, Result, Scope, Timestamp,
    http::{Answer, Call, RawRows, Rows, read_object},
    open_enum::open_enum,
    record::keeps_record,
};

/// How far the closure of an account has come: `CloseAccountStatusDto` of the reference.
///
/// Only `account_id` is certain to be there.
#[derive(Clone, Debug, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct CloseAccountStatus {
    /// The id of the account.
    #[serde(deserialize_with = "crate::record::id")]
    pub account_id: String,
    /// How far it has come.
    pub state: Option<CloseAccountState>,
    /// When the closure was asked for.
    pub created_at: Option<Timestamp>,
    /// When its state changed last.
    pub updated_at: Option<Timestamp>,
    /// The id of the organization.
    pub organization_id: Option<String>,
    /// Why it failed. Which reasons there are is not documented.
    pub failure_reason: Option<String>,
    #[serde(skip, default = "Record::none")]
    record: Record,
}

keeps_record!(CloseAccountStatus, id = "account_id", secret = &[]);

open_enum! {
    /// How far the closure of an account has come.
    pub enum CloseAccountState {
        /// Under way.
        PendingClosure = "pending_closure",
        /// Done: the account is closed.
        Suspended = "suspended",
    }
}

impl Client {
    /// The closures of accounts that were asked for, and how far they have come.
    ///
    /// For the management account and delegated administrators; IAM action
    /// `organizations:closeAccountStatuses:list`.
    pub fn list_close_account_statuses(&self) -> ListCloseAccountStatuses {
        ListCloseAccountStatuses { client: self.clone(), states: Vec::new() }
    }
}

/// `GET /v1/organizations/close-account-status`: closures of accounts, all in one answer.
///
/// The endpoint does not page, so this list has one page. That the answer is whole is an assumption: the
/// reference names no most. So is that an empty list is told as `[]`: an answer without it, or with null in
/// its place, is an error and never an end. It is a [`Paginator`] all the same, so that a row that can not be
/// read is told in its place, as in every list.
///
/// # Errors
/// Those of [`ListAccounts`](super::ListAccounts).
#[derive(Clone, Debug)]
#[must_use = "a list does nothing until its stream is polled"]
pub struct ListCloseAccountStatuses {
    client: Client,
    /// Each once and sorted: whatever the order they are given in, the list is the same.
    states: Vec<CloseAccountState>,
}

/// The cursor of a list that has one page: there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnePage {}

impl ListCloseAccountStatuses {
    /// Only closures in this state; with two, in any of them, which is as many as there are. Default: all.
    pub fn state(mut self, state: CloseAccountState) -> Self {
        let place = self.states.binary_search_by(|other| other.as_str().cmp(state.as_str()));
        if let Err(place) = place {
            self.states.insert(place, state);
        }
        self
    }

    fn call(&self) -> Result<Call> {
        if self.states.len() > 2 {
            return Err(Error::config(format!("{} states; expected at most 2", self.states.len())));
        }
        let call = Call::get(path::CLOSURES);
        Ok(self.states.iter().fold(call, |call, state| call.query("states", Some(state))))
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    close_account_statuses: RawRows<'a>,
}

fn read(answer: &Answer) -> Result<Page<CloseAccountStatus, OnePage>> {
    let envelope: Envelope<'_> = read_object(answer, "an object with close_account_statuses")?;
    let id = |status: &CloseAccountStatus| status.account_id.clone();
    Ok(Rows::decode(&envelope.close_account_statuses, id)?.into_page(None))
}

impl Paginator for ListCloseAccountStatuses {
    type Item = CloseAccountStatus;
    type Cursor = OnePage;

    fn scope(&self) -> Scope {
        let states: Vec<_> = self.states.iter().map(CloseAccountState::as_str).collect();
        self.client.scope(path::CLOSURES, [("states", states.join(",").as_str())])
    }

    async fn fetch(&self, _: Option<&OnePage>) -> Result<Page<CloseAccountStatus, OnePage>> {
        self.client.send(self.call(), read).await
    }

    /// The account and the time: after a failure, the same account may have been asked to be closed again.
    fn item_id<'a>(&self, status: &'a CloseAccountStatus) -> Option<Cow<'a, str>> {
        Some(match &status.created_at {
            Some(at) => Cow::Owned(format!("{} {at}", status.account_id)),
            None => Cow::Borrowed(&status.account_id),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_references_example_decodes_to_every_field() {
        let json = r#"{"account_id":"0a6d25d23900d45c0faac010e0fb4de0","updated_at":"2022-08-24T06:41:15Z",
            "created_at":"2022-08-24T06:41:15Z","organization_id":"o-fhkmi6mek7wlqdp6nideqhb47qwtjdsv",
            "state":"pending_closure","failure_reason":"string"}"#;
        let status: CloseAccountStatus = serde_json::from_str(json).unwrap();
        assert_eq!(status.account_id, "0a6d25d23900d45c0faac010e0fb4de0");
        assert_eq!(status.state, Some(CloseAccountState::PendingClosure));
        assert_eq!(status.created_at, status.updated_at);
        assert!(status.created_at.as_ref().is_some_and(|date| date.utc().is_some()));
        assert_eq!(status.organization_id.as_deref(), Some("o-fhkmi6mek7wlqdp6nideqhb47qwtjdsv"));
        assert_eq!(status.failure_reason.as_deref(), Some("string"));
        assert_eq!(status.raw().get(), json);
        assert!(serde_json::from_str::<CloseAccountStatus>(r#"{"account_id":"a"}"#).is_ok());
        assert!(serde_json::from_str::<CloseAccountStatus>(r#"{"account_id":""}"#).is_err());
    }
}
