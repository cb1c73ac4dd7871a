//! Huawei Cloud Organizations: signed requests to its account endpoints, with `marker` paging.

mod accounts;
mod body;
mod changes;
mod keys;
mod listing;
mod refusal;
mod routes;
mod signature;

use std::io;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;

use crate::seed::Answers;
use crate::server::Server;
use crate::settings::{Settings, shared_settings};
use crate::simulators::simulator;
use crate::world::Id;
use accounts::{Accounts, Tree};
use keys::Keys;
use listing::Markers;
use routes::Organization;

/// A simulated Huawei Cloud Organizations service behind its API gateway.
///
/// It has every account endpoint of the reference: those of `/v1/organizations/accounts` with what is below
/// it, `POST /v2/organizations/accounts`, `…/create-account-status`, `…/close-account-status` and
/// `…/entities`. Every request is checked as the gateway does it: the signature `SDK-HMAC-SHA256` is computed
/// anew from the bytes that arrived.
///
/// A creation is under way for [some looks](HuaweiBuilder::creation_looks) at its status; then the account is
/// in the world, under the root. A closed account is `pending_closure`, and stays so until a test says
/// otherwise: the list of closures tells of all accounts that are `pending_closure` or `suspended`.
///
/// # Assumptions
///
/// - The listing is in the order of the ids. A marker stands for a place in it, so it outlives the account
///   it was made from, and another `limit` or `parent_id` may be used with it.
/// - A parent that does not exist is 404 with `Organizations.1201`; any other bad parameter, an unknown
///   marker included, is 400 with `Organizations.1014`. Neither code is documented.
/// - Unknown routes and wrong methods are both 404 with `APIGW.0101`, whose text is "API or method does not
///   exist".
/// - Every failed authentication of a known key counts towards its lock, and any good one starts the count
///   again. The request that makes it six is still answered with its own error.
/// - A security token that comes with a permanent key is not looked at.
/// - Closing and moving are for the management account only, as all other changes are.
/// - A body that is no JSON object, or whose `Content-Type` is not `application/json`, is a bad parameter, as is
///   a known member of another type or length; members that no reference names are passed over. Names of new
///   accounts have 1 to 64 characters, names of agencies at most 64, descriptions 4096, e-mail addresses 1 to 255,
///   phone numbers 1 to 32. What has no body needs no `Content-Type`.
/// - An account that does not exist is 404 with `Organizations.1301`, a creation 404 with `.1304`; a quota that
///   is used up is 400 with `.1302`, and what can not be done to this account 400 with `.1303`. None of these
///   codes is documented. The quotas are: 5 creations and 3 closures under way, closures of a tenth of all
///   accounts (rounded up, at most 200), 20 invitations in 24 hours.
/// - A creation fails with `account_name_already_exists` if an account of the organization has the name.
/// - Closing a closed account is told as closing one that is being closed (`.1325`).
/// - An account that is in the organization can not be invited; an invitation is open for 14 days, and nobody
///   answers it.
/// - The services of an account that is no delegated administrator are an empty list.
/// - `child_id` may be an account; the parent of the root is an empty list.
/// - A missing `X-Domain-Id`, where one is required, is 404 with `Organizations.1010` ("required HTTP header
///   not found"); a wrong one is 401 with `APIGW.0301`.
pub struct Huawei {
    server: Server,
    organization: Arc<Organization>,
}

impl Huawei {
    /// The access key id.
    pub fn ak(&self) -> &str {
        &self.organization.keys.ak
    }

    /// The secret access key.
    pub fn sk(&self) -> &str {
        &self.organization.keys.sk
    }

    /// The security token that goes with the keys, if they are temporary.
    pub fn security_token(&self) -> Option<&str> {
        self.organization.keys.security_token.as_deref()
    }

    /// The id of the management account.
    pub fn domain_id(&self) -> &str {
        &self.organization.keys.domain_id
    }

    /// The ids that `parent_id` may take: the root first, then the organizational units.
    pub fn parents(&self) -> Vec<String> {
        self.organization.tree.parents().to_vec()
    }

    /// The services of which an account, there or not, is a delegated administrator: they follow from the id.
    pub fn delegated_services(&self, account: &str) -> Vec<&'static str> {
        listing::services_of(&Id::from_hex(account))
    }

    /// The organization's id.
    pub fn organization_id(&self) -> &str {
        self.organization.accounts.organization()
    }

    /// The direct parent of an account, there or not: unless it was created or moved here, it follows from
    /// the id, for inserted records too.
    pub fn parent_of(&self, account: &str) -> String {
        self.organization.tree.parent_of(&Id::from_hex(account)).to_owned()
    }
}

simulator! {
    Huawei, HuaweiBuilder,
    name: "huawei", id_field: "id", page: listing::page,
    secrets: |this| {
        let keys = [Some(this.ak()), Some(this.sk()), this.security_token()];
        keys.into_iter().flatten().map(str::to_owned).collect()
    }
}

/// What the last page says in place of a next marker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HuaweiLastMarker {
    /// `"next_marker": null`, as documented.
    #[default]
    Null,
    /// No `next_marker`.
    Absent,
    /// `"next_marker": ""`.
    Empty,
}

/// The site of Huawei Cloud that the organization belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HuaweiSite {
    /// The international site, where a new account must have an e-mail address.
    #[default]
    International,
    /// The site of the Chinese mainland, where a new account must have a mobile number.
    China,
}

