use futures::{FutureExt, future::BoxFuture};
use headcount::{
    Account, AccountKind, AccountOwner, AccountStatus, AlternateId, Result, SortOrder,
    sailpoint::{AccountPath, Client, ClientBuilder, DetailLevel, Field, Filter},
};
use headcount_sim::{self as sim, BeyondEnd, SimConfig, Simulator};
use serde_json::{Map, Value, json};

pub(crate) use super::RequestIds;
use super::{
    ACCESS_TOKEN, AccountList, CredentialCase, ListCase, ListingPairs, NamedRequests, Provider, Quirk,
    RejectedBuilder, ServerBehavior, Setup, UNREACHABLE_URL, configure, credential_case, date, list_case,
    rejected_builders, requests, text,
};

pub(super) struct Row;

pub(crate) fn builder(server: &sim::SailPoint) -> ClientBuilder {
    builder_at(server.base_url(), server)
}

/// Returns a builder without a rate limit, because a listing in small pages would otherwise wait in real
/// time.
fn builder_at(url: &str, server: &sim::SailPoint) -> ClientBuilder {
    let builder = Client::builder().base_url(url).rate_limit(None);
    builder.client_credentials(server.client_id(), server.client_secret())
}

/// Returns a builder with a bearer token, for a test's own transport.
pub(crate) fn builder_over() -> ClientBuilder {
    Client::builder().base_url(UNREACHABLE_URL).token("token")
}

const VARIANTS: [BeyondEnd; 2] = [BeyondEnd::Empty, BeyondEnd::BadRequest];

