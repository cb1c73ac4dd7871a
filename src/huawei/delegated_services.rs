use serde::Deserialize;

use super::{
    Client,
    marker::{Paging, marker_setters, pages_by_marker},
    path,
};
use crate::{Paginator, Record, Result, Scope, Timestamp, http::Call, record::keeps_record};

/// A service of which an account is a delegated administrator: `DelegatedServiceDto` of the reference.
///
/// Only `service_principal` is certain to be there.
#[derive(Clone, Debug, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct DelegatedService {
    /// The name of the service.
    #[serde(deserialize_with = "crate::record::id")]
    pub service_principal: String,
    /// When the account became its delegated administrator.
    pub delegation_enabled_at: Option<Timestamp>,
    #[serde(skip, default = "Record::none")]
    record: Record,
}

keeps_record!(DelegatedService, id = "service_principal", secret = &[]);

impl Client {
    /// The services of which an account is a delegated administrator.
    ///
    /// For the management account and delegated administrators; IAM action
    /// `organizations:delegatedServices:list`.
    pub fn list_delegated_services(&self, account_id: impl Into<String>) -> ListDelegatedServices {
        ListDelegatedServices {
            client: self.clone(),
            account_id: account_id.into(),
            paging: Paging::default(),
        }
    }
}

/// `GET /v1/organizations/accounts/{account_id}/delegated-services`: the services of which an account is a
/// delegated administrator, by `marker`.
///
/// It ends as [`ListAccounts`](super::ListAccounts) does. Whether the list of an account that is no delegated
/// administrator is empty or an error is not documented. That an empty list is told as `[]`, with
/// `page_info`, is an assumption: an answer that lacks one of them, or has null in its place, is an error and
/// never an end.
///
/// # Errors
/// Those of [`ListAccounts`](super::ListAccounts), and [`Config`](crate::ErrorKind::Config) if the id can not
/// stand in a path.
#[derive(Clone, Debug)]
#[must_use = "a list does nothing until its stream is polled"]
pub struct ListDelegatedServices {
    client: Client,
    account_id: String,
    paging: Paging,
}

impl ListDelegatedServices {
    marker_setters! {
        /// Services on a page: 1 to 2000. Default: 1000. Always sent.
    }

    fn call(&self, at: Option<&String>) -> Result<Call> {
        self.paging.check()?;
        let call = Call::get(path::account(&self.account_id, "/delegated-services")?);
        Ok(self.paging.query(call, self.paging.size(), at))
    }
}

impl Paginator for ListDelegatedServices {
    pages_by_marker!(DelegatedService, rows = "delegated_services", id = service_principal);

    fn scope(&self) -> Scope {
        self.client.scope(
            "/v1/organizations/accounts/{account_id}/delegated-services",
            [
                ("account_id", self.account_id.as_str()),
                ("limit", &self.paging.size().to_string()),
                ("marker", self.paging.start()),
            ],
        )
    }
}
