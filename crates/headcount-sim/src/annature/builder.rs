//! How an Annature server behaves.

use std::io;
use std::sync::{Arc, Mutex};

use super::Annature;
use super::accounts::Accounts;
use super::ledger::Ledger;
use super::routes::Workspace;
use crate::seed::{self, Answers};
use crate::server::Server;
use crate::settings::{Settings, shared_settings};
use crate::world::World;

/// What the last page of `GET /v2/accounts` has for a cursor. Not documented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnnatureLastCursor {
    /// `"cursor": null`.
    #[default]
    Null,
    /// No `cursor`.
    Absent,
    /// A cursor as on any page, behind which there is nothing. On an empty page it is null.
    Text,
}

/// How an Annature server writes the body of an error. Neither is documented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnnatureErrors {
    /// `{"message": "…"}`, which a client in the wild reads.
    #[default]
    Message,
    /// `{"status": 404, "error": "Not Found"}`, as Rails does it of itself.
    Rails,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) page_size: usize,
    pub(crate) last_cursor: AnnatureLastCursor,
    pub(crate) before_inclusive: bool,
    pub(crate) after_inclusive: bool,
    pub(crate) errors: AnnatureErrors,
}

/// Builds an [`Annature`] server.
#[derive(Debug)]
#[must_use = "a server is not there until it is started"]
pub struct AnnatureBuilder {
    settings: Settings,
    rules: Rules,
    partner_accounts: usize,
    partner_env: bool,
}

impl AnnatureBuilder {
    shared_settings!(settings);

    /// How many accounts the organisations have that the partner has provisioned. Default 12.
    pub fn partner_accounts(mut self, accounts: usize) -> Self {
        self.partner_accounts = accounts;
        self
    }

    /// Whether the environment holds the partner key, so that clients made from it list the partner's
    /// accounts. Default false.
    pub fn partner_env(mut self, partner: bool) -> Self {
        self.partner_env = partner;
        self
    }

    /// The rows of a page of `GET /v2/accounts`. Default 100; the real number is not documented.
    pub fn page_size(mut self, rows: usize) -> Self {
        self.rules.page_size = rows.max(1);
        self
    }

    /// What the last page has for a cursor.
    pub fn last_cursor(mut self, last: AnnatureLastCursor) -> Self {
        self.rules.last_cursor = last;
        self
    }

    /// Whether `created_before` finds accounts of that very instant. Default false; not documented.
    pub fn created_before_inclusive(mut self, inclusive: bool) -> Self {
        self.rules.before_inclusive = inclusive;
        self
    }

    /// Whether `created_after` finds accounts of that very instant. Default false; not documented.
    pub fn created_after_inclusive(mut self, inclusive: bool) -> Self {
        self.rules.after_inclusive = inclusive;
        self
    }

    /// How errors are written.
    pub fn errors(mut self, errors: AnnatureErrors) -> Self {
        self.rules.errors = errors;
        self
    }

    /// Starts the server.
    ///
    /// # Errors
    ///
    /// When the loopback interface gives no port to listen on.
    pub async fn start(self) -> io::Result<Annature> {
        let (seed, documented_only) = (self.settings.seed, self.settings.documented_only);
        let rng = &mut seed::rng(seed, 0xA7);
        let own = Accounts::own(seed);
        let organisation = own.organisation();
        let world = self.settings.world(Arc::new(own));
        let workspace = Arc::new(Workspace {
            world: Arc::clone(&world),
            partner_world: Mutex::new(World::new(
                Arc::new(Accounts::partner(seed)),
                self.partner_accounts,
                documented_only,
            )),
            ledger: Mutex::new(Ledger::new(seed)),
            rules: self.rules,
            organisation,
            id: seed::hex_id(rng),
            key: seed::hex_id(rng),
            partner_key: seed::hex_id(rng),
            answers: Answers::new(seed),
            seed,
        });
        let server = Server::start(self.settings, world, workspace.clone(), |base_url| {
            let mut env = vec![
                ("ANNATURE_BASE_URL", base_url.to_owned()),
                ("ANNATURE_ID", workspace.id.clone()),
                ("ANNATURE_KEY", workspace.key.clone()),
            ];
            if self.partner_env {
                env.push(("ANNATURE_PARTNER_KEY", workspace.partner_key.clone()));
            }
            env
        })
        .await?;
        Ok(Annature { server, workspace })
    }
}

impl Default for AnnatureBuilder {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            rules: Rules {
                page_size: 100,
                last_cursor: AnnatureLastCursor::default(),
                before_inclusive: false,
                after_inclusive: false,
                errors: AnnatureErrors::default(),
            },
            partner_accounts: 12,
            partner_env: false,
        }
    }
}
