//! The providers, as the tests of what holds of all of them see them: a row for each.
//!
//! A row holds what only the client knows. What a simulator knows of itself is asked of it: its name, the member of a
//! row that holds the id, its secrets, and how it writes a page.

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
use headcount_sim::{self as sim, Settings, Simulator};
use serde_json::Value;

pub(crate) use lists::{Accounts, Settable};
pub(crate) use requests::{Named, Unsent, debug, requests};
pub(crate) use setup::{NOWHERE, Setup};
use {lists::settable, setup::set_up};

/// The table: every test of what holds of all providers iterates it.
pub(crate) static PROVIDERS: &[&dyn Provider] =
    &[&fortanix::Row, &huawei::Row, &annature::Row, &sailpoint::Row];

/// A client of a simulator.
pub(crate) fn client(server: &dyn Simulator, setup: &Setup) -> Box<dyn Client> {
    let name = server.provider().name();
    let provider = PROVIDERS.iter().find(|provider| provider.name() == name).unwrap();
    provider.client(server, setup)
}

/// The providers that have this trait.
pub(crate) fn having(wanted: Trait) -> Vec<&'static dyn Provider> {
    PROVIDERS.iter().copied().filter(|provider| provider.has(wanted)).collect()
}

/// What is so at some providers only, and decides what a test of all expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trait {
    /// There are logins, whose tokens end.
    LogsIn,
    /// A request is judged by the date that it is signed with.
    SignsDates,
    /// Rows have words that the provider may add to.
    HasWords,
    /// An empty page may lead on.
    HasEmptyPages,
    /// Pages are asked for by their offset, so that a circle of pages looks like a list that changes all the time.
    ByOffset,
    /// An object without rows is an empty list.
    MayOmitRows,
    /// Where a server does not know an account that is gone, the place in the list can be lost.
    LosesPlaces,
    /// Its first change carries the secret that it is given.
    TakesSecrets,
}

/// A row of [`PROVIDERS`].
pub(crate) trait Provider: Sync {
    /// As `headcount` and the simulators name it.
    fn name(&self) -> &'static str;

    fn traits(&self) -> &'static [Trait];

    fn has(&self, wanted: Trait) -> bool {
        self.traits().contains(&wanted)
    }

    /// What its simulator knows of it.
    fn sim(&self) -> &'static sim::Provider {
        sim::PROVIDERS.iter().find(|provider| provider.name() == self.name()).unwrap()
    }

    /// Starts its simulator.
    fn start(&self, settings: Settings, habits: Habits) -> BoxFuture<'static, Box<dyn Simulator>>;

    /// In how many ways its server may behave, as far as the vendor does not say; see [`Habits::way`]. The first is the
    /// usual one.
    fn ways(&self) -> usize;

    /// Changes the accounts of a server into such as are too rare to be in every world.
    fn add_rare_accounts(&self, server: &dyn Simulator) {
        let _ = server;
    }

    /// A client of its simulator.
    fn client(&self, server: &dyn Simulator, setup: &Setup) -> Box<dyn Client>;

    /// A client with a ready token and a transport of the test's own.
    fn client_over(&self, setup: &Setup) -> Box<dyn Client>;

    /// Whether a request with this path is a login.
    fn is_login(&self, path: &str) -> bool {
        let _ = path;
        false
    }

    /// Clients with credentials that are known when they are seen, in every way that credentials are given.
    fn strangers(&self, setup: &Setup) -> Vec<Stranger>;

    /// Builders that hold `secret` where it is refused, in forms that no header or URL takes too.
    fn refused(&self, secret: &str) -> Vec<Refused>;

    /// Lists of different tenants or users, and of the same.
    fn tenants(&self) -> Tenants;

    /// What the requests of [`Client::changes`] are about.
    fn about(&self, server: &dyn Simulator) -> About {
        let ids = server.ids();
        About { account: ids[0].clone(), other: ids[1].clone(), ..About::all("") }
    }

    /// The shared account that a record is, read from its JSON.
    fn account(&self, record: &Value) -> Account;

    /// The kinds and statuses that accounts have in a world of some hundred.
    fn seen(&self) -> (&'static [AccountKind], &'static [AccountStatus]);
}

impl fmt::Display for dyn Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A client of some provider.
pub(crate) trait Client: Debug + Send + Sync {
    /// Its lists of accounts, `list_accounts` first, with so many rows on a page or as near to it as can be.
    fn lists(&self, limit: u32) -> Vec<Box<dyn Accounts>>;

