//! `SailPoint` Identity Security Cloud: bearer tokens, account listings with `offset` paging, and changes that are
//! made by tasks.

mod accounts;
mod body;
mod changes;
mod filter;
mod listing;
mod operation;
mod refusal;
mod routes;

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use crate::gate::lock;
use crate::rate::Limiter;
use crate::seed::{self, Answers};
use crate::server::Server;
use crate::settings::{Settings, shared_settings};
use crate::simulators::simulator;
use accounts::{Accounts, Sources};
use changes::Tasks;
use routes::{Tenant, Tokens};

/// A simulated `SailPoint` Identity Security Cloud tenant.
///
/// Routes: `POST /oauth/token`, `GET /oauth/info`, and all that the references of `/beta`, `/v3`, `/v2024`,
/// `/v2025`, `/v2026` and `/accounts/v1` have for accounts, each with the filters and sorters, the scopes, user
/// levels and experimental calls that its version documents.
///
/// # Assumptions
///
/// - Without `sorters` the order is not documented: here it is another one at each request (the order by id,
///   begun at a random place), unless [`SailPointBuilder::stable_order`] says otherwise.
/// - With `sorters` that leave ties, the ties' order is not documented: here it alternates between ascending
///   and descending ids, with the same exception.
/// - Null sorts first. No comparison finds a null, `not` of it does; `isnull` finds nulls and absent fields.
/// - Text compares without regard to case, in filters and in sorters.
/// - In filters, text must be in double quotes; booleans and dates must not be.
/// - `source.*`, `identity.*` and `recommendation.*` mean the fields of the record that show them
///   (`sourceName`, `connectionType`, …); `identity.correlated` is the opposite of `uncorrelated`;
///   `entitlements` compares with the ids that [`SailPoint::entitlements`] gives.
/// - The order of an account's entitlements is not documented: here they are shuffled at each request, with the
///   same exception. Each shows the account's source as its own.
/// - A source of the type `DelimitedFile` is one whose accounts have the `connectionType` `file`.
/// - Tasks succeed, and nothing of them shows before they are done. What can be refused is refused at once, with
///   400 where no status is documented, and with 415 for a wrong media type. Members that no schema has are passed
///   over.
/// - The attribute `id` of an account to be made names one that is there, if that is its id or its native identity
///   on the source. Otherwise it becomes the native identity, as does `userName` or `sAMAccountName`.
/// - Of JSON Patch, what the reference shows is taken: `add`, `replace` and `remove` of the identity, the flag of
///   manual correlation and single attributes. `manuallyCorrelated` counts wherever it stands.
/// - `PUT` writes all attributes: those that are not given go.
/// - Whatever changes an account, its state included, sets its `modified` to the time at which it is made. Reading it
///   anew from its source does not, for nothing has changed there.
/// - There is an identity as long as an account is correlated to it. Its account with the provider itself is each
///   of its accounts that has `systemAccount`.
/// - Removing an unknown account is 404, which is documented for all others.
/// - An experimental call without its header is 400; that it is an error, and what it says, is documented.
/// - Refused requests do not count towards the rate limit, nor do requests without a good token.
/// - A token that was revoked, or never issued, is answered like an expired one.
/// - At the token endpoint, a body that is not said to be a form, URL-encoded or multipart, is not read.
/// - Wrong credentials at the token endpoint are 401 with `{"error": "invalid_client", …}`, a wrong request
///   is 400, both as `OAuth` has them.
pub struct SailPoint {
    server: Server,
    tenant: Arc<Tenant>,
}

impl SailPoint {
    /// The id of the personal access token or API client.
    pub fn client_id(&self) -> &str {
        &self.tenant.client_id
    }

    /// The secret of the personal access token or API client.
    pub fn client_secret(&self) -> &str {
        &self.tenant.client_secret
    }

    /// A new access token, as if it had been asked for.
    pub fn token(&self) -> String {
        lock(&self.tenant.tokens).issue(&self.tenant.client_id).0
    }

    /// Refuses every token issued so far. New ones can be had.
    pub fn revoke_tokens(&self) {
        lock(&self.tenant.tokens).revoke_all();
    }

    /// The sources that generated accounts belong to: their ids.
    pub fn sources(&self) -> Vec<String> {
        self.tenant.sources.ids()
    }

    /// The ids of the entitlements that accounts can have, for the filter `entitlements eq "…"`.
    pub fn entitlements(&self) -> Vec<String> {
        self.tenant.sources.entitlements().to_vec()
    }

    /// What an account is entitled to, as full as the server would tell; nothing if there is no such account.
    pub fn entitlements_of(&self, account_id: &str) -> Vec<Value> {
        let account = self.world(|world| world.record(account_id));
        account.map_or_else(Vec::new, |account| self.tenant.entitlements_of(&account))
    }

    /// Puts other entitlements in the place of an account's, served exactly as they are. Filters do not see them.
    pub fn set_entitlements(&self, account_id: &str, entitlements: Vec<Value>) {
        lock(&self.tenant.entitlements).insert(account_id.to_owned(), entitlements);
    }

    /// The ids of the identities that accounts are correlated to, in order.
    pub fn identities(&self) -> Vec<String> {
        self.tenant.identities()
    }

    /// The ids of the tasks begun so far, in that order.
    pub fn tasks(&self) -> Vec<String> {
        lock(&self.tenant.tasks).ids()
    }
}

simulator! {
    SailPoint, SailPointBuilder,
    name: "sailpoint", id_field: "id", page: listing::page,
    secrets: |this| vec![this.client_secret().to_owned()]
}

