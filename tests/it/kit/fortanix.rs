use chrono::DateTime;
use futures::{FutureExt, future::BoxFuture};
use headcount::{
    Account, AccountKind, AccountStatus, Result, SortOrder,
    fortanix::{
        AccountScope, AuthConfigOauth, CaSet, Client, ClientBuilder, IdentityProvider, OauthCode,
        TlsConfigRequired,
    },
};
use headcount_sim::{self as sim, FortanixPaging, FortanixUnknownId, SimConfig, Simulator};
use serde_json::Value;
use uuid::Uuid;

use super::{
    ACCESS_TOKEN, AccountList, CredentialCase, ListCase, ListingPairs, NamedRequests, Provider, Quirk,
    RejectedBuilder, RequestIds, ServerBehavior, Setup, UNREACHABLE_URL, configure, credential_case,
    list_case, rejected_builders, requests, text,
};

pub(super) struct Row;

pub(crate) fn builder(server: &sim::Fortanix) -> ClientBuilder {
    builder_at(server.base_url(), server)
}

fn builder_at(url: &str, server: &sim::Fortanix) -> ClientBuilder {
    Client::builder().password(server.email(), server.password()).base_url(url)
}

/// Returns a builder with a token, for a client over a mock transport.
pub(crate) fn builder_over() -> ClientBuilder {
    Client::builder().token("token").base_url(UNREACHABLE_URL)
}

const VARIANTS: [(FortanixPaging, FortanixUnknownId); 6] = [
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

    fn quirks(&self) -> &'static [Quirk] {
        &[Quirk::Login, Quirk::OpenEnums, Quirk::OptionalRows, Quirk::PositionLoss, Quirk::SecretParameters]
    }

    fn start(&self, settings: SimConfig, behavior: ServerBehavior) -> BoxFuture<'static, Box<dyn Simulator>> {
        let (paging, unknown_id) = VARIANTS[behavior.variant % VARIANTS.len()];
        async move {
            let builder = sim::Fortanix::builder().config(settings).paging(paging).unknown_id(unknown_id);
            Box::new(builder.start().await.unwrap()) as Box<dyn Simulator>
        }
        .boxed()
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
        path.ends_with("/sys/auth")
    }

    fn credential_cases(&self, setup: &Setup) -> Vec<CredentialCase> {
        const PASSWORD: &str = "canary-password";
        const TOKEN: &str = "canary-given-token";
        const CODE: &str = "canary-oauth-code";
        vec![
            credential_case!(
                Client::builder().password("ada@example.com", PASSWORD),
                setup,
                [PASSWORD, ACCESS_TOKEN]
            ),
            credential_case!(Client::builder().token(TOKEN), setup, [TOKEN]),
            credential_case!(
                Client::builder().oauth_code(OauthCode::new("aWRw", CODE)),
                setup,
                [CODE, ACCESS_TOKEN]
            ),
        ]
    }

    fn rejected_builders(&self, secret: &str) -> Vec<RejectedBuilder> {
        rejected_builders![
            Client::builder().token(format!("{secret}\n\u{1F511}")).base_url("ftp://x"),
            Client::builder().password("a:b", secret),
        ]
    }

    fn listing_pairs(&self) -> ListingPairs {
        let list =
            |email: &str| super::Client::list(&Client::builder().password(email, "p").build().unwrap(), 9);
        ListingPairs { different: vec![[list("a@x.example"), list("b@x.example")]], same: Vec::new() }
    }

    fn account(&self, record: &Value) -> Account {
        let id = text(record, "acct_id").unwrap();
        let mut account = Account::new(headcount::Provider::Fortanix, AccountKind::Tenant, id);
        account.name = text(record, "name");
        let account_status = text(record, "account_status");
        account.status = match (account_status.as_deref(), record["status"].as_str()) {
            (Some("Active"), _) | (None, Some("ACTIVE")) => AccountStatus::Active,
            (Some("Deactivated"), _) | (None, Some("DISABLED")) => AccountStatus::Disabled,
            (None, Some("PENDING")) => AccountStatus::Pending,
            _ => AccountStatus::Unspecified,
        };
        account.raw_status = account_status.or_else(|| text(record, "status")).map(Into::into);
        account.created_at = record["created_at"].as_i64().map(|at| DateTime::from_timestamp(at, 0).unwrap());
        // `roles` are those of the caller, so `Account::roles` stays empty.
        account
    }

    fn expected_values(&self) -> (&'static [AccountKind], &'static [AccountStatus]) {
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
    fn lists(&self, limit: u32) -> Vec<Box<dyn AccountList>> {
        vec![Box::new(self.list_accounts().limit(limit.max(3)))]
    }

    fn list_cases(&self) -> Vec<ListCase> {
        vec![list_case!(
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

    fn mutations(&self, ids: &RequestIds, secret: &str) -> NamedRequests {
        let id = Uuid::parse_str(&ids.account).unwrap();
        let login = oauth(secret);
        let update = self.update_account(id).name("Acme");
        requests![
            "create": self.create_account("new").auth_config(login.clone()),
            "update": update.add_auth_config(login.clone()).mod_auth_config("x", login),
            "delete": self.delete_account(id),
            "remove user": self.remove_user_from_account(id),
        ]
    }

    fn reads(&self, ids: &RequestIds) -> NamedRequests {
        let id = Uuid::parse_str(&ids.account).unwrap();
        requests![
            "get": self.get_account(id).with_totals(true),
            "accounts of user": self.get_user_accounts(id),
            "discover": self.discover_auth_methods().user_email("ada@example.com"),
            "log in": self.log_in(),
            "refresh": self.refresh_session(),
            "select": self.select_account(id),
            "terminate": self.terminate_session(),
        ]
    }
}

/// Returns a login configuration that contains this secret, as text and as bytes.
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