impl Provider for Row {
    fn name(&self) -> &'static str {
        "sailpoint"
    }

    fn quirks(&self) -> &'static [Quirk] {
        &[Quirk::Login, Quirk::OffsetPaging, Quirk::SecretParameters]
    }

    fn start(&self, settings: SimConfig, behavior: ServerBehavior) -> BoxFuture<'static, Box<dyn Simulator>> {
        let mut builder = sim::SailPoint::builder().config(settings).rate_limit(None);
        builder = builder.beyond_end(VARIANTS[behavior.variant % VARIANTS.len()]);
        if let Some(gaps) = behavior.gap_interval {
            builder = builder.short_page_every(gaps);
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

    fn is_login(&self, path: &str) -> bool {
        path.ends_with("/oauth/token")
    }

    fn credential_cases(&self, setup: &Setup) -> Vec<CredentialCase> {
        const SECRET: &str = "canary-client-secret";
        const TOKEN: &str = "canary-own-token";
        let builder = || Client::builder().base_url("https://acme.example");
        vec![
            credential_case!(builder().client_credentials("id", SECRET), setup, [SECRET, ACCESS_TOKEN]),
            credential_case!(builder().token(TOKEN), setup, [TOKEN]),
        ]
    }

    fn rejected_builders(&self, secret: &str) -> Vec<RejectedBuilder> {
        rejected_builders![
            Client::builder().base_url(format!("https://u:{secret}@acme.example")).token("t"),
            Client::builder()
                .base_url(format!("https://u:{secret}@acme.example/?key={secret}"))
                .token(secret),
            Client::builder().base_url("").client_credentials("id", secret),
        ]
    }

    fn listing_pairs(&self) -> ListingPairs {
        let list = |builder: ClientBuilder| super::Client::list(&builder.build().unwrap(), 9);
        let tenant = |name: &str| Client::builder().base_url(format!("https://{name}.api.identitynow.com"));
        let user = |id: &str, secret: &str| list(tenant("one").client_credentials(id, secret));
        ListingPairs {
            different: vec![
                [list(tenant("one").token("t")), list(tenant("two").token("t"))],
                // Another client id may have access to other accounts.
                [user("org-admin", "s"), user("source-admin", "s")],
            ],
            same: vec![[user("org-admin", "s"), user("org-admin", "renewed")]],
        }
    }

    fn request_ids(&self, server: &dyn Simulator) -> RequestIds {
        request_ids(server)
    }

    fn account(&self, record: &Value) -> Account {
        let kind = match (record["systemAccount"].as_bool(), record["isMachine"].as_bool()) {
            (Some(true), _) => AccountKind::SystemAccount,
            (_, Some(true)) => AccountKind::MachineAccount,
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
        let stated_owner = Some(&record["ownerIdentity"]).filter(|owner| owner.is_object());
        let (machine, correlated) = (record["isMachine"] == true, text(record, "identityId"));
        account.owner = match stated_owner.filter(|_| machine || correlated.is_none()) {
            Some(owner) => Some(AccountOwner::new(text(owner, "id"), text(owner, "name"))),
            None => correlated.map(|id| AccountOwner::new(Some(id), text(&record["identity"], "name"))),
        };
        let ids = [("nativeIdentity", native), ("uuid", text(record, "uuid"))];
        let ids = ids.into_iter().filter_map(|(name, value)| Some(AlternateId::new(name, value?)));
        account.alternate_ids = ids.collect();
        account
    }

    fn expected_values(&self) -> (&'static [AccountKind], &'static [AccountStatus]) {
        (
            &[AccountKind::SourceAccount, AccountKind::MachineAccount, AccountKind::SystemAccount],
            &[AccountStatus::Active, AccountStatus::Disabled, AccountStatus::Locked],
        )
    }
}

impl super::Client for Client {
    fn lists(&self, limit: u32) -> Vec<Box<dyn AccountList>> {
        vec![Box::new(self.list_accounts().limit(limit.clamp(2, 250)))]
    }

    fn list_cases(&self) -> Vec<ListCase> {
        vec![
            list_case!(
                self.list_accounts(),
                "detailLevel limit offset count filters sorters",
                [
                    detail_level(DetailLevel::Slim),
                    limit(3),
                    offset(1),
                    filter(Filter::eq(Field::Name, "a")),
                    sort_by(Field::Name, SortOrder::Ascending),
                ],
                equivalent: [count(true), email_attribute("mail")]
            ),
            list_case!(
                self.list_entitlements("a"),
                "limit offset count",
                [limit(3), offset(1)],
                equivalent: [count(true)]
            ),
        ]
    }

    fn get(&self, id: &str) -> BoxFuture<'static, Result<Account>> {
        let request = self.get_account(id).send();
        async { request.await.map(Into::into) }.boxed()
    }

    fn mutations(&self, ids: &RequestIds, secret: &str) -> NamedRequests {
        mutations(self, ids, secret)
    }

    fn reads(&self, ids: &RequestIds) -> NamedRequests {
        requests!["get": self.get_account(&ids.account)]
    }
}

/// Returns the ids of an account on a source of delimited files that has an identity.
pub(crate) fn request_ids(server: &sim::Server) -> RequestIds {
    let records = server.records();
    let matches = |record: &&Value| record["connectionType"] == "file" && record["identityId"].is_string();
    let account = records.iter().find(matches).unwrap();
    let other = records.iter().find(|record| *record != account).unwrap();
    let text = |record: &Value, name: &str| text(record, name).unwrap();
    RequestIds {
        source: text(account, "sourceId"),
        account: text(account, "id"),
        other: text(other, "id"),
        identity: text(account, "identityId"),
    }
}

pub(crate) fn attributes(value: &str) -> Map<String, Value> {
    json!({"password": value, "nested": [{"deep": value}]}).as_object().cloned().unwrap()
}

/// Returns every mutation, with `value` as the value of attributes.
pub(crate) fn mutations(client: &Client, ids: &RequestIds, value: &str) -> NamedRequests {
    let RequestIds { source, account, other, identity } = ids;
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
        // Last, because it deletes the account.
        "delete": client.delete_account(account),
        "remove": client.remove_account(other),
    ]
}
