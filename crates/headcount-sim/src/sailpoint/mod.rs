//! `SailPoint` Identity Security Cloud: bearer tokens, account listings with `offset` paging, and changes by
//! asynchronous tasks.

mod accounts;
mod api_error;
mod body;
mod changes;
mod filter;
mod listing;
mod operation;
mod routes;

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use crate::config::{SimConfig, config_methods};
use crate::pipeline::lock;
use crate::rate_limit::RateLimiter;
use crate::rng::{self, RequestCounter};
use crate::server::Server;
use crate::simulators::simulator;
use accounts::{Accounts, Sources};
use changes::Tasks;
use routes::{SailPointState, TokenStore};

/// A simulated `SailPoint` Identity Security Cloud tenant.
///
/// Routes: `POST /oauth/token`, `GET /oauth/info`, and all account endpoints that the references of `/beta`,
/// `/v3`, `/v2024`, `/v2025`, `/v2026` and `/accounts/v1` document. Each version has its documented filters,
/// sorters, scopes, user levels and experimental endpoints.
///
/// # Assumptions
///
/// - Without `sorters` the order is not documented. Here it differs at each request: it is the order by id,
///   rotated by a random offset. [`SailPointBuilder::stable_order`] disables this.
/// - The order of ties is not documented. Here it alternates between ascending and descending ids, unless
///   [`SailPointBuilder::stable_order`] is set.
/// - Null sorts first. No comparison matches a null, but its `not` does. `isnull` matches nulls and absent
///   fields.
/// - Text is compared without case, in filters and in sorters.
/// - In filters, text requires double quotes. Booleans and dates must not have any.
/// - `source.*`, `identity.*` and `recommendation.*` are the corresponding fields of the record
///   (`sourceName`, `connectionType`, …). `identity.correlated` is the negation of `uncorrelated`.
///   `entitlements` compares with the ids of [`SailPoint::entitlements`].
/// - The order of an account's entitlements is not documented. Here it is random at each request, unless
///   [`SailPointBuilder::stable_order`] is set. The source of an entitlement is the account's source.
/// - A source of the type `DelimitedFile` is one whose accounts have the `connectionType` `file`.
/// - Tasks succeed, and have no visible effect before they complete. Invalid requests are rejected
///   immediately: with 400 where no status is documented, and with 415 for a wrong media type. Unknown
///   members are ignored.
/// - The attribute `id` of a new account identifies an existing account if it is that account's id or its
///   native identity on the source. Otherwise it becomes the native identity, as does `userName` or
///   `sAMAccountName`.
/// - JSON Patch is limited to what the reference shows: `add`, `replace` and `remove` of the identity, of
///   `manuallyCorrelated` and of single attributes. `manuallyCorrelated` takes effect at any position in the
///   array.
/// - `PUT` replaces all attributes, and removes those that are not given.
/// - Every change of an account, including its state, sets its `modified` to the time at which the task
///   completes. Reloading an account from its source does not, because nothing has changed there.
/// - An identity exists as long as an account is correlated to it. Its accounts at the provider itself are
///   those of its accounts that have `systemAccount`.
/// - Removing an unknown account gets 404, which is documented for all other account endpoints.
/// - An experimental endpoint without its header responds 400. That it is an error, and its text, are
///   documented.
/// - Rejected requests and requests without a valid token do not count towards the rate limit.
/// - A token that was revoked or never issued gets the same response as an expired one.
/// - The token endpoint ignores a body whose `Content-Type` is neither a URL-encoded nor a multipart form.
/// - Invalid credentials at the token endpoint get 401 with `{"error": "invalid_client", …}`, and an invalid
///   request gets 400. Both follow `OAuth`.
pub struct SailPoint {
    server: Server,
    state: Arc<SailPointState>,
}

impl SailPoint {
    /// Returns the id of the personal access token or API client.
    pub fn client_id(&self) -> &str {
        &self.state.client_id
    }

    /// Returns the secret of the personal access token or API client.
    pub fn client_secret(&self) -> &str {
        &self.state.client_secret
    }

    /// Issues an access token, as the token endpoint does.
    pub fn token(&self) -> String {
        lock(&self.state.tokens).issue(&self.state.client_id).0
    }

    /// Revokes every token issued so far. New ones can be requested.
    pub fn revoke_tokens(&self) {
        lock(&self.state.tokens).revoke_all();
    }

    /// Returns the ids of the sources of the generated accounts.
    pub fn sources(&self) -> Vec<String> {
        self.state.sources.ids()
    }

    /// Returns the ids of all entitlements, for the filter `entitlements eq "…"`.
    pub fn entitlements(&self) -> Vec<String> {
        self.state.sources.entitlements().to_vec()
    }

    /// Returns the entitlements of an account with all their fields. Returns none for an unknown account.
    pub fn entitlements_of(&self, account_id: &str) -> Vec<Value> {
        let account = self.world(|world| world.record(account_id));
        account.map_or_else(Vec::new, |account| self.state.entitlements_of(&account))
    }

    /// Replaces the entitlements of an account. They are served unchanged. Filters ignore them.
    pub fn set_entitlements(&self, account_id: &str, entitlements: Vec<Value>) {
        lock(&self.state.entitlements).insert(account_id.to_owned(), entitlements);
    }

    /// Returns the ids of the identities that accounts are correlated to, sorted.
    pub fn identities(&self) -> Vec<String> {
        self.state.identities()
    }

    /// Returns the ids of the tasks started so far, in order.
    pub fn tasks(&self) -> Vec<String> {
        lock(&self.state.tasks).ids()
    }
}

simulator! {
    SailPoint, SailPointBuilder,
    name: "sailpoint", id_field: "id", page: listing::page,
    secrets: |this| vec![this.client_secret().to_owned()]
}