    /// `list_accounts`.
    fn list(&self, limit: u32) -> AnyPaginator<Account> {
        self.lists(limit)[0].any()
    }

    /// `list_accounts`, with all that can be told of each account.
    fn full_list(&self) -> AnyPaginator<Account> {
        self.list(100)
    }

    /// All its lists, whatever they list.
    fn settable(&self) -> Vec<Settable>;

    fn get(&self, id: &str) -> BoxFuture<'static, Result<Account>>;

    /// Every request that changes something, one that creates an account first, with `secret` where one takes any.
    fn changes(&self, about: &About, secret: &str) -> Named;

    /// Every other request that is no list.
    fn others(&self, about: &About) -> Named;

    /// Every request that is no list.
    fn requests(&self, about: &About, secret: &str) -> Named {
        self.changes(about, secret).into_iter().chain(self.others(about)).collect()
    }
}

/// What a server does where no request says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habits {
    /// Rows on a page, where that is the server's choice.
    pub(crate) rows: usize,
    /// Among so many pages, one is short or empty, where that can be.
    pub(crate) gaps: Option<usize>,
    /// Any number: which of [`Provider::ways`].
    pub(crate) way: usize,
}

impl Habits {
    /// Pages of so many rows, and nothing out of the way.
    pub(crate) fn rows(rows: usize) -> Self {
        Self { rows, gaps: None, way: 0 }
    }
}

impl Default for Habits {
    fn default() -> Self {
        Self::rows(100)
    }
}

/// A client with credentials of a test's own.
pub(crate) struct Stranger {
    /// What its builder showed of itself.
    pub(crate) builder: String,
    pub(crate) client: Box<dyn Client>,
    /// All that it has after a request, with [`ACCESS_TOKEN`] if it logs in.
    pub(crate) secrets: Vec<&'static str>,
}

/// What every login of a [`Stranger`] is to be answered with.
pub(crate) const ACCESS_TOKEN: &str = "canary-access-token";

macro_rules! stranger {
    ($builder:expr, $setup:expr, $secrets:expr) => {{
        let builder = $crate::kit::set_up!($builder, $setup);
        $crate::kit::Stranger {
            builder: $crate::kit::debug(&builder),
            client: Box::new(builder.build().unwrap()),
            secrets: $secrets.to_vec(),
        }
    }};
}
use stranger;

/// A builder that was refused.
pub(crate) struct Refused {
    pub(crate) builder: String,
    pub(crate) error: Error,
}

macro_rules! refused {
    ($($builder:expr),+ $(,)?) => {
        vec![$({
            let builder = $builder;
            $crate::kit::Refused {
                builder: $crate::kit::debug(&builder),
                error: builder.build().unwrap_err(),
            }
        }),+]
    };
}
use refused;

/// Pairs of lists.
pub(crate) struct Tenants {
    /// That list different accounts.
    pub(crate) others: Vec<[AnyPaginator<Account>; 2]>,
    /// That list the same ones with other credentials.
    pub(crate) alike: Vec<[AnyPaginator<Account>; 2]>,
}

/// What requests are about.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) account: String,
    /// Another account, to be removed.
    pub(crate) other: String,
    /// Where accounts come from.
    pub(crate) source: String,
    /// Whose account it is.
    pub(crate) identity: String,
}

impl About {
    /// Of things that all have this id.
    pub(crate) fn all(id: &str) -> Self {
        Self { source: id.into(), account: id.into(), other: id.into(), identity: id.into() }
    }
}

/// A member of a record, if it is text.
fn text(record: &Value, name: &str) -> Option<String> {
    record[name].as_str().map(str::to_owned)
}

/// A member of a record that is a date, in any of the layouts that the simulators write.
fn date(record: &Value, name: &str) -> Option<DateTime<Utc>> {
    let text = record[name].as_str()?;
    let zoned = DateTime::parse_from_rfc3339(text).map(|date| date.to_utc());
    let plain = || NaiveDateTime::parse_from_str(&text.replace('T', " "), "%Y-%m-%d %H:%M:%S");
    Some(zoned.unwrap_or_else(|_| plain().unwrap().and_utc()))
}

#[test]
fn every_simulator_has_a_row() {
    let rows: Vec<_> = PROVIDERS.iter().map(|provider| provider.name()).collect();
    assert_eq!(rows, sim::PROVIDERS.iter().map(|provider| provider.name()).collect::<Vec<_>>());
}
