use chrono::DateTime;
use futures::{FutureExt, future::BoxFuture};
use headcount::{
    Account, AccountKind, AccountStatus, Result,
    annature::{Client, ClientBuilder, Role},
};
use headcount_sim::{self as sim, AnnatureLastCursor, Settings, Simulator};
use serde_json::Value;

use super::{
    About, Accounts, Habits, NOWHERE, Named, Provider, Refused, Settable, Setup, Stranger, Tenants, Trait,
    date, refused, requests, set_up, settable, stranger, text,
};

pub(super) struct Row;

pub(crate) fn builder(server: &sim::Annature) -> ClientBuilder {
    builder_at(server.base_url(), server)
}

fn builder_at(url: &str, server: &sim::Annature) -> ClientBuilder {
    Client::builder(server.id(), server.key()).base_url(url)
}

/// With a ready key, for a transport of the test's own.
pub(crate) fn builder_over() -> ClientBuilder {
    Client::builder("id", "key").base_url(NOWHERE)
}

const WAYS: [AnnatureLastCursor; 3] =
    [AnnatureLastCursor::Null, AnnatureLastCursor::Absent, AnnatureLastCursor::Text];

impl Provider for Row {
    fn name(&self) -> &'static str {
        "annature"
    }

    fn traits(&self) -> &'static [Trait] {
        &[Trait::HasWords, Trait::HasEmptyPages, Trait::TakesSecrets]
    }

    fn start(&self, settings: Settings, habits: Habits) -> BoxFuture<'static, Box<dyn Simulator>> {
        let builder = sim::Annature::builder().settings(settings).page_size(habits.rows);
        let builder = builder.last_cursor(WAYS[habits.way % WAYS.len()]);
        async move { Box::new(builder.start().await.unwrap()) as Box<dyn Simulator> }.boxed()
    }

    fn ways(&self) -> usize {
        WAYS.len()
    }

    /// As in the oldest answers known.
    fn add_rare_accounts(&self, server: &dyn Simulator) {
        server.update(&server.ids()[1], |record| {
            record.as_object_mut().unwrap().remove("active");
        });
    }

    fn client(&self, server: &dyn Simulator, setup: &Setup) -> Box<dyn super::Client> {
        let workspace: &sim::Annature = server.downcast_ref().unwrap();
        let mut builder = builder_at(setup.url(server), workspace);
        if setup.every_credential {
            builder = builder.partner_key(workspace.partner_key());
        }
        Box::new(set_up!(builder, setup).build().unwrap())
    }

    fn client_over(&self, setup: &Setup) -> Box<dyn super::Client> {
        Box::new(set_up!(builder_over(), setup).build().unwrap())
    }

    fn strangers(&self, setup: &Setup) -> Vec<Stranger> {
        const KEY: &str = "canary-annature-key";
        const PARTNER: &str = "canary-partner-key";
        vec![stranger!(Client::builder("id", KEY).partner_key(PARTNER), setup, [KEY, PARTNER])]
    }

    fn refused(&self, secret: &str) -> Vec<Refused> {
        let odd = format!("{secret}\n\u{1F511}");
        refused![Client::builder("id", odd.as_str()), Client::builder("id", "k").partner_key(odd.as_str()),]
    }

    fn tenants(&self) -> Tenants {
        let list = |id: &str, partner: &str| {
            super::Client::list(&Client::builder(id, "k").partner_key(partner).build().unwrap(), 9)
        };
        Tenants {
            others: vec![
                [list("i", "partner-1"), list("i", "partner-2")],
                [list("i", "partner-1"), list("j", "partner-1")],
            ],
            alike: Vec::new(),
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

    fn seen(&self) -> (&'static [AccountKind], &'static [AccountStatus]) {
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

/// What both versions of the list are narrowed by.
const FILTERS: &str = "name email role active group_id created_before created_after";
const WITH_CURSOR: &str = "name email role active group_id created_before created_after cursor";

impl super::Client for Client {
    fn lists(&self, _: u32) -> Vec<Box<dyn Accounts>> {
        vec![Box::new(self.list_accounts()), Box::new(self.list_accounts_v1().follow_by_date(true))]
    }

    fn settable(&self) -> Vec<Settable> {
        let (early, late) = (DateTime::UNIX_EPOCH, DateTime::from_timestamp(1, 0).unwrap());
        macro_rules! filtered {
            ($list:expr, $documented:expr, $setter:ident($value:expr)) => {
                settable!(
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
            filtered!(self.list_accounts(), WITH_CURSOR, cursor("abcd")),
            filtered!(self.list_accounts_v1(), FILTERS, follow_by_date(true)),
        ]
    }

    fn get(&self, id: &str) -> BoxFuture<'static, Result<Account>> {
        let request = self.get_account(id).send();
        async { request.await.map(Into::into) }.boxed()
    }

    fn changes(&self, about: &About, secret: &str) -> Named {
        let id = &about.account;
        requests![
            "create": self.create_account("Ted", "ted@example.com").password(secret),
            "register": self.register_account("Bill", "bill@example.com", "Acme").password(secret),
            "update": self.update_account(id).name("Ted"),
            "resend verification": self.resend_verification(id),
            "deactivate": self.deactivate_account(id),
            "restore": self.restore_account(id),
        ]
    }

    fn others(&self, about: &About) -> Named {
        requests!["get": self.get_account(&about.account)]
    }
}
