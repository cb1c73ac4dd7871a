use chrono::DateTime;
use futures::{FutureExt, future::BoxFuture};
use headcount::{
    Account, AccountKind, AccountStatus, Result, SortOrder,
    fortanix::{
        AccountScope, AuthConfigOauth, CaSet, Client, ClientBuilder, IdentityProvider, OauthCode,
        TlsConfigRequired,
    },
};
use headcount_sim::{self as sim, FortanixPaging, FortanixUnknownId, Settings, Simulator};
use serde_json::Value;
use uuid::Uuid;

use super::{
    ACCESS_TOKEN, About, Accounts, Habits, NOWHERE, Named, Provider, Refused, Settable, Setup, Stranger,
    Tenants, Trait, refused, requests, set_up, settable, stranger, text,
};

pub(super) struct Row;

pub(crate) fn builder(server: &sim::Fortanix) -> ClientBuilder {
    builder_at(server.base_url(), server)
}

fn builder_at(url: &str, server: &sim::Fortanix) -> ClientBuilder {
    Client::builder().password(server.email(), server.password()).base_url(url)
}

/// With a ready token, for a transport of the test's own.
pub(crate) fn builder_over() -> ClientBuilder {
    Client::builder().token("token").base_url(NOWHERE)
}

const WAYS: [(FortanixPaging, FortanixUnknownId); 6] = [
    (FortanixPaging::After, FortanixUnknownId::Keyset),
    (FortanixPaging::At, FortanixUnknownId::Keyset),
    (FortanixPaging::After, FortanixUnknownId::BadRequest),
    (FortanixPaging::At, FortanixUnknownId::NotFound),
    (FortanixPaging::After, FortanixUnknownId::Empty),
    (FortanixPaging::IgnoresAll, FortanixUnknownId::Keyset),
];

impl Provider for Row {
    fn name(&self) -> &'static str {
        "fortanix"
    }

    fn traits(&self) -> &'static [Trait] {
        &[Trait::LogsIn, Trait::HasWords, Trait::MayOmitRows, Trait::LosesPlaces, Trait::TakesSecrets]
    }

    fn start(&self, settings: Settings, habits: Habits) -> BoxFuture<'static, Box<dyn Simulator>> {
        let (paging, unknown_id) = WAYS[habits.way % WAYS.len()];
        async move {
            let builder = sim::Fortanix::builder().settings(settings).paging(paging).unknown_id(unknown_id);
            Box::new(builder.start().await.unwrap()) as Box<dyn Simulator>
        }
        .boxed()
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
        path.ends_with("/sys/auth")
    }

    fn strangers(&self, setup: &Setup) -> Vec<Stranger> {
        const PASSWORD: &str = "canary-password";
        const TOKEN: &str = "canary-given-token";
        const CODE: &str = "canary-oauth-code";
        vec![
            stranger!(
                Client::builder().password("ada@example.com", PASSWORD),
                setup,
                [PASSWORD, ACCESS_TOKEN]
            ),
            stranger!(Client::builder().token(TOKEN), setup, [TOKEN]),
            stranger!(
                Client::builder().oauth_code(OauthCode::new("aWRw", CODE)),
                setup,
                [CODE, ACCESS_TOKEN]
            ),
        ]
    }

    fn refused(&self, secret: &str) -> Vec<Refused> {
        refused![
            Client::builder().token(format!("{secret}\n\u{1F511}")).base_url("ftp://x"),
            Client::builder().password("a:b", secret),
        ]
    }

    fn tenants(&self) -> Tenants {
        let list =
            |email: &str| super::Client::list(&Client::builder().password(email, "p").build().unwrap(), 9);
        Tenants { others: vec![[list("a@x.example"), list("b@x.example")]], alike: Vec::new() }
    }

    fn account(&self, record: &Value) -> Account {
        let id = text(record, "acct_id").unwrap();
        let mut account = Account::new(headcount::Provider::Fortanix, AccountKind::Tenant, id);
        account.name = text(record, "name");
        let own = text(record, "account_status");
        account.status = match (own.as_deref(), record["status"].as_str()) {
            (Some("Active"), _) | (None, Some("ACTIVE")) => AccountStatus::Active,
            (Some("Deactivated"), _) | (None, Some("DISABLED")) => AccountStatus::Disabled,
            (None, Some("PENDING")) => AccountStatus::Pending,
            _ => AccountStatus::Unspecified,
        };
        account.raw_status = own.or_else(|| text(record, "status")).map(Into::into);
        account.created_at = record["created_at"].as_i64().map(|at| DateTime::from_timestamp(at, 0).unwrap());
        // Roles are the caller's.
        account
    }

    fn seen(&self) -> (&'static [AccountKind], &'static [AccountStatus]) {
        (
            &[AccountKind::Tenant],
            &[
                AccountStatus::Active,
                AccountStatus::Disabled,
                AccountStatus::Pending,
                AccountStatus::Unspecified,
            ],
        )
    }
}

impl super::Client for Client {
    fn lists(&self, limit: u32) -> Vec<Box<dyn Accounts>> {
        vec![Box::new(self.list_accounts().limit(limit.max(3)))]
    }

    fn settable(&self) -> Vec<Settable> {
        vec![settable!(
            self.list_accounts(),
            "scope limit previous_id sort_by",
            [
                account_scope(AccountScope::User),
                limit(3),
                previous_id(Uuid::nil()),
                sort_by("acct_id", SortOrder::Ascending),
            ]
        )]
    }

    fn get(&self, id: &str) -> BoxFuture<'static, Result<Account>> {
        let request = self.get_account(Uuid::parse_str(id).unwrap()).send();
        async { request.await.map(Into::into) }.boxed()
    }

    fn changes(&self, about: &About, secret: &str) -> Named {
        let id = Uuid::parse_str(&about.account).unwrap();
        let login = oauth(secret);
        let update = self.update_account(id).name("Acme");
        requests![
            "create": self.create_account("new").auth_config(login.clone()),
            "update": update.add_auth_config(login.clone()).mod_auth_config("x", login),
            "delete": self.delete_account(id),
            "leave": self.remove_user_from_account(id),
        ]
    }

    fn others(&self, about: &About) -> Named {
        let id = Uuid::parse_str(&about.account).unwrap();
        requests![
            "get": self.get_account(id).with_totals(true),
            "list of a user": self.get_user_accounts(id),
            "discover": self.discover_auth_methods().user_email("ada@example.com"),
            "log in": self.log_in(),
            "refresh": self.refresh_session(),
            "select": self.select_account(id),
            "terminate": self.terminate_session(),
        ]
    }
}

/// A way to log in that has this secret, as text and as bytes.
fn oauth(secret: &str) -> AuthConfigOauth {
    let idp = IdentityProvider {
        name: "idp".into(),
        icon_url: "https://idp.example/i".into(),
        authorization_endpoint: "https://idp.example/a".into(),
        token_endpoint: "https://idp.example/t".into(),
        requires_basic_auth: true,
    };
    let tls = TlsConfigRequired::new(true, CaSet::GlobalRoots).client("certificate", secret);
    AuthConfigOauth::new(idp, tls.into(), "client", secret)
}
