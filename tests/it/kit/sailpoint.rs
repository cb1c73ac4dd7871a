use futures::{FutureExt, future::BoxFuture};
use headcount::{
    Account, AccountKind, AccountOwner, AccountStatus, AlternateId, Result, SortOrder,
    sailpoint::{AccountPath, Client, ClientBuilder, DetailLevel, Field, Filter},
};
use headcount_sim::{self as sim, SailPointPastEnd, Settings, Simulator};
use serde_json::{Map, Value, json};

pub(crate) use super::About;
use super::{
    ACCESS_TOKEN, Accounts, Habits, NOWHERE, Named, Provider, Refused, Settable, Setup, Stranger, Tenants,
    Trait, date, refused, requests, set_up, settable, stranger, text,
};

pub(super) struct Row;

pub(crate) fn builder(server: &sim::SailPoint) -> ClientBuilder {
    builder_at(server.base_url(), server)
}

/// Without a rate limit: a walk of small pages would otherwise wait in real time.
fn builder_at(url: &str, server: &sim::SailPoint) -> ClientBuilder {
    let builder = Client::builder(url).rate_limit(None);
    builder.client_credentials(server.client_id(), server.client_secret())
}

/// With a ready token, for a transport of the test's own.
pub(crate) fn builder_over() -> ClientBuilder {
    Client::builder(NOWHERE).token("token")
}

const WAYS: [SailPointPastEnd; 2] = [SailPointPastEnd::Empty, SailPointPastEnd::BadRequest];

impl Provider for Row {
    fn name(&self) -> &'static str {
        "sailpoint"
    }

    fn traits(&self) -> &'static [Trait] {
        &[Trait::LogsIn, Trait::ByOffset, Trait::TakesSecrets]
    }

    fn start(&self, settings: Settings, habits: Habits) -> BoxFuture<'static, Box<dyn Simulator>> {
        let mut builder = sim::SailPoint::builder().settings(settings).rate_limit(None);
        builder = builder.past_end(WAYS[habits.way % WAYS.len()]);
        if let Some(gaps) = habits.gaps {
            builder = builder.short_page_every(gaps);
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

    fn is_login(&self, path: &str) -> bool {
        path.ends_with("/oauth/token")
    }

    fn strangers(&self, setup: &Setup) -> Vec<Stranger> {
        const SECRET: &str = "canary-client-secret";
        const TOKEN: &str = "canary-own-token";
        let builder = || Client::builder("https://acme.example");
        vec![
            stranger!(builder().client_credentials("id", SECRET), setup, [SECRET, ACCESS_TOKEN]),
            stranger!(builder().token(TOKEN), setup, [TOKEN]),
        ]
    }

    fn refused(&self, secret: &str) -> Vec<Refused> {
        refused![
            Client::builder(format!("https://u:{secret}@acme.example")).token("t"),
            Client::builder(format!("https://u:{secret}@acme.example/?key={secret}")).token(secret),
            Client::builder("").client_credentials("id", secret),
        ]
    }

    fn tenants(&self) -> Tenants {
        let list = |builder: ClientBuilder| super::Client::list(&builder.build().unwrap(), 9);
        let tenant = |name: &str| Client::builder(format!("https://{name}.api.identitynow.com"));
        let user = |id: &str, secret: &str| list(tenant("one").client_credentials(id, secret));
        Tenants {
            others: vec![
                [list(tenant("one").token("t")), list(tenant("two").token("t"))],
                // Another may see other accounts.
                [user("org-admin", "s"), user("source-admin", "s")],
            ],
            alike: vec![[user("org-admin", "s"), user("org-admin", "renewed")]],
        }
    }

    fn about(&self, server: &dyn Simulator) -> About {
        about(server)
    }

    fn account(&self, record: &Value) -> Account {
        let kind = match record["systemAccount"].as_bool() {
            Some(true) => AccountKind::SystemAccount,
            _ => AccountKind::SourceAccount,
        };
        let id = text(record, "id").unwrap();
        let mut account = Account::new(headcount::Provider::SailPoint, kind, id);
        let native = text(record, "nativeIdentity");
        account.name = text(record, "name").or_else(|| native.clone());
        let (status, raw) = match (record["disabled"].as_bool(), record["locked"].as_bool()) {
            (Some(true), _) => (AccountStatus::Disabled, Some("disabled")),
            (_, Some(true)) => (AccountStatus::Locked, Some("locked")),
            _ => (AccountStatus::Active, None),
        };
        (account.status, account.raw_status) = (status, raw.map(Into::into));
        account.created_at = date(record, "created");
        account.modified_at = date(record, "modified");
        account.parent_id = text(record, "sourceId");
        let stated = Some(&record["ownerIdentity"]).filter(|owner| owner.is_object());
        let (machine, correlated) = (record["isMachine"] == true, text(record, "identityId"));
        account.owner = match stated.filter(|_| machine || correlated.is_none()) {
            Some(owner) => Some(AccountOwner::new(text(owner, "id"), text(owner, "name"))),
            None => correlated.map(|id| AccountOwner::new(Some(id), text(&record["identity"], "name"))),
        };
        let ids = [("nativeIdentity", native), ("uuid", text(record, "uuid"))];
        let ids = ids.into_iter().filter_map(|(name, value)| Some(AlternateId::new(name, value?)));
        account.alternate_ids = ids.collect();
        account
    }

    fn seen(&self) -> (&'static [AccountKind], &'static [AccountStatus]) {
        (
            &[AccountKind::SourceAccount, AccountKind::SystemAccount],
            &[AccountStatus::Active, AccountStatus::Disabled, AccountStatus::Locked],
        )
    }
}

