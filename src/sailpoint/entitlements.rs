use std::borrow::Cow;

use super::{
    Client, Cursor, Entitlement, NAME,
    paging::{self, Answered, OffsetList, Order, Paging, offset_setters},
    version::Root,
    walk,
};
use crate::{
    Page, Paginator, Result, Scope,
    http::{Call, segment},
};

/// `GET …/accounts/{id}/entitlements`: what an account is entitled to on its source, by `offset`.
///
/// Permission: the scope `idn:accounts:read` or `idn:accounts:manage`, and a user level of `ORG_ADMIN`,
/// `SOURCE_ADMIN`, `SOURCE_SUBADMIN` or `HELPDESK`. It reads, and is retried.
///
/// # What is certain to be listed
///
/// The provider takes no order here and documents none. It is an assumption that it keeps to one, and that the
/// rows are the same in each page as they were in the one before. Most accounts have no more entitlements than
/// a page, and need no such assumption.
///
/// Beyond a page, it is checked as far as that goes: each page is fetched from the last row of the page before
/// on, as of [`list_accounts`](Client::list_accounts). If that row is not where it was, its place is looked for.
/// Then, and if rows come again behind it, the [`Summary`](crate::Summary) says
/// [`UnstableOrder`](crate::Doubt::UnstableOrder): entitlements may have come or gone meanwhile, or the provider may
/// not keep to an order, in which case some can be missing and others come twice. If it is not found, nor any of
/// the seven before it, the list ends with an error of kind [`Drift`](crate::ErrorKind::Drift). Nothing shows that
/// pages which were fetched at once join, so they are fetched one after the other.
///
/// It costs one row in each page. [`overlap(false)`](Self::overlap) saves it, and the summary says that the seams
/// were not checked.
///
/// # Errors
/// Besides those of every list, [`NotFound`](crate::ErrorKind::NotFound) if there is no such account, and
/// [`Drift`](crate::ErrorKind::Drift) as said.
#[derive(Clone, Debug)]
#[must_use = "a list does nothing until its stream is polled"]
pub struct ListEntitlements {
    client: Client,
    account_id: String,
    paging: Paging,
}

impl ListEntitlements {
    pub(super) fn new(client: Client, account_id: String) -> Self {
        Self { client, account_id, paging: Paging::default() }
    }

    offset_setters!(
        /// Entitlements on a page: 2 to 250, or 1 without [`overlap`](Self::overlap). Default: 250.
        rows = "entitlements"
    );

    fn path(&self) -> Result<String> {
        let id = segment("account id", &self.account_id)?;
        Ok(self.client.api_version().path_to(Root::Accounts, &[&id, "entitlements"]))
    }

    fn check(&self) -> Result<()> {
        let checked = self.paging.check().and_then(|()| self.path());
        checked.map(drop).map_err(|error| error.with_provider(NAME))
    }
}

impl OffsetList for ListEntitlements {
    type Row = Entitlement;

    fn paging(&self) -> &Paging {
        &self.paging
    }

    fn order(&self) -> Order {
        Order::Unknown
    }

    async fn request(&self, offset: u64, limit: u64, count: bool) -> Result<Answered<Entitlement>> {
        let call = self.path().map(|path| {
            Call::get(path)
                .query("limit", Some(limit))
                .query("offset", Some(offset))
                .query("count", count.then_some(true))
        });
        let read = |answer: &_| {
            paging::read(answer, "an array of entitlements", |row: &Entitlement| row.id.clone(), &[])
        };
        self.client.send(call, read).await
    }
}

impl Paginator for ListEntitlements {
    type Item = Entitlement;
    type Cursor = Cursor;

    fn scope(&self) -> Scope {
        Scope::new(
            NAME,
            [
                ("base_url", self.client.base_url()),
                ("path", self.client.api_version().path()),
                ("client id", self.client.client_id()),
                ("entitlements of", &self.account_id),
                ("limit", &self.paging.limit.to_string()),
                ("offset", &self.paging.offset.to_string()),
                ("overlap", if self.paging.overlap { "true" } else { "" }),
            ],
        )
    }

    async fn fetch(&self, at: Option<&Cursor>) -> Result<Page<Entitlement, Cursor>> {
        self.check()?;
        walk::fetch(self, at).await
    }

    fn item_id<'a>(&self, entitlement: &'a Entitlement) -> Option<Cow<'a, str>> {
        Some(Cow::Borrowed(&entitlement.id))
    }
}
