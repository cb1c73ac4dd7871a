//! Huawei Cloud Organizations: signed requests to its account endpoints, with `marker` paging.

mod accounts;
mod api_error;
mod body;
mod changes;
mod credentials;
mod listing;
mod routes;
mod signature;

use std::io;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;

use crate::config::{SimConfig, config_methods};
use crate::rng::RequestCounter;
use crate::server::Server;
use crate::simulators::simulator;
use crate::world::Id;
use accounts::{Accounts, Tree};
use credentials::Credentials;
use listing::MarkerCodec;
use routes::HuaweiState;

/// A simulated Huawei Cloud Organizations service, including its API gateway.
///
/// It implements every account endpoint of the reference: `/v1/organizations/accounts` and the paths below
/// it, `POST /v2/organizations/accounts`, `…/create-account-status`, `…/close-account-status` and
/// `…/entities`. Every request is authenticated as the gateway does. The `SDK-HMAC-SHA256` signature is
/// computed from the bytes received.
///
/// A creation is in progress for [a number of polls](HuaweiBuilder::creation_polls) of its status. Then the
/// account exists, under the root. A closed account is `pending_closure`, and remains so until a test changes
/// it. The list of closures contains all accounts that are `pending_closure` or `suspended`.
///
/// # Assumptions
///
/// - The listing is sorted by id. A marker is a position in it. It remains valid after its account is
///   removed, and can be used with a different `limit` or `parent_id`.
/// - An unknown parent gets 404 with `Organizations.1201`. Any other invalid parameter, including an unknown
///   marker, gets 400 with `Organizations.1014`. Neither code is documented.
/// - Unknown routes and wrong methods get 404 with `APIGW.0101`, whose text is "API or method does not
///   exist".
/// - Every failed authentication of a known key counts towards its lockout. A successful one resets the
///   count. The sixth consecutive failure still gets its own error.
/// - A security token in addition to a permanent key is ignored.
/// - Closing and moving require the management account, as all other changes do.
/// - A body that is not a JSON object, or whose `Content-Type` is not `application/json`, is an invalid
///   parameter. So is a known member of a wrong type or length. Unknown members are ignored. Requests without
///   a body require no `Content-Type`.
/// - Length limits in characters: names of new accounts 1 to 64, names of agencies at most 64, descriptions
///   at most 4096, email addresses 1 to 255, phone numbers 1 to 32.
/// - An unknown account gets 404 with `Organizations.1301`, and an unknown creation 404 with `.1304`. An
///   exhausted quota gets 400 with `.1302`. An operation that is not possible for the account gets 400 with
///   `.1303`. None of these codes is documented.
/// - Quotas: 5 creations and 3 closures in progress, closures of a tenth of all accounts (rounded up, at most
///   200), 20 invitations in 24 hours.
/// - A creation fails with `account_name_already_exists` if an account of the organization has the name.
/// - Closing a closed account gets the same error as closing one that is being closed (`.1325`).
/// - An account of the organization cannot be invited. An invitation is valid for 14 days, and is never
///   accepted or declined.
/// - The services of an account that is not a delegated administrator are an empty list.
/// - `child_id` may be an account. The parent of the root is an empty list.
/// - A missing `X-Domain-Id` that is required gets 404 with `Organizations.1010` ("required HTTP header not
///   found"). A wrong one gets 401 with `APIGW.0301`.
pub struct Huawei {
    server: Server,
    state: Arc<HuaweiState>,
}

impl Huawei {
    /// Returns the access key id (AK).
    pub fn ak(&self) -> &str {
        &self.state.credentials.ak
    }

    /// Returns the secret access key (SK).
    pub fn sk(&self) -> &str {
        &self.state.credentials.sk
    }

    /// Returns the security token, if the keys are temporary.
    pub fn security_token(&self) -> Option<&str> {
        self.state.credentials.security_token.as_deref()
    }

    /// Returns the id of the management account.
    pub fn domain_id(&self) -> &str {
        &self.state.credentials.domain_id
    }