impl super::Client for Client {
    fn lists(&self, limit: u32) -> Vec<Box<dyn Accounts>> {
        vec![Box::new(self.list_accounts().limit(limit.clamp(2, 250)))]
    }

    fn settable(&self) -> Vec<Settable> {
        vec![
            settable!(
                self.list_accounts(),
                "detailLevel limit offset count filters sorters",
                [
                    detail_level(DetailLevel::Slim),
                    limit(3),
                    offset(1),
                    filter(Filter::eq(Field::Name, "a")),
                    sort_by(Field::Name, SortOrder::Ascending),
                ],
                alike: [count(true)]
            ),
            settable!(
                self.list_entitlements("a"),
                "limit offset count",
                [limit(3), offset(1)],
                alike: [count(true)]
            ),
        ]
    }

    fn get(&self, id: &str) -> BoxFuture<'static, Result<Account>> {
        let request = self.get_account(id).send();
        async { request.await.map(Into::into) }.boxed()
    }

    fn changes(&self, about: &About, secret: &str) -> Named {
        changes(self, about, secret)
    }

    fn others(&self, about: &About) -> Named {
        requests!["get": self.get_account(&about.account)]
    }
}

/// An account on a source of delimited files that has an identity.
pub(crate) fn about(server: &sim::Server) -> About {
    let records = server.records();
    let suits = |record: &&Value| record["connectionType"] == "file" && record["identityId"].is_string();
    let account = records.iter().find(suits).unwrap();
    let other = records.iter().find(|record| *record != account).unwrap();
    let text = |record: &Value, name: &str| text(record, name).unwrap();
    About {
        source: text(account, "sourceId"),
        account: text(account, "id"),
        other: text(other, "id"),
        identity: text(account, "identityId"),
    }
}

pub(crate) fn attributes(value: &str) -> Map<String, Value> {
    json!({"password": value, "nested": [{"deep": value}]}).as_object().cloned().unwrap()
}

/// Every request that changes something, with this value for an attribute where one takes any.
pub(crate) fn changes(client: &Client, about: &About, value: &str) -> Named {
    let About { source, account, other, identity } = about;
    let password = || AccountPath::attribute("password");
    requests![
        "create": client.create_account(source).attribute("password", value),
        "update": client.update_account(account).add(password(), value).replace(password(), value),
        "put": client.put_account(account, attributes(value)),
        "reload": client.reload_account(account),
        "enable": client.enable_account(account),
        "disable": client.disable_account(account),
        "unlock": client.unlock_account(account),
        "enable one": client.enable_account_for_identity(identity),
        "disable one": client.disable_account_for_identity(identity),
        "enable many": client.enable_accounts_for_identities([identity]),
        "disable many": client.disable_accounts_for_identities([identity]),
        // Behind all others of the account, for it leaves nothing to change.
        "delete": client.delete_account(account),
        "remove": client.remove_account(other),
    ]
}
