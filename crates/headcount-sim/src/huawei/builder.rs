//! How a Huawei server behaves.

use std::io;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;

use super::Huawei;
use super::accounts::{Accounts, Tree};
use super::keys::Keys;
use super::marker::Markers;
use super::routes::Organization;
use crate::seed::Answers;
use crate::server::Server;
use crate::settings::{Settings, shared_settings};

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
