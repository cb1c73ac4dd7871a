//! The table of providers for tests that apply to all of them.
//!
//! A row holds what is specific to the client. The simulator itself reports its name, the JSON member that
//! holds an account's id, its secrets and the format of its pages.

mod lists;
mod requests;
mod setup;

pub(crate) mod annature;
pub(crate) mod fortanix;
pub(crate) mod huawei;
pub(crate) mod sailpoint;

use std::fmt::{self, Debug};

use chrono::{DateTime, NaiveDateTime, Utc};
use futures::future::BoxFuture;
use headcount::{Account, AccountKind, AccountStatus, AnyPaginator, Error, Result};
use headcount_sim::{self as sim, SimConfig, Simulator};
use serde_json::Value;

pub(crate) use lists::{AccountList, ListCase};
pub(crate) use requests::{NamedRequests, PendingRequest, debug, requests};
pub(crate) use setup::{Setup, UNREACHABLE_URL};
use {lists::list_case, setup::configure};

/// All providers. Tests that apply to every provider iterate over this table.
pub(crate) static PROVIDERS: &[&dyn Provider] =
    &[&fortanix::Row, &huawei::Row, &annature::Row, &sailpoint::Row];

/// Creates a client for a simulator.
pub(crate) fn client(server: &dyn Simulator, setup: &Setup) -> Box<dyn Client> {
    let name = server.provider().name();
    let provider = PROVIDERS.iter().find(|provider| provider.name() == name).unwrap();
    provider.client(server, setup)
}

/// Returns the providers that have `quirk`.
pub(crate) fn with_quirk(quirk: Quirk) -> Vec<&'static dyn Provider> {
    PROVIDERS.iter().copied().filter(|provider| provider.has(quirk)).collect()
}

/// A property that only some providers have, and that changes what a shared test expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quirk {
    /// The client logs in and receives tokens that expire.
    Login,
    /// The server checks the date in a request's signature.
    SignedDate,
    /// Rows contain enumerations that the provider may extend.
    OpenEnums,
    /// An empty page may have a successor.
    EmptyPages,
    /// Pages are requested by offset, so a pagination loop looks like a list that keeps changing.
    OffsetPaging,
    /// An object without a member for rows is an empty list.
    OptionalRows,
    /// The position can be lost if the server does not recognise the id of a removed account.
    PositionLoss,
    /// The first of [`Client::mutations`] sends its `secret`.
    SecretParameters,
}

/// A row of [`PROVIDERS`].
pub(crate) trait Provider: Sync {
    /// Returns the name that `headcount` and the simulators use.
    fn name(&self) -> &'static str;

    fn quirks(&self) -> &'static [Quirk];

    fn has(&self, quirk: Quirk) -> bool {
        self.quirks().contains(&quirk)
    }

    /// Returns the simulator's description of the provider.
    fn sim(&self) -> &'static sim::Provider {
        sim::PROVIDERS.iter().find(|provider| provider.name() == self.name()).unwrap()
    }

    /// Starts a simulator.
    fn start(&self, config: SimConfig, behavior: ServerBehavior) -> BoxFuture<'static, Box<dyn Simulator>>;

    /// Returns the number of server behaviours that the vendor's reference leaves open; see
    /// [`ServerBehavior::variant`]. The first is the usual one.
    fn variants(&self) -> usize;

    /// Adds kinds of accounts that are too rare to be in every generated data set.
    fn add_rare_accounts(&self, server: &dyn Simulator) {
        let _ = server;
    }

    /// Creates a client for a simulator of this provider.
    fn client(&self, server: &dyn Simulator, setup: &Setup) -> Box<dyn Client>;

    /// Creates a client with a fixed token, for the transport in `setup`.
    fn client_with_transport(&self, setup: &Setup) -> Box<dyn Client>;

    /// Returns whether a request with this path is a login.
    fn is_login(&self, path: &str) -> bool {
        let _ = path;
        false
    }

    /// Creates a client for each way to supply credentials, with recognisable secrets.
    fn credential_cases(&self, setup: &Setup) -> Vec<CredentialCase>;

    /// Returns builders that are rejected with `secret` in them, also in forms that are invalid in headers
    /// and URLs.
    fn rejected_builders(&self, secret: &str) -> Vec<RejectedBuilder>;

    /// Returns pairs of listings: of different tenants or users, and of the same one.
    fn listing_pairs(&self) -> ListingPairs;

    /// Returns ids of a server's records, for the requests of [`Client::mutations`].
    fn request_ids(&self, server: &dyn Simulator) -> RequestIds {
        let ids = server.ids();
        RequestIds { account: ids[0].clone(), other: ids[1].clone(), ..RequestIds::all("") }
    }

    /// Converts the JSON of a record to the shared account, independently of the crate.
    fn account(&self, record: &Value) -> Account;

    /// Returns the kinds and statuses that occur in a generated data set of a few hundred accounts.
    fn expected_values(&self) -> (&'static [AccountKind], &'static [AccountStatus]);
}

