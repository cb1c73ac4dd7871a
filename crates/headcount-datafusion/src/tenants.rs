//! Where the listings of a query come from.

use std::{fmt, ops::Deref, sync::Arc};

use headcount::{Account, AnyPaginator, Result, Source};

use crate::ListRequest;

/// The sources that a table or a snapshot consists of.
///
/// [`TenantsFile`](crate::TenantsFile) is an implementation. Implement it to read them from a database or a vault.
///
/// A source is one credential: one rate limit, one token, one account that a provider may lock. Sources are listed
/// concurrently, and each is listed by one task at a time within a query. Keep one client for each, so that queries
/// share its rate limit and its token.
pub trait Tenants: Send + Sync + 'static {
    /// Returns all sources. Needs no credentials: queries are planned with it.
    fn sources(&self) -> Vec<Source>;

    /// Opens the listing of a source. Sends nothing.
    ///
    /// # Errors
    /// Fails if there is no such source, or if its credentials are missing or malformed.
    fn open(&self, source: &Source, request: &ListRequest) -> Result<Listing>;
}

/// An open listing, before its first request.
#[derive(Debug)]
pub struct Listing {
    /// The accounts: at least those that the request asks for.
    pub accounts: AnyPaginator<Account>,
    /// The endpoint, such as `GET https://acme.api.identitynow.com/accounts/v1`. Without the host if that is the
    /// provider's own.
    pub endpoint: String,
    /// The filter and other parameters that select accounts or fields, as sent. `None` lists everything.
    pub filter: Option<String>,
}

/// Tenants whose `Debug` names only their sources: an implementation may have credentials in its fields.
#[derive(Clone)]
pub(crate) struct SharedTenants(pub(crate) Arc<dyn Tenants>);

impl Deref for SharedTenants {
    type Target = dyn Tenants;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl fmt::Debug for SharedTenants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tenants({} sources)", self.0.sources().len())
    }
}
