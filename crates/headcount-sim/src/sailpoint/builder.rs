//! How a `SailPoint` server behaves.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::SailPoint;
use super::accounts::Accounts;
use super::routes::Tenant;
use super::sources::Sources;
use super::tasks::Tasks;
use super::tokens::Tokens;
use crate::rate::Limiter;
use crate::seed::{self, Answers};
use crate::server::Server;
use crate::settings::{Settings, shared_settings};

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
