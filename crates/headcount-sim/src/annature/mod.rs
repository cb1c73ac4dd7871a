//! Annature: `GET /v1/accounts`, all at once, `GET /v2/accounts` with `cursor` paging, and what makes and
//! changes accounts.

mod accounts;
mod changes;
mod cursor;
mod listing;
mod refusal;
mod routes;

use std::io;
use std::sync::{Arc, Mutex};

use crate::gate::lock;
use crate::seed;
use crate::seed::Answers;
use crate::server::Server;
use crate::settings::{Settings, shared_settings};
use crate::simulators::simulator;
use crate::world::World;
use accounts::Accounts;
use changes::Ledger;
use routes::Workspace;

/// A simulated Annature.
///
/// | route | |
/// |---|---|
/// | `GET /v1/accounts` | a bare array, newest first, at most 1,000 |
/// | `GET /v2/accounts` | pages |
/// | `POST /v1/accounts` | makes an account in the organisation of the keys |
/// | `POST /v1/accounts/register` | makes an organisation with an account; needs a partner key |
/// | `GET /v1/accounts/{id}` | one account |
/// | `PUT /v1/accounts/{id}` | changes what is in the body; a new address waits for [`confirm_email`](Self::confirm_email) |
/// | `POST /v1/accounts/{id}/verification` | only while `verified` is null |
/// | `POST /v1/accounts/{id}/deactivate`, `…/restore` | sets `active` |
///
/// There are two populations. The server's own ([`Server::ids`] and so on) is the caller's organisation. With
/// a good `X-Annature-Partner` the accounts of the organisations that the partner has provisioned are listed
/// instead, without the caller's own users; `before_list` is then given that world. The keys of a registered
/// organisation are good from then on, and find that organisation's accounts.
///
/// # Assumptions
///
/// - Wrong keys, a wrong partner key included, are 401. A bad cursor is 400, an unknown route 404.
/// - Ties of `created` are broken by `id`, ascending. Accounts without a readable `created` come last, and
///   no date filter finds them.
/// - A cursor stands for a place, so it outlives the account it was made from; it goes with any filters.
/// - Filters are case-sensitive. A filter without a value is ignored; `active` other than `true` or `false`,
///   or an unknown role, finds nothing.
/// - What makes an account answers with 201; the account is active, its role `administrator` if it is an
///   organisation's first, and what was not asked for null. `verification` and `deactivate` answer with 204,
///   as `restore` does.
/// - A body that is not said to be JSON is 415, one that is no JSON object 400, and a member of a wrong type,
///   null, empty, of another form or missing 422. Unknown members are passed over. Any password, and any
///   group's id, is taken.
/// - An address that an account of any organisation has, in any case, is 422, and so is verifying a verified
///   account. Registering without a partner key, and `skip_verification` of either value without one, are
///   403.
/// - With a partner key, an id is looked for in the provisioned organisations first, and then in one's own.
///   New accounts are made in one's own organisation all the same.
/// - Deactivating what is deactivated and restoring what is active does nothing, successfully. A deactivated
///   account can be changed.
pub struct Annature {
    server: Server,
    workspace: Arc<Workspace>,
}

impl Annature {
    /// The public key, for `X-Annature-Id`.
    pub fn id(&self) -> &str {
        &self.workspace.id
    }

    /// The private key, for `X-Annature-Key`.
    pub fn key(&self) -> &str {
        &self.workspace.key
    }

    /// The partner key, for `X-Annature-Partner`.
    pub fn partner_key(&self) -> &str {
        &self.workspace.partner_key
    }

    /// The ids of the accounts that the partner key lists now, newest first.
    pub fn partner_ids(&self) -> Vec<String> {
        self.partner_world(|world| world.ids())
    }

    /// The addresses that mails went to, in the order they were sent: to verify an account, or to confirm a
    /// changed address.
    pub fn mails(&self) -> Vec<String> {
        lock(&self.workspace.ledger).mails.clone()
    }

    /// Takes the changed address of an account into use, as the link in its mail does. False when there is
    /// none to confirm, or when another account has it by now.
    pub fn confirm_email(&self, id: &str) -> bool {
        self.workspace.confirm(id)
    }

    /// Looks at the accounts that the partner key lists, or changes them.
    pub fn partner_world<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut lock(&self.workspace.partner_world))
    }
}

simulator! {
    Annature, AnnatureBuilder,
    name: "annature", id_field: "id", page: listing::page,
    secrets: |this| vec![this.key().to_owned(), this.partner_key().to_owned()]
}

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