impl fmt::Display for dyn Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A client of any provider.
pub(crate) trait Client: Debug + Send + Sync {
    /// Returns the lists of accounts, `list_accounts` first, with a page size as close to `limit` as
    /// possible.
    fn lists(&self, limit: u32) -> Vec<Box<dyn AccountList>>;

    /// Returns `list_accounts` with a page size as close to `limit` as possible.
    fn list(&self, limit: u32) -> AnyPaginator<Account> {
        self.lists(limit)[0].any()
    }

    /// Returns `list_accounts` with every optional field requested.
    fn detailed_list(&self) -> AnyPaginator<Account> {
        self.list(100)
    }

    /// Returns all listings, of accounts and of anything else, with their setters.
    fn list_cases(&self) -> Vec<ListCase>;

    /// Fetches one account.
    fn get(&self, id: &str) -> BoxFuture<'static, Result<Account>>;

    /// Returns every request that changes something, account creation first. `secret` is set wherever a
    /// request takes a secret.
    fn mutations(&self, ids: &RequestIds, secret: &str) -> NamedRequests;

    /// Returns every other request that is not a list.
    fn reads(&self, ids: &RequestIds) -> NamedRequests;

    /// Returns every request that is not a list.
    fn requests(&self, ids: &RequestIds, secret: &str) -> NamedRequests {
        self.mutations(ids, secret).into_iter().chain(self.reads(ids)).collect()
    }
}

/// How a simulator behaves where requests do not decide.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerBehavior {
    /// The number of rows on a page, if the server chooses it.
    pub(crate) page_size: usize,
    /// One page in this many is short or empty, if the provider can have such pages.
    pub(crate) gap_interval: Option<usize>,
    /// The index of one of the [`Provider::variants`], modulo their number.
    pub(crate) variant: usize,
}

impl ServerBehavior {
    /// Returns the usual behaviour with this page size.
    pub(crate) fn with_page_size(page_size: usize) -> Self {
        Self { page_size, gap_interval: None, variant: 0 }
    }
}

impl Default for ServerBehavior {
    fn default() -> Self {
        Self::with_page_size(100)
    }
}

/// A client with recognisable credentials.
pub(crate) struct CredentialCase {
    /// The builder's `Debug` output.
    pub(crate) builder: String,
    pub(crate) client: Box<dyn Client>,
    /// All secrets that the client holds after a request, with [`ACCESS_TOKEN`] if it logs in.
    pub(crate) secrets: Vec<&'static str>,
}

/// The token that a login of a [`CredentialCase`] must return.
pub(crate) const ACCESS_TOKEN: &str = "canary-access-token";

macro_rules! credential_case {
    ($builder:expr, $setup:expr, $secrets:expr) => {{
        let builder = $crate::kit::configure!($builder, $setup);
        $crate::kit::CredentialCase {
            builder: $crate::kit::debug(&builder),
            client: Box::new(builder.build().unwrap()),
            secrets: $secrets.to_vec(),
        }
    }};
}
use credential_case;

/// A builder that `build` rejected.
pub(crate) struct RejectedBuilder {
    /// The builder's `Debug` output.
    pub(crate) builder: String,
    pub(crate) error: Error,
}

macro_rules! rejected_builders {
    ($($builder:expr),+ $(,)?) => {
        vec![$({
            let builder = $builder;
            $crate::kit::RejectedBuilder {
                builder: $crate::kit::debug(&builder),
                error: builder.build().unwrap_err(),
            }
        }),+]
    };
}
use rejected_builders;

/// Pairs of listings.
pub(crate) struct ListingPairs {
    /// Listings of different accounts.
    pub(crate) different: Vec<[AnyPaginator<Account>; 2]>,
    /// Listings of the same accounts with different credentials.
    pub(crate) same: Vec<[AnyPaginator<Account>; 2]>,
}

/// The ids that requests refer to.
#[derive(Clone, Debug)]
pub(crate) struct RequestIds {
    pub(crate) account: String,
    /// Another account, which may be removed.
    pub(crate) other: String,
    /// The source of the account.
    pub(crate) source: String,
    /// The identity that owns the account.
    pub(crate) identity: String,
}

impl RequestIds {
    /// Uses one id for everything.
    pub(crate) fn all(id: &str) -> Self {
        Self { source: id.into(), account: id.into(), other: id.into(), identity: id.into() }
    }
}

/// Returns a member of a record if it is a string.
fn text(record: &Value, name: &str) -> Option<String> {
    record[name].as_str().map(str::to_owned)
}

/// Parses a member of a record as a date, in any format that the simulators write.
fn date(record: &Value, name: &str) -> Option<DateTime<Utc>> {
    let text = record[name].as_str()?;
    let zoned = DateTime::parse_from_rfc3339(text).map(|date| date.to_utc());
    let plain = || NaiveDateTime::parse_from_str(&text.replace('T', " "), "%Y-%m-%d %H:%M:%S");
    Some(zoned.unwrap_or_else(|_| plain().unwrap().and_utc()))
}

#[test]
fn table_matches_simulators() {
    let rows: Vec<_> = PROVIDERS.iter().map(|provider| provider.name()).collect();
    assert_eq!(rows, sim::PROVIDERS.iter().map(|provider| provider.name()).collect::<Vec<_>>());
}
