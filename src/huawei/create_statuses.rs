use super::{
    Client, CreateAccountState, CreateAccountStatus,
    marker::{Paging, marker_setters, pages_by_marker},
    path,
};
use crate::{Paginator, Result, Scope, http::Call};

impl Client {
    /// The creations of accounts that were asked for, and how far they have come.
    ///
    /// For the management account and delegated administrators; IAM action
    /// `organizations:createAccountStatuses:list`.
    pub fn list_create_account_statuses(&self) -> ListCreateAccountStatuses {
        ListCreateAccountStatuses { client: self.clone(), states: Vec::new(), paging: Paging::default() }
    }
}

/// `GET /v1/organizations/create-account-status`: creations of accounts, by `marker`.
///
/// It ends as [`ListAccounts`](super::ListAccounts) does. How long the provider remembers a creation is not
/// documented. That an empty list is told as `[]`, with `page_info`, is an assumption: an answer that lacks
/// one of them, or has null in its place, is an error and never an end.
///
/// # Errors
/// Those of [`ListAccounts`](super::ListAccounts).
#[derive(Clone, Debug)]
#[must_use = "a list does nothing until its stream is polled"]
pub struct ListCreateAccountStatuses {
    client: Client,
    /// Each once and sorted: whatever the order they are given in, the list is the same.
    states: Vec<CreateAccountState>,
    paging: Paging,
}

impl ListCreateAccountStatuses {
    /// Only creations in this state; with several, in any of them. Default: all.
    pub fn state(mut self, state: CreateAccountState) -> Self {
        let place = self.states.binary_search_by(|other| other.as_str().cmp(state.as_str()));
        if let Err(place) = place {
            self.states.insert(place, state);
        }
        self
    }

    marker_setters! {
        /// Creations on a page: 1 to 2000. Default: 1000. Always sent.
    }

    fn call(&self, at: Option<&String>) -> Result<Call> {
        self.paging.check()?;
        let call = Call::get(path::CREATIONS);
        let call = self.states.iter().fold(call, |call, state| call.query("states", Some(state)));
        Ok(self.paging.query(call, self.paging.size(), at))
    }
}

impl Paginator for ListCreateAccountStatuses {
    pages_by_marker!(CreateAccountStatus, rows = "create_account_statuses", id = id);

    fn scope(&self) -> Scope {
        let states: Vec<_> = self.states.iter().map(CreateAccountState::as_str).collect();
        self.client.scope(
            path::CREATIONS,
            [
                ("states", states.join(",").as_str()),
                ("limit", &self.paging.size().to_string()),
                ("marker", self.paging.start()),
            ],
        )
    }
}
