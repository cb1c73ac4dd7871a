//! Annature: unpaged `GET /v1/accounts`, `GET /v2/accounts` with `cursor` paging, and the endpoints that
//! create and change accounts.

mod accounts;
mod api_error;
mod changes;
mod cursor;
mod listing;
mod routes;

use std::io;
use std::sync::{Arc, Mutex};

use crate::config::{SimConfig, config_methods};
use crate::pipeline::lock;
use crate::rng;
use crate::rng::RequestCounter;
use crate::server::Server;
use crate::simulators::simulator;
use crate::world::World;
use accounts::Accounts;
use changes::Registry;
use routes::AnnatureState;

/// A simulated Annature.
///
/// | route | |
/// |---|---|
/// | `GET /v1/accounts` | a bare array, newest first, at most 1,000 |
/// | `GET /v2/accounts` | pages |
/// | `POST /v1/accounts` | creates an account in the organisation of the API key |
/// | `POST /v1/accounts/register` | creates an organisation with an account; requires a partner key |
/// | `GET /v1/accounts/{id}` | one account |
/// | `PUT /v1/accounts/{id}` | changes the given fields; a new email address requires [`confirm_email`](Self::confirm_email) |
/// | `POST /v1/accounts/{id}/verification` | only while `verified` is null |
/// | `POST /v1/accounts/{id}/deactivate`, `…/restore` | sets `active` |
///
/// There are two sets of accounts. The server's own ([`Server::ids`] and so on) are those of the caller's
/// organisation. With a valid `X-Annature-Partner`, the accounts of the organisations that the partner
/// provisioned are listed instead, without the caller's own users. `before_list` then receives those
/// accounts. The API key of a registered organisation is valid immediately, and lists the accounts of that
/// organisation.
///
/// # Assumptions
///
/// - Invalid keys, including an invalid partner key, get 401. An invalid cursor gets 400, an unknown route
///   404.
/// - Ties of `created` are sorted by `id`, ascending. Accounts without a valid `created` are last, and match
///   no date filter.
/// - A cursor is a position. It remains valid after its account is removed, and can be used with any filters.
/// - Filters are case-sensitive. A filter without a value is ignored. An `active` other than `true` or
///   `false`, or an unknown role, matches nothing.
/// - Creating an account responds 201. The account is active. Its role is `administrator` if it is the first
///   of an organisation. Fields that were not sent are null. `verification` and `deactivate` respond 204, as
///   `restore` does.
/// - A body whose `Content-Type` is not JSON gets 415. A body that is not a JSON object gets 400. A member
///   that is missing, null, empty, or of a wrong type or format gets 422. Unknown members are ignored. Any
///   password and any group id is accepted.
/// - An email address of an existing account of any organisation, compared without case, gets 422. So does
///   verifying a verified account. Registering without a partner key gets 403, as does `skip_verification`
///   with either value without one.
/// - With a partner key, an id is looked up in the provisioned organisations first, then in the caller's own.
///   New accounts are still created in the caller's own organisation.
/// - Deactivating a deactivated account and restoring an active one succeed without effect. A deactivated
///   account can be changed.
pub struct Annature {
    server: Server,
    state: Arc<AnnatureState>,
}

impl Annature {
    /// Returns the public key, for `X-Annature-Id`.
    pub fn id(&self) -> &str {
        &self.state.id
    }

    /// Returns the private key, for `X-Annature-Key`.
    pub fn key(&self) -> &str {
        &self.state.key
    }

    /// Returns the partner key, for `X-Annature-Partner`.
    pub fn partner_key(&self) -> &str {
        &self.state.partner_key
    }

    /// Returns the ids of the accounts that the partner key lists, newest first.
    pub fn partner_ids(&self) -> Vec<String> {
        self.partner_world(|world| world.ids())
    }

    /// Returns the recipients of the emails sent so far, in order. Emails are sent to verify an account or to
    /// confirm a changed address.
    pub fn mails(&self) -> Vec<String> {
        lock(&self.state.registry).mails.clone()
    }

    /// Confirms the changed email address of an account, as the link in the email does. Returns false if
    /// there is none to confirm, or if another account has the address now.
    pub fn confirm_email(&self, id: &str) -> bool {
        self.state.confirm_email(id)
    }

    /// Locks the accounts that the partner key lists, to read or to change them.
    pub fn partner_world<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut lock(&self.state.partner_world))
    }
}

