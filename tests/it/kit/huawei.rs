use futures::{FutureExt, future::BoxFuture};
use headcount::{
    Account, AccountKind, AccountStatus, AlternateId, AnyPaginator, Paginator, Result,
    huawei::{Client, ClientBuilder, CloseAccountState, CreateAccountState, InviteTarget},
};
use headcount_sim::{self as sim, HuaweiLastMarker, Settings, Simulator};
use serde_json::Value;

use super::{
    About, Accounts, Habits, NOWHERE, Named, Provider, Refused, Settable, Setup, Stranger, Tenants, Trait,
    date, refused, requests, set_up, settable, stranger, text,
};

pub(super) struct Row;

pub(crate) fn builder(server: &sim::Huawei) -> ClientBuilder {
    builder_at(server.base_url(), server)
}

fn builder_at(url: &str, server: &sim::Huawei) -> ClientBuilder {
    let builder = Client::builder(server.ak(), server.sk()).base_url(url);
    match server.security_token() {
        Some(token) => builder.security_token(token),
        None => builder,
    }
}

/// With a ready key, for a transport of the test's own.
pub(crate) fn builder_over() -> ClientBuilder {
    Client::builder("access", "secret").base_url(NOWHERE)
}

const WAYS: [HuaweiLastMarker; 3] =
    [HuaweiLastMarker::Null, HuaweiLastMarker::Absent, HuaweiLastMarker::Empty];

impl Provider for Row {
    fn name(&self) -> &'static str {
        "huawei"
    }

    fn traits(&self) -> &'static [Trait] {
        &[Trait::SignsDates, Trait::HasWords, Trait::HasEmptyPages]
    }

    fn start(&self, settings: Settings, habits: Habits) -> BoxFuture<'static, Box<dyn Simulator>> {
        let mut builder = sim::Huawei::builder().settings(settings).temporary(true).creation_looks(0);
        builder = builder.last_marker(WAYS[habits.way % WAYS.len()]);
        if let Some(gaps) = habits.gaps {
            builder = builder.empty_page_every(gaps as u64).short_page_every(gaps as u64 + 1);
        }
        async move { Box::new(builder.start().await.unwrap()) as Box<dyn Simulator> }.boxed()
    }

    fn ways(&self) -> usize {
        WAYS.len()
    }

    fn client(&self, server: &dyn Simulator, setup: &Setup) -> Box<dyn super::Client> {
        let builder = builder_at(setup.url(server), server.downcast_ref().unwrap());
        Box::new(set_up!(builder, setup).build().unwrap())
    }

    fn client_over(&self, setup: &Setup) -> Box<dyn super::Client> {
        Box::new(set_up!(builder_over(), setup).build().unwrap())
    }

    fn strangers(&self, setup: &Setup) -> Vec<Stranger> {
        const KEY: &str = "canary-secret-key";
        const TOKEN: &str = "canary-security-token";
        vec![stranger!(Client::builder("AK", KEY).security_token(TOKEN), setup, [KEY, TOKEN])]
    }

    fn refused(&self, secret: &str) -> Vec<Refused> {
        refused![Client::builder("", secret)]
    }

    fn tenants(&self) -> Tenants {
        let list = |builder: ClientBuilder| super::Client::list(&builder.build().unwrap(), 9);
        let key = |key: &str| Client::builder(key, "sk");
        let domain = |name: &str, domain: &str| list(key(name).domain_id(domain));
        Tenants {
            others: vec![[list(key("AK1")), list(key("AK2"))], [domain("AK1", "d1"), domain("AK1", "d2")]],
            alike: vec![[domain("AK1", "d1"), domain("AK2", "d1")]],
        }
    }

    fn account(&self, record: &Value) -> Account {
        let id = text(record, "id").unwrap();
        let mut account = Account::new(headcount::Provider::Huawei, AccountKind::CloudAccount, id);
        account.name = text(record, "name");
        account.email = text(record, "email");
        account.raw_status = text(record, "status").map(|status| status.to_lowercase().into());
        account.status = match account.raw_status.as_deref() {
            Some("active") => AccountStatus::Active,
            Some("suspended") => AccountStatus::Suspended,
            Some("pending_closure") => AccountStatus::Closing,
            _ => AccountStatus::Unspecified,
        };
        account.joined_at = date(record, "joined_at");
        let urn = text(record, "urn").unwrap();
        let organization = urn.split(":account:").nth(1).unwrap().split('/').next();
        account.parent_id = organization.map(str::to_owned);
        account.alternate_ids = vec![AlternateId::new("urn", urn)];
        account
    }

    fn seen(&self) -> (&'static [AccountKind], &'static [AccountStatus]) {
        (
            &[AccountKind::CloudAccount],
            &[
                AccountStatus::Active,
                AccountStatus::Suspended,
                AccountStatus::Closing,
                AccountStatus::Unspecified,
            ],
        )
    }
}

impl super::Client for Client {
    fn lists(&self, limit: u32) -> Vec<Box<dyn Accounts>> {
        vec![Box::new(self.list_accounts().limit(limit))]
    }

    fn full_list(&self) -> AnyPaginator<Account> {
        self.list_accounts().with_register_contact_info(true).into_accounts()
    }

    fn settable(&self) -> Vec<Settable> {
        vec![
            settable!(
                self.list_accounts(),
                "parent_id with_register_contact_info limit marker",
                [parent_id("r-a"), with_register_contact_info(true), limit(2), marker("abcd")]
            ),
            settable!(
                self.list_create_account_statuses(),
                "states limit marker",
                [state(CreateAccountState::Failed), limit(2), marker("abcd")]
            ),
            settable!(self.list_close_account_statuses(), "states", [state(CloseAccountState::Suspended)]),
            settable!(
                self.list_entities(),
                "parent_id child_id limit marker",
                [parent_id("r-a"), child_id("ou-a"), limit(2), marker("abcd")]
            ),
            settable!(self.list_delegated_services("a"), "limit marker", [limit(2), marker("abcd")]),
        ]
    }

    fn get(&self, id: &str) -> BoxFuture<'static, Result<Account>> {
        let request = self.get_account(id).send();
        async { request.await.map(Into::into) }.boxed()
    }

    fn changes(&self, about: &About, _: &str) -> Named {
        changes(self, &about.account)
    }

    fn others(&self, about: &About) -> Named {
        let mut all = reads(self, &about.account);
        all.extend(requests!["wait": self.wait_for_account(&about.account)]);
        all
    }
}

/// Every request that changes something, about this account.
pub(crate) fn changes(client: &Client, id: &str) -> Named {
    let target = InviteTarget::Name("somebody".into());
    requests![
        "create": client.create_account("new").email("new@example.com"),
        "create resource account": client.create_resource_account("newer"),
        "update": client.update_account(id).description("text"),
        "close": client.close_account(id),
        "move": client.move_account(id, "r-source", "ou-destination"),
        "remove": client.remove_account(id),
        "invite": client.invite_account(target, "notes"),
    ]
}

/// Every request that reads one thing.
pub(crate) fn reads(client: &Client, id: &str) -> Named {
    requests![
        "show": client.get_account(id),
        "show creation": client.get_create_account_status(id),
    ]
}