/// What a request for a page beyond the last account gets. Not documented for accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SailPointPastEnd {
    /// An empty array.
    #[default]
    Empty,
    /// 400, with the body that the listing of transforms was seen to answer. The first page of nothing is
    /// still an empty array.
    BadRequest,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    pub(crate) past_end: SailPointPastEnd,
    pub(crate) short_page_every: Option<usize>,
    pub(crate) stable_order: bool,
    pub(crate) beta_undocumented: bool,
    pub(crate) documented_only: bool,
    /// What tokens may do.
    pub(crate) scopes: Vec<String>,
    /// The level of the user whose tokens they are.
    pub(crate) level: String,
}

/// Builds a [`SailPoint`] server.
#[derive(Debug)]
#[must_use = "a server is not there until it is started"]
pub struct SailPointBuilder {
    settings: Settings,
    rules: Rules,
    token_lifetime: Duration,
    rate_limit: Option<(u32, Duration)>,
    entitlements: usize,
    task_time: Duration,
}

impl SailPointBuilder {
    shared_settings!(settings);

    /// How long a token lives, on tokio's clock; `expires_in` tells its whole seconds. Default 749 seconds.
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = lifetime;
        self
    }

    /// How many requests of one client and API version are let through in any window of this length, or no
    /// limit. Default 100 in 10 seconds, as documented. The token endpoint is not limited.
    pub fn rate_limit(mut self, limit: Option<(u32, Duration)>) -> Self {
        self.rate_limit = limit;
        self
    }

    /// What a request for a page beyond the last account gets.
    pub fn past_end(mut self, past_end: SailPointPastEnd) -> Self {
        self.rules.past_end = past_end;
        self
    }

    /// Makes every n-th page hold fewer rows than were asked for although more follow: a few less on a long
    /// page, as was seen (246 of 250), at least one. The page's number is its `offset` divided by `limit`,
    /// from 1, so that the same request gives the same page. Default none; 0 is taken for 1.
    pub fn short_page_every(mut self, n: usize) -> Self {
        self.rules.short_page_every = Some(n.max(1));
        self
    }

    /// Whether listings without `sorters` are always in the same order (accounts in that of their ids), and
    /// ties of other sorters too. Default false: nothing promises it.
    pub fn stable_order(mut self, stable: bool) -> Self {
        self.rules.stable_order = stable;
        self
    }

    /// Whether beta serves what its file does not allow, as all other versions do: the recommendation `AGENT`, and
    /// nulls. Default false. Records that a test puts in are served as they are.
    pub fn beta_undocumented(mut self, undocumented: bool) -> Self {
        self.rules.beta_undocumented = undocumented;
        self
    }

    /// What tokens may do. Default `sp:scopes:all`. What they may not do is refused with 403.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.rules.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// The level of the user whose tokens they are. Default `ORG_ADMIN`. What it may not do is refused with 403.
    pub fn user_level(mut self, level: &str) -> Self {
        level.clone_into(&mut self.rules.level);
        self
    }

    /// How many entitlements the tenant has, of which accounts that have any have about a fifth. Default 20.
    pub fn entitlements(mut self, entitlements: usize) -> Self {
        self.entitlements = entitlements;
        self
    }

    /// How long the tasks take that changes are made by, on tokio's clock. Until then, nothing of a change shows;
    /// after it, it shows with the next request. Default zero: it shows with the one that it was asked with.
    pub fn task_time(mut self, time: Duration) -> Self {
        self.task_time = time;
        self
    }

    /// Starts the server.
    ///
    /// # Errors
    ///
    /// When the loopback interface gives no port to listen on.
    pub async fn start(self) -> io::Result<SailPoint> {
        let seed = self.settings.seed;
        let rng = &mut seed::rng(seed, 0x5A);
        let sources = Sources::new(seed, self.entitlements);
        let documented_only = self.settings.documented_only;
        let recipe = Arc::new(Accounts::new(seed, sources.clone()));
        let world = self.settings.world(recipe);
        let (scope, level) = (self.rules.scopes.join(" "), self.rules.level.clone());
        let tenant = Arc::new(Tenant {
            world: Arc::clone(&world),
            sources,
            rules: Rules { documented_only, ..self.rules },
            client_id: seed::hex_id(rng),
            client_secret: seed::hex_id(rng) + &seed::hex_id(rng),
            tokens: Mutex::new(Tokens::new(seed, self.token_lifetime, scope, level)),
            limiter: Mutex::new(Limiter::new(self.rate_limit)),
            views: Mutex::default(),
            tasks: Mutex::new(Tasks::new(seed, self.task_time)),
            entitlements: Mutex::default(),
            answers: Answers::new(seed),
            seed,
        });
        let server = Server::start(self.settings, world, tenant.clone(), |base_url| {
            vec![
                ("SAIL_BASE_URL", base_url.to_owned()),
                ("SAIL_CLIENT_ID", tenant.client_id.clone()),
                ("SAIL_CLIENT_SECRET", tenant.client_secret.clone()),
            ]
        })
        .await?;
        Ok(SailPoint { server, tenant })
    }
}

impl Default for SailPointBuilder {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            rules: Rules {
                scopes: vec!["sp:scopes:all".to_owned()],
                level: "ORG_ADMIN".to_owned(),
                ..Rules::default()
            },
            token_lifetime: Duration::from_secs(749),
            rate_limit: Some((100, Duration::from_secs(10))),
            entitlements: 20,
            task_time: Duration::ZERO,
        }
    }
}