simulator! {
    Annature, AnnatureBuilder,
    name: "annature", id_field: "id", page: listing::page,
    secrets: |this| vec![this.key().to_owned(), this.partner_key().to_owned()]
}

/// The cursor of the last page of Annature's `GET /v2/accounts`. Not documented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LastCursor {
    /// `"cursor": null`.
    #[default]
    Null,
    /// No `cursor`.
    Absent,
    /// A cursor as on any other page, which leads to an empty page. An empty page has a null cursor.
    Text,
}

/// The format of an Annature error body. Neither is documented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnnatureErrors {
    /// `{"message": "…"}`, which a third-party client expects.
    #[default]
    Message,
    /// `{"status": 404, "error": "Not Found"}`, the default of Rails.
    Rails,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) page_size: usize,
    pub(crate) last_cursor: LastCursor,
    pub(crate) before_inclusive: bool,
    pub(crate) after_inclusive: bool,
    pub(crate) errors: AnnatureErrors,
}

/// Builds an [`Annature`] server.
#[derive(Debug)]
#[must_use = "a builder does nothing until it is started"]
pub struct AnnatureBuilder {
    config: SimConfig,
    rules: Rules,
    partner_accounts: usize,
    partner_env: bool,
}

impl AnnatureBuilder {
    config_methods!(config);

    /// Sets the number of accounts in the organisations that the partner provisioned. Default: 12.
    pub fn partner_accounts(mut self, accounts: usize) -> Self {
        self.partner_accounts = accounts;
        self
    }

    /// Sets whether [`Server::env`] includes the partner key, so that clients built from it list the
    /// partner's accounts. Default: false.
    pub fn partner_env(mut self, partner: bool) -> Self {
        self.partner_env = partner;
        self
    }

    /// Sets the page size of `GET /v2/accounts`. Default: 100. Not documented.
    pub fn page_size(mut self, rows: usize) -> Self {
        self.rules.page_size = rows.max(1);
        self
    }

    /// Sets the cursor of the last page.
    pub fn last_cursor(mut self, last: LastCursor) -> Self {
        self.rules.last_cursor = last;
        self
    }

    /// Sets whether `created_before` matches accounts of exactly that instant. Default: false. Not
    /// documented.
    pub fn created_before_inclusive(mut self, inclusive: bool) -> Self {
        self.rules.before_inclusive = inclusive;
        self
    }

    /// Sets whether `created_after` matches accounts of exactly that instant. Default: false. Not documented.
    pub fn created_after_inclusive(mut self, inclusive: bool) -> Self {
        self.rules.after_inclusive = inclusive;
        self
    }

    /// Sets the format of error bodies.
    pub fn errors(mut self, errors: AnnatureErrors) -> Self {
        self.rules.errors = errors;
        self
    }

    /// Starts the server.
    ///
    /// # Errors
    ///
    /// Fails if no port can be bound on the loopback interface.
    pub async fn start(self) -> io::Result<Annature> {
        let (seed, documented_only) = (self.config.seed, self.config.documented_only);
        let rng = &mut rng::seeded(seed, 0xA7);
        let own = Accounts::own(seed);
        let organisation = own.organisation();
        let world = self.config.world(Arc::new(own));
        let state = Arc::new(AnnatureState {
            world: Arc::clone(&world),
            partner_world: Mutex::new(World::new(
                Arc::new(Accounts::partner(seed)),
                self.partner_accounts,
                documented_only,
            )),
            registry: Mutex::new(Registry::new(seed)),
            rules: self.rules,
            organisation,
            id: rng::hex_id(rng),
            key: rng::hex_id(rng),
            partner_key: rng::hex_id(rng),
            request_counter: RequestCounter::new(seed),
            seed,
        });
        let server = Server::start(self.config, world, state.clone(), |base_url| {
            let mut env = vec![
                ("ANNATURE_BASE_URL", base_url.to_owned()),
                ("ANNATURE_ID", state.id.clone()),
                ("ANNATURE_KEY", state.key.clone()),
            ];
            if self.partner_env {
                env.push(("ANNATURE_PARTNER_KEY", state.partner_key.clone()));
            }
            env
        })
        .await?;
        Ok(Annature { server, state })
    }
}

impl Default for AnnatureBuilder {
    fn default() -> Self {
        Self {
            config: SimConfig::default(),
            rules: Rules {
                page_size: 100,
                last_cursor: LastCursor::default(),
                before_inclusive: false,
                after_inclusive: false,
                errors: AnnatureErrors::default(),
            },
            partner_accounts: 12,
            partner_env: false,
        }
    }
}