    /// Returns the valid values of `parent_id`: the root, then the organizational units.
    pub fn parents(&self) -> Vec<String> {
        self.state.tree.parents().to_vec()
    }

    /// Returns the services of which an account is a delegated administrator. They are derived from the id,
    /// so the account need not exist.
    pub fn delegated_services(&self, account: &str) -> Vec<&'static str> {
        listing::delegated_services(&Id::from_hex(account))
    }

    /// Returns the organization's id.
    pub fn organization_id(&self) -> &str {
        self.state.accounts.organization()
    }

    /// Returns the direct parent of an account. Unless the account was created or moved by a request, the
    /// parent is derived from the id, so the account need not exist.
    pub fn parent_of(&self, account: &str) -> String {
        self.state.tree.parent_of(&Id::from_hex(account)).to_owned()
    }
}

simulator! {
    Huawei, HuaweiBuilder,
    name: "huawei", id_field: "id", page: listing::page,
    secrets: |this| {
        let secrets = [Some(this.ak()), Some(this.sk()), this.security_token()];
        secrets.into_iter().flatten().map(str::to_owned).collect()
    }
}

/// The `next_marker` of the last page at Huawei.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LastMarker {
    /// `"next_marker": null`, as documented.
    #[default]
    Null,
    /// No `next_marker`.
    Absent,
    /// `"next_marker": ""`.
    Empty,
}

/// The Huawei Cloud site of the organization.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HuaweiSite {
    /// The international site, where a new account requires an email address.
    #[default]
    International,
    /// The site of the Chinese mainland, where a new account requires a mobile phone number.
    China,
}

#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) last_marker: LastMarker,
    pub(crate) clock_offset: TimeDelta,
    pub(crate) require_domain_id: bool,
    pub(crate) not_management_account: bool,
    pub(crate) delegated_administrator: bool,
    pub(crate) denied_actions: Vec<String>,
    pub(crate) conflicts: u64,
    pub(crate) empty_page_every: Option<u64>,
    pub(crate) short_page_every: Option<u64>,
    pub(crate) site: HuaweiSite,
    pub(crate) account_quota: Option<usize>,
    pub(crate) creation_polls: u32,
    /// Reason and detail.
    pub(crate) creation_failure: Option<(String, String)>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            last_marker: LastMarker::default(),
            clock_offset: TimeDelta::zero(),
            require_domain_id: false,
            not_management_account: false,
            delegated_administrator: false,
            denied_actions: Vec::new(),
            conflicts: 0,
            empty_page_every: None,
            short_page_every: None,
            site: HuaweiSite::default(),
            account_quota: None,
            creation_polls: 1,
            creation_failure: None,
        }
    }
}

/// Builds a [`Huawei`] server.
#[derive(Debug, Default)]
#[must_use = "a builder does nothing until it is started"]
pub struct HuaweiBuilder {
    config: SimConfig,
    rules: Rules,
    temporary: bool,
    domain_env: bool,
}

impl HuaweiBuilder {
    config_methods!(config);

    /// Sets how far the server's clock, including its `Date` headers, is ahead of the system clock. Default:
    /// zero.
    pub fn clock_offset(mut self, offset: TimeDelta) -> Self {
        self.rules.clock_offset = offset;
        self
    }

    /// Sets whether the keys are temporary and require an `X-Security-Token`. Default: false.
    pub fn temporary(mut self, temporary: bool) -> Self {
        self.temporary = temporary;
        self
    }

    /// Sets whether a correct `X-Domain-Id` is required, and whether [`Server::env`] includes it. Default:
    /// false. The signing guide requires it for global services, but the pages of this service do not mention
    /// it.
    pub fn require_domain_id(mut self, require: bool) -> Self {
        self.rules.require_domain_id = require;
        self.domain_env = require;
        self
    }

    /// Sets whether the caller is neither the management account nor a delegated administrator. Reads then
    /// get 401 with `Organizations.1002`, and changes 401 with `Organizations.1001`. Default: false.
    pub fn not_management_account(mut self, other: bool) -> Self {
        self.rules.not_management_account = other;
        self
    }