/// The response of `SailPoint` to an `offset` beyond the last account. Not documented for accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BeyondEnd {
    /// An empty array.
    #[default]
    Empty,
    /// 400, with a body observed at the listing of transforms. The first page of an empty listing is still an
    /// empty array.
    BadRequest,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    pub(crate) beyond_end: BeyondEnd,
    pub(crate) short_page_every: Option<usize>,
    pub(crate) stable_order: bool,
    pub(crate) beta_undocumented: bool,
    pub(crate) documented_only: bool,
    /// The scopes of tokens.
    pub(crate) scopes: Vec<String>,
    /// The level of the user.
    pub(crate) level: String,
}

/// Builds a [`SailPoint`] server.
#[derive(Debug)]
#[must_use = "a builder does nothing until it is started"]
pub struct SailPointBuilder {
    config: SimConfig,
    rules: Rules,
    token_lifetime: Duration,
    rate_limit: Option<(u32, Duration)>,
    entitlements: usize,
    task_duration: Duration,
}

impl SailPointBuilder {
    config_methods!(config);

    /// Sets the lifetime of a token, on tokio's clock. `expires_in` is in whole seconds. Default: 749
    /// seconds.
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = lifetime;
        self
    }

    /// Sets the maximum number of requests per client and API version in any window of this length. `None` is
    /// no limit. Default: 100 in 10 seconds, as documented. The token endpoint is not limited.
    pub fn rate_limit(mut self, limit: Option<(u32, Duration)>) -> Self {
        self.rate_limit = limit;
        self
    }

    /// Sets the response to an `offset` beyond the last account.
    pub fn beyond_end(mut self, beyond_end: BeyondEnd) -> Self {
        self.rules.beyond_end = beyond_end;
        self
    }

    /// Makes every n-th page shorter than its `limit`, although more rows follow. 1 to 4 rows are missing, as
    /// was observed (246 of 250).
    ///
    /// The number of a page is its `offset` divided by `limit`, plus 1, so that the same request returns the
    /// same page. Default: none. 0 is treated as 1.
    pub fn short_page_every(mut self, n: usize) -> Self {
        self.rules.short_page_every = Some(n.max(1));
        self
    }

    /// Sets whether listings without `sorters`, and ties of other sorters, have a stable order. That of
    /// accounts is by id. Default: false, because a stable order is not documented.
    pub fn stable_order(mut self, stable: bool) -> Self {
        self.rules.stable_order = stable;
        self
    }

    /// Sets whether `/beta` serves values that its specification does not allow, as all other versions do:
    /// the recommendation `AGENT`, and nulls. Default: false. Records that a test inserts are served
    /// unchanged.
    pub fn beta_undocumented(mut self, undocumented: bool) -> Self {
        self.rules.beta_undocumented = undocumented;
        self
    }

    /// Sets the scopes of tokens. Default: `sp:scopes:all`. Requests without a required scope get 403.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.rules.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the level of the user. Default: `ORG_ADMIN`. Requests that require another level get 403.
    pub fn user_level(mut self, level: &str) -> Self {
        level.clone_into(&mut self.rules.level);
        self
    }

    /// Sets the number of entitlements. An account with entitlements has about a fifth of them. Default: 20.
    pub fn entitlements(mut self, entitlements: usize) -> Self {
        self.entitlements = entitlements;
        self
    }

    /// Sets the duration of tasks, on tokio's clock. A change is visible to the first request after its task.
    /// Default: zero, so that it is visible immediately.
    pub fn task_duration(mut self, duration: Duration) -> Self {
        self.task_duration = duration;
        self
    }

    /// Starts the server.
    ///
    /// # Errors
    ///
    /// Fails if no port can be bound on the loopback interface.
    pub async fn start(self) -> io::Result<SailPoint> {
        let seed = self.config.seed;
        let rng = &mut rng::seeded(seed, 0x5A);
        let sources = Sources::new(seed, self.entitlements);
        let documented_only = self.config.documented_only;
        let generator = Arc::new(Accounts::new(seed, sources.clone()));
        let world = self.config.world(generator);
        let (scope, level) = (self.rules.scopes.join(" "), self.rules.level.clone());
        let state = Arc::new(SailPointState {
            world: Arc::clone(&world),
            sources,
            rules: Rules { documented_only, ..self.rules },
            client_id: rng::hex_id(rng),
            client_secret: rng::hex_id(rng) + &rng::hex_id(rng),
            tokens: Mutex::new(TokenStore::new(seed, self.token_lifetime, scope, level)),
            limiter: Mutex::new(RateLimiter::new(self.rate_limit)),
            views: Mutex::default(),
            tasks: Mutex::new(Tasks::new(seed, self.task_duration)),
            entitlements: Mutex::default(),
            request_counter: RequestCounter::new(seed),
            seed,
        });
        let server = Server::start(self.config, world, state.clone(), |base_url| {
            vec![
                ("SAIL_BASE_URL", base_url.to_owned()),
                ("SAIL_CLIENT_ID", state.client_id.clone()),
                ("SAIL_CLIENT_SECRET", state.client_secret.clone()),
            ]
        })
        .await?;
        Ok(SailPoint { server, state })
    }
}

impl Default for SailPointBuilder {
    fn default() -> Self {
        Self {
            config: SimConfig::default(),
            rules: Rules {
                scopes: vec!["sp:scopes:all".to_owned()],
                level: "ORG_ADMIN".to_owned(),
                ..Rules::default()
            },
            token_lifetime: Duration::from_secs(749),
            rate_limit: Some((100, Duration::from_secs(10))),
            entitlements: 20,
            task_duration: Duration::ZERO,
        }
    }
}
