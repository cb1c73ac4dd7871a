use chrono::DateTime;
use futures::{FutureExt, future::BoxFuture};
use headcount::{
    Account, AccountKind, AccountStatus, Result,
    annature::{Client, ClientBuilder, Role},
};
use headcount_sim::{self as sim, LastCursor, SimConfig, Simulator};
use serde_json::Value;

use super::{
    AccountList, CredentialCase, ListCase, ListingPairs, NamedRequests, Provider, Quirk, RejectedBuilder,
    RequestIds, ServerBehavior, Setup, UNREACHABLE_URL, configure, credential_case, date, list_case,
    rejected_builders, requests, text,
};

pub(super) struct Row;

pub(crate) fn builder(server: &sim::Annature) -> ClientBuilder {
    builder_at(server.base_url(), server)
}

fn builder_at(url: &str, server: &sim::Annature) -> ClientBuilder {
    Client::builder().id(server.id()).key(server.key()).base_url(url)
}

/// A builder with placeholder keys, for tests that set their own transport.
pub(crate) fn builder_over() -> ClientBuilder {
    Client::builder().id("id").key("key").base_url(UNREACHABLE_URL)
}

const VARIANTS: [LastCursor; 3] = [LastCursor::Null, LastCursor::Absent, LastCursor::Text];

impl Provider for Row {
    fn name(&self) -> &'static str {
        "annature"
    }

    fn quirks(&self) -> &'static [Quirk] {
        &[Quirk::OpenEnums, Quirk::EmptyPages, Quirk::SecretParameters]
    }

    fn start(&self, settings: SimConfig, behavior: ServerBehavior) -> BoxFuture<'static, Box<dyn Simulator>> {
        let builder = sim::Annature::builder().config(settings).page_size(behavior.page_size);
        let builder = builder.last_cursor(VARIANTS[behavior.variant % VARIANTS.len()]);
        async move { Box::new(builder.start().await.unwrap()) as Box<dyn Simulator> }.boxed()
    }

    fn variants(&self) -> usize {
        VARIANTS.len()
    }

    /// Removes `active`, as in the oldest known responses.
    fn add_rare_accounts(&self, server: &dyn Simulator) {
        server.update(&server.ids()[1], |record| {
            record.as_object_mut().unwrap().remove("active");
        });
    }

    fn client(&self, server: &dyn Simulator, setup: &Setup) -> Box<dyn super::Client> {
        let simulator: &sim::Annature = server.downcast_ref().unwrap();
        let mut builder = builder_at(setup.url(server), simulator);
        if setup.all_credentials {
            builder = builder.partner_key(simulator.partner_key());
        }
        Box::new(configure!(builder, setup).build().unwrap())
    }

    fn client_with_transport(&self, setup: &Setup) -> Box<dyn super::Client> {
        Box::new(configure!(builder_over(), setup).build().unwrap())
    }

    fn credential_cases(&self, setup: &Setup) -> Vec<CredentialCase> {
        const KEY: &str = "canary-annature-key";
        const PARTNER: &str = "canary-partner-key";
        vec![credential_case!(
            Client::builder().id("id").key(KEY).partner_key(PARTNER),
            setup,
            [KEY, PARTNER]
        )]
    }

    fn rejected_builders(&self, secret: &str) -> Vec<RejectedBuilder> {
        let unsendable = format!("{secret}\n\u{1F511}");
        rejected_builders![
            Client::builder().id("id").key(unsendable.as_str()),
            Client::builder().id("id").key("k").partner_key(unsendable.as_str()),
        ]
    }

    fn listing_pairs(&self) -> ListingPairs {
        let list = |id: &str, partner: &str| {
            super::Client::list(&Client::builder().id(id).key("k").partner_key(partner).build().unwrap(), 9)
        };
        ListingPairs {
            different: vec![
                [list("i", "partner-1"), list("i", "partner-2")],
                [list("i", "partner-1"), list("j", "partner-1")],
            ],
            same: Vec::new(),
        }
    }

    fn account(&self, record: &Value) -> Account {
        let id = text(record, "id").unwrap();
        let mut account = Account::new(headcount::Provider::Annature, AccountKind::User, id);
        account.name = text(record, "name");
        account.email = text(record, "email");
        let active = record["active"].as_bool();
        account.status = match (active, record["verified"].is_null()) {
            (Some(false), _) => AccountStatus::Disabled,
            (Some(true), true) => AccountStatus::Pending,
            (Some(true), false) => AccountStatus::Active,
            (None, _) => AccountStatus::Unspecified,
        };
        account.raw_status = active.map(|active| format!("active: {active}").into());
        account.created_at = date(record, "created");
        account.parent_id = text(record, "organisation_id");
        account.roles = vec![Role::from(&*text(record, "role").unwrap()).as_str().to_owned()];
        account
    }

    fn expected_values(&self) -> (&'static [AccountKind], &'static [AccountStatus]) {
        (
            &[AccountKind::User],
            &[
                AccountStatus::Active,
                AccountStatus::Disabled,
                AccountStatus::Pending,
                AccountStatus::Unspecified,
            ],
        )
    }
}

/// The query parameters of version 1.
const V1_PARAMETERS: &str = "name email role active group_id created_before created_after";
/// The query parameters of version 2.
const V2_PARAMETERS: &str = "name email role active group_id created_before created_after cursor";

impl super::Client for Client {
    fn lists(&self, _: u32) -> Vec<Box<dyn AccountList>> {
        vec![Box::new(self.list_accounts()), Box::new(self.list_accounts_v1().follow_by_date(true))]
    }

    fn list_cases(&self) -> Vec<ListCase> {
        let (early, late) = (DateTime::UNIX_EPOCH, DateTime::from_timestamp(1, 0).unwrap());
        macro_rules! filtered {
            ($list:expr, $documented:expr, $setter:ident($value:expr)) => {
                list_case!(
                    $list,
                    $documented,
                    [
                        name("a"),
                        email("a@example.com"),
                        role("standard"),
                        active(true),
                        group_id("g"),
                        created_before(early),
                        created_after(late),
                        partner_key("another"),
                        without_partner_key(),
                        $setter($value),
                    ]
                )
            };
        }
        vec![
            filtered!(self.list_accounts(), V2_PARAMETERS, cursor("abcd")),
            filtered!(self.list_accounts_v1(), V1_PARAMETERS, follow_by_date(true)),
        ]
    }

    fn get(&self, id: &str) -> BoxFuture<'static, Result<Account>> {
        let request = self.get_account(id).send();
        async { request.await.map(Into::into) }.boxed()
    }

    fn mutations(&self, ids: &RequestIds, secret: &str) -> NamedRequests {
        let id = &ids.account;
        requests![
            "create": self.create_account("Ted", "ted@example.com").password(secret),
            "register": self.register_account("Bill", "bill@example.com", "Acme").password(secret),
            "update": self.update_account(id).name("Ted"),
            "resend verification": self.resend_verification(id),
            "deactivate": self.deactivate_account(id),
            "restore": self.restore_account(id),
        ]
    }

    fn reads(&self, ids: &RequestIds) -> NamedRequests {
        requests!["get": self.get_account(&ids.account)]
    }
}
