use serde::Deserialize;

use super::{
    Client,
    length::check_length,
    marker::{Paging, marker_setters, pages_by_marker},
    path,
};
use crate::{Paginator, Record, Result, Scope, http::Call, open_enum::open_enum, record::keeps_record};

/// A root, an organizational unit or an account: `EntityDto` of the reference.
///
/// Only `id` is certain to be there.
#[derive(Clone, Debug, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct Entity {
    /// Its id: `r-…` of a root, `ou-…` of an organizational unit, the account's own of an account.
    #[serde(deserialize_with = "crate::record::id")]
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// What it is.
    #[serde(rename = "type")]
    pub entity_type: Option<EntityType>,
    #[serde(skip, default = "Record::none")]
    record: Record,
}

keeps_record!(Entity, id = "id", secret = &[]);

open_enum! {
    /// What an entity is.
    pub enum EntityType {
        /// An account.
        Account = "account",
        /// An organizational unit.
        OrganizationalUnit = "organizational_unit",
        /// A root.
        Root = "root",
    }
}

impl Client {
    /// The roots, organizational units and accounts of the organization.
    ///
    /// For the management account and delegated administrators; IAM action `organizations:entities:list`.
    pub fn list_entities(&self) -> ListEntities {
        ListEntities { client: self.clone(), parent_id: None, child_id: None, paging: Paging::default() }
    }
}

/// `GET /v1/organizations/entities`: roots, organizational units and accounts, by `marker`.
///
/// It ends as [`ListAccounts`](super::ListAccounts) does. That an empty list is told as `[]`, with
/// `page_info`, is an assumption: an answer that lacks one of them, or has null in its place, is an error and
/// never an end.
///
/// # Errors
/// Those of [`ListAccounts`](super::ListAccounts).
#[derive(Clone, Debug)]
#[must_use = "a list does nothing until its stream is polled"]
pub struct ListEntities {
    client: Client,
    parent_id: Option<String>,
    child_id: Option<String>,
    paging: Paging,
}

impl ListEntities {
    /// Only the children of a root (`r-…`) or organizational unit (`ou-…`). At most 100 characters.
    pub fn parent_id(mut self, id: impl Into<String>) -> Self {
        self.parent_id = Some(id.into());
        self
    }

    /// Only the parent of this organizational unit or account. At most 100 characters.
    ///
    /// The reference speaks of units only; that accounts are taken is what the vendor's Terraform provider
    /// does.
    pub fn child_id(mut self, id: impl Into<String>) -> Self {
        self.child_id = Some(id.into());
        self
    }

    marker_setters! {
        /// Entities on a page: 1 to 2000. Default: 1000. Always sent.
    }

    fn call(&self, at: Option<&String>) -> Result<Call> {
        for (name, id) in [("parent_id", &self.parent_id), ("child_id", &self.child_id)] {
            if let Some(id) = id {
                check_length(name, id, 1, 100)?;
            }
        }
        self.paging.check()?;
        let call = Call::get(path::ENTITIES)
            .query("parent_id", self.parent_id.as_ref())
            .query("child_id", self.child_id.as_ref());
        Ok(self.paging.query(call, self.paging.size(), at))
    }
}

impl Paginator for ListEntities {
    pages_by_marker!(Entity, rows = "entities", id = id);

    fn scope(&self) -> Scope {
        self.client.scope(
            path::ENTITIES,
            [
                ("parent_id", self.parent_id.as_deref().unwrap_or_default()),
                ("child_id", self.child_id.as_deref().unwrap_or_default()),
                ("limit", &self.paging.size().to_string()),
                ("marker", self.paging.start()),
            ],
        )
    }
}
