//! Huawei Cloud in the tests that run for every provider.

use futures::{FutureExt, future::BoxFuture};
use headcount::{
    Account, AccountKind, AccountStatus, AlternateId, AnyPaginator, Result,
    huawei::{Client, ClientBuilder, CloseAccountState, CreateAccountState, InviteTarget},
};
use headcount_sim::{self as sim, LastMarker, SimConfig, Simulator};
use serde_json::Value;

use super::{
    AccountList, CredentialCase, ListCase, ListingPairs, NamedRequests, Provider, Quirk, RejectedBuilder,
    RequestIds, ServerBehavior, Setup, UNREACHABLE_URL, configure, credential_case, date, list_case,
    rejected_builders, requests, text,
};

pub(super) struct Row;

pub(crate) fn builder(server: &sim::Huawei) -> ClientBuilder {
    builder_at(server.base_url(), server)
}

fn builder_at(url: &str, server: &sim::Huawei) -> ClientBuilder {
    let builder = Client::builder().access_key(server.ak()).secret_key(server.sk()).base_url(url);
    match server.security_token() {
        Some(token) => builder.security_token(token),
        None => builder,
    }
}

/// Returns a builder with a static key, for tests that set their own transport.
pub(crate) fn builder_over() -> ClientBuilder {
    Client::builder().access_key("access").secret_key("secret").base_url(UNREACHABLE_URL)
}

const VARIANTS: [LastMarker; 3] = [LastMarker::Null, LastMarker::Absent, LastMarker::Empty];

impl Provider for Row {
    fn name(&self) -> &'static str {
        "huawei"
    }

    fn quirks(&self) -> &'static [Quirk] {
        &[Quirk::SignedDate, Quirk::OpenEnums, Quirk::EmptyPages]
    }

    fn start(&self, config: SimConfig, behavior: ServerBehavior) -> BoxFuture<'static, Box<dyn Simulator>> {
        let mut builder = sim::Huawei::builder().config(config).temporary(true).creation_polls(0);
        builder = builder.last_marker(VARIANTS[behavior.variant % VARIANTS.len()]);
        if let Some(interval) = behavior.gap_interval {
            builder = builder.empty_page_every(interval as u64).short_page_every(interval as u64 + 1);
        }
        async move { Box::new(builder.start().await.unwrap()) as Box<dyn Simulator> }.boxed()
    }

    fn variants(&self) -> usize {
        VARIANTS.len()
    }

    fn client(&self, server: &dyn Simulator, setup: &Setup) -> Box<dyn super::Client> {
        let builder = builder_at(setup.url(server), server.downcast_ref().unwrap());
        Box::new(configure!(builder, setup).build().unwrap())
    }

    fn client_with_transport(&self, setup: &Setup) -> Box<dyn super::Client> {
        Box::new(configure!(builder_over(), setup).build().unwrap())
    }

    fn credential_cases(&self, setup: &Setup) -> Vec<CredentialCase> {
        const KEY: &str = "canary-secret-key";
        const TOKEN: &str = "canary-security-token";
        vec![credential_case!(
            Client::builder().access_key("AK").secret_key(KEY).security_token(TOKEN),
            setup,
            [KEY, TOKEN]
        )]
    }

    fn rejected_builders(&self, secret: &str) -> Vec<RejectedBuilder> {
        rejected_builders![Client::builder().access_key("").secret_key(secret)]
    }

    fn listing_pairs(&self) -> ListingPairs {
        let list = |builder: ClientBuilder| super::Client::list(&builder.build().unwrap(), 9);
        let key = |key: &str| Client::builder().access_key(key).secret_key("sk");
        let domain = |name: &str, domain: &str| list(key(name).domain_id(domain));
        ListingPairs {
            different: vec![[list(key("AK1")), list(key("AK2"))], [domain("AK1", "d1"), domain("AK1", "d2")]],
            same: vec![[domain("AK1", "d1"), domain("AK2", "d1")]],
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

    fn expected_values(&self) -> (&'static [AccountKind], &'static [AccountStatus]) {
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
    fn lists(&self, limit: u32) -> Vec<Box<dyn AccountList>> {
        vec![Box::new(self.list_accounts().limit(limit))]
    }

    fn detailed_list(&self) -> AnyPaginator<Account> {
        self.list_accounts().with_register_contact_info(true).into_accounts()
    }

    fn list_cases(&self) -> Vec<ListCase> {
        vec![
            list_case!(
                self.list_accounts(),
                "parent_id with_register_contact_info limit marker",
                [parent_id("r-a"), with_register_contact_info(true), limit(2), marker("abcd")]
            ),
            list_case!(
                self.list_create_account_statuses(),
                "states limit marker",
                [state(CreateAccountState::Failed), limit(2), marker("abcd")]
            ),
            list_case!(self.list_close_account_statuses(), "states", [state(CloseAccountState::Suspended)]),
            list_case!(
                self.list_entities(),
                "parent_id child_id limit marker",
                [parent_id("r-a"), child_id("ou-a"), limit(2), marker("abcd")]
            ),
            list_case!(self.list_delegated_services("a"), "limit marker", [limit(2), marker("abcd")]),
        ]
    }

    fn get(&self, id: &str) -> BoxFuture<'static, Result<Account>> {
        let request = self.get_account(id).send();
        async { request.await.map(Into::into) }.boxed()
    }

    fn mutations(&self, ids: &RequestIds, _: &str) -> NamedRequests {
        mutations(self, &ids.account)
    }

    fn reads(&self, ids: &RequestIds) -> NamedRequests {
        let mut all = reads(self, &ids.account);
        all.extend(requests!["wait": self.wait_for_account(&ids.account)]);
        all
    }
}

/// Returns all requests that change something, for this account.
pub(crate) fn mutations(client: &Client, id: &str) -> NamedRequests {
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

/// Returns all requests that read a single object, for this account.
pub(crate) fn reads(client: &Client, id: &str) -> NamedRequests {
    requests![
        "show": client.get_account(id),
        "show creation": client.get_create_account_status(id),
    ]
}