    /// Sets whether the caller is a delegated administrator. Changes then get 401 with `Organizations.1001`.
    /// Default: false.
    pub fn delegated_administrator(mut self, delegated: bool) -> Self {
        self.rules.delegated_administrator = delegated;
        self
    }

    /// Denies an IAM action, such as `organizations:accounts:create`, by a policy: 403 with
    /// `Organizations.1007`. May be called repeatedly.
    pub fn deny_action(mut self, action: impl Into<String>) -> Self {
        self.rules.denied_actions.push(action.into());
        self
    }

    /// Makes the first n changes fail with 409 and `Organizations.1003`, as for concurrent changes. Default:
    /// 0.
    pub fn conflicts(mut self, n: u64) -> Self {
        self.rules.conflicts = n;
        self
    }

    /// Sets the site of the organization. Default: international.
    pub fn site(mut self, site: HuaweiSite) -> Self {
        self.rules.site = site;
        self
    }

    /// Sets the maximum number of accounts. Default: none, because the documented quota is only 10.
    pub fn account_quota(mut self, max: usize) -> Self {
        self.rules.account_quota = Some(max);
        self
    }

    /// Sets for how many polls of its status a creation is in progress. The next poll returns the result.
    /// With 0, the response of the creation itself does. Default: 1.
    pub fn creation_polls(mut self, polls: u32) -> Self {
        self.rules.creation_polls = polls;
        self
    }

    /// Makes every creation fail with this `failure_reason`, and this `error_msg` in its details.
    pub fn creations_fail(mut self, reason: impl Into<String>, detail: impl Into<String>) -> Self {
        self.rules.creation_failure = Some((reason.into(), detail.into()));
        self
    }

    /// Sets the `next_marker` of the last page.
    pub fn last_marker(mut self, last: LastMarker) -> Self {
        self.rules.last_marker = last;
        self
    }

    /// Makes every n-th page of a listing empty, with a next marker. Default: none. 0 and 1 are treated as 2,
    /// because the listing would never end otherwise.
    pub fn empty_page_every(mut self, n: u64) -> Self {
        self.rules.empty_page_every = Some(n.max(2));
        self
    }

    /// Halves the limit of every n-th page of a listing, which has a next marker if rows remain. Default:
    /// none. 0 is treated as 1.
    pub fn short_page_every(mut self, n: u64) -> Self {
        self.rules.short_page_every = Some(n.max(1));
        self
    }

    /// Starts the server.
    ///
    /// # Errors
    ///
    /// Fails if no port can be bound on the loopback interface.
    pub async fn start(self) -> io::Result<Huawei> {
        let seed = self.config.seed;
        let credentials = Credentials::new(seed, self.temporary);
        let accounts = Accounts::new(seed, &credentials.domain_id);
        let world = self.config.world(Arc::new(accounts.clone()));
        let state = Arc::new(HuaweiState {
            world: Arc::clone(&world),
            credentials,
            rules: self.rules,
            accounts,
            tree: Tree::new(seed),
            creations: Mutex::default(),
            closures: Mutex::default(),
            invitations: Mutex::default(),
            changes: Mutex::default(),
            markers: MarkerCodec::new(seed),
            lockout: Mutex::default(),
            request_counter: RequestCounter::new(seed),
            seed,
        });
        let server = Server::start(self.config, world, state.clone(), |base_url| {
            let credentials = &state.credentials;
            let mut env = vec![
                ("HUAWEICLOUD_SDK_AK", credentials.ak.clone()),
                ("HUAWEICLOUD_SDK_SK", credentials.sk.clone()),
                ("HUAWEICLOUD_SDK_REGION_ORGANIZATIONS_CN_NORTH_4", base_url.to_owned()),
            ];
            if let Some(token) = &credentials.security_token {
                env.push(("HUAWEICLOUD_SDK_SECURITY_TOKEN", token.clone()));
            }
            if self.domain_env {
                env.push(("HUAWEICLOUD_SDK_DOMAIN_ID", credentials.domain_id.clone()));
            }
            env
        })
        .await?;
        Ok(Huawei { server, state })
    }
}