#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) last_marker: HuaweiLastMarker,
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
    pub(crate) creation_looks: u32,
    /// Reason and detail.
    pub(crate) creation_failure: Option<(String, String)>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            last_marker: HuaweiLastMarker::default(),
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
            creation_looks: 1,
            creation_failure: None,
        }
    }
}

/// Builds a [`Huawei`] server.
#[derive(Debug, Default)]
#[must_use = "a server is not there until it is started"]
pub struct HuaweiBuilder {
    settings: Settings,
    rules: Rules,
    temporary: bool,
    domain_env: bool,
}

impl HuaweiBuilder {
    shared_settings!(settings);

    /// How far the server's clock is ahead of the system's; its `Date` headers follow it. Default zero.
    pub fn clock_offset(mut self, offset: TimeDelta) -> Self {
        self.rules.clock_offset = offset;
        self
    }

    /// Whether the keys are temporary, and so need their `X-Security-Token`. Default false.
    pub fn temporary(mut self, temporary: bool) -> Self {
        self.temporary = temporary;
        self
    }

    /// Whether `X-Domain-Id` must be there and right. Default false: the signing guide asks for it with
    /// global services, the pages of this service do not. Puts it in the environment too.
    pub fn require_domain_id(mut self, require: bool) -> Self {
        self.rules.require_domain_id = require;
        self.domain_env = require;
        self
    }

    /// Whether the caller is neither the management account nor a delegated administrator: then all reading
    /// is refused with 401 and `Organizations.1002`, all changing with `Organizations.1001`. Default false.
    pub fn not_management_account(mut self, other: bool) -> Self {
        self.rules.not_management_account = other;
        self
    }

    /// Whether the caller is a delegated administrator: then changing is refused with 401 and
    /// `Organizations.1001`. Default false.
    pub fn delegated_administrator(mut self, delegated: bool) -> Self {
        self.rules.delegated_administrator = delegated;
        self
    }

    /// Has a policy deny an IAM action, such as `organizations:accounts:create`: 403 with
    /// `Organizations.1007`. May be called several times.
    pub fn deny_action(mut self, action: impl Into<String>) -> Self {
        self.rules.denied_actions.push(action.into());
        self
    }

    /// Refuses the first n changes with 409 and `Organizations.1003`, as if others were under way. Default 0.
    pub fn conflicts(mut self, n: u64) -> Self {
        self.rules.conflicts = n;
        self
    }

    /// The site that the organization belongs to. Default international.
    pub fn site(mut self, site: HuaweiSite) -> Self {
        self.rules.site = site;
        self
    }

    /// The most accounts that there may be; more can not be created. Default none: the documented 10 are
    /// fewer than most worlds have.
    pub fn account_quota(mut self, most: usize) -> Self {
        self.rules.account_quota = Some(most);
        self
    }

    /// How many looks at the status of a creation find it under way; the next one finds it done. With 0 it is
    /// done when it is asked for. Default 1.
    pub fn creation_looks(mut self, looks: u32) -> Self {
        self.rules.creation_looks = looks;
        self
    }

    /// Makes every creation fail, with this `failure_reason` and this `error_msg` in its details.
    pub fn creations_fail(mut self, reason: impl Into<String>, detail: impl Into<String>) -> Self {
        self.rules.creation_failure = Some((reason.into(), detail.into()));
        self
    }

    /// What the last page says in place of a next marker.
    pub fn last_marker(mut self, last: HuaweiLastMarker) -> Self {
        self.rules.last_marker = last;
        self
    }

    /// Makes every n-th page of a walk empty, with a next marker. Default none; 0 and 1 are taken for 2, or
    /// a walk would never end.
    pub fn empty_page_every(mut self, n: u64) -> Self {
        self.rules.empty_page_every = Some(n.max(2));
        self
    }

    /// Makes every n-th page of a walk hold about half of what it could, with a next marker. Default none;
    /// 0 is taken for 1.
    pub fn short_page_every(mut self, n: u64) -> Self {
        self.rules.short_page_every = Some(n.max(1));
        self
    }

    /// Starts the server.
    ///
    /// # Errors
    ///
    /// When the loopback interface gives no port to listen on.
    pub async fn start(self) -> io::Result<Huawei> {
        let seed = self.settings.seed;
        let keys = Keys::new(seed, self.temporary);
        let accounts = Accounts::new(seed, &keys.domain_id);
        let world = self.settings.world(Arc::new(accounts.clone()));
        let organization = Arc::new(Organization {
            world: Arc::clone(&world),
            keys,
            rules: self.rules,
            accounts,
            tree: Tree::new(seed),
            creations: Mutex::default(),
            closures: Mutex::default(),
            invitations: Mutex::default(),
            changes: Mutex::default(),
            markers: Markers::new(seed),
            lockout: Mutex::default(),
            answers: Answers::new(seed),
            seed,
        });
        let server = Server::start(self.settings, world, organization.clone(), |base_url| {
            let keys = &organization.keys;
            let mut env = vec![
                ("HUAWEICLOUD_SDK_AK", keys.ak.clone()),
                ("HUAWEICLOUD_SDK_SK", keys.sk.clone()),
                ("HUAWEICLOUD_SDK_REGION_ORGANIZATIONS_CN_NORTH_4", base_url.to_owned()),
            ];
            if let Some(token) = &keys.security_token {
                env.push(("HUAWEICLOUD_SDK_SECURITY_TOKEN", token.clone()));
            }
            if self.domain_env {
                env.push(("HUAWEICLOUD_SDK_DOMAIN_ID", keys.domain_id.clone()));
            }
            env
        })
        .await?;
        Ok(Huawei { server, organization })
    }
}
