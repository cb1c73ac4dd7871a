//! What every request of every client has, and what it has not.

use std::collections::BTreeSet;

use headcount::{
    Account, AnyPaginator, Paginator, SortOrder, annature,
    fortanix::{self, AccountScope},
    huawei::{self, CloseAccountState, CreateAccountState},
    sailpoint::{self, DetailLevel, Field, Filter},
};
use headcount_sim::{Annature, Fortanix, Huawei, SailPoint, Server};
use uuid::Uuid;

use super::support::{self, walk, whole};

/// A provider behind a gateway, a list of it in small pages, and what must not show.
struct Case {
    server: Box<dyn std::ops::Deref<Target = Server> + Send + Sync>,
    list: AnyPaginator<Account>,
    secrets: Vec<String>,
}

const AGENT: &str = "app/1 (tests)";

async fn cases() -> [Case; 4] {
    macro_rules! start {
        ($provider:ident) => {
            $provider::builder()
                .accounts(7)
                .path_prefix("/gw/deep")
                .record_secrets(true)
                .start()
                .await
                .unwrap()
        };
    }
    let manager = start!(Fortanix);
    let organization = Huawei::builder().accounts(7).path_prefix("/gw/deep").record_secrets(true);
    let organization = organization.temporary(true).start().await.unwrap();
    let workspace = start!(Annature);
    let tenant = start!(SailPoint);
    let token = organization.security_token().unwrap().to_owned();

    let one = fortanix::Client::builder().base_url(manager.base_url());
    let one = one.password(manager.email(), manager.password());
    let one = one.user_agent(AGENT).build().unwrap();
    let two = huawei::Client::builder(organization.ak(), organization.sk());
    let two = two.endpoint(organization.base_url()).security_token(token.as_str());
    let two = two.user_agent(AGENT).build().unwrap();
    let three = annature::Client::builder(workspace.id(), workspace.key());
    let three = three.base_url(workspace.base_url()).partner_key(workspace.partner_key());
    let three = three.user_agent(AGENT).build().unwrap();
    let four = sailpoint::Client::builder(tenant.base_url());
    let four = four.client_credentials(tenant.client_id(), tenant.client_secret());
    let four = four.user_agent(AGENT).build().unwrap();
    [
        Case {
            list: one.list_accounts().limit(3).into_accounts(),
            secrets: vec![manager.password().to_owned()],
            server: Box::new(manager),
        },
        Case {
            list: two.list_accounts().limit(3).into_accounts(),
            secrets: vec![organization.sk().to_owned(), token],
            server: Box::new(organization),
        },
        Case {
            list: three.list_accounts().into_accounts(),
            secrets: vec![workspace.key().to_owned(), workspace.partner_key().to_owned()],
            server: Box::new(workspace),
        },
        Case {
            list: four.list_accounts().limit(3).into_accounts(),
            secrets: vec![tenant.client_secret().to_owned()],
            server: Box::new(tenant),
        },
    ]
}

#[tokio::test]
async fn every_request_goes_below_the_prefix_and_names_crate_and_application() {
    let agent = format!("headcount/{} {AGENT}", env!("CARGO_PKG_VERSION"));
    for case in cases().await {
        assert!(!whole(case.list).await.is_empty());
        let requests = case.server.requests();
        assert!(!requests.is_empty());
        for request in requests {
            assert!(request.path().starts_with("/gw/deep/"), "{request:?}");
            assert!(!request.path().contains("//"), "{request:?}");
            assert_eq!(request.status(), Some(200), "{request:?}");
            assert_eq!(request.header("user-agent"), Some(agent.as_str()), "{request:?}");
            assert_eq!(request.header("accept"), Some("application/json"), "{request:?}");
        }
    }
}

#[tokio::test]
async fn no_credential_is_in_any_url() {
    for case in cases().await {
        whole(case.list).await;
        for request in case.server.requests() {
            let query = request.query().iter().map(|(_, value)| value.as_str());
            let url: Vec<_> = query.chain([request.path()]).collect();
            let mut secrets = case.secrets.clone();
            // Tokens that were obtained on the way, too.
            let bearer = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
            secrets.extend(bearer.map(str::to_owned));
            for secret in secrets {
                assert!(!url.iter().any(|part| part.contains(&secret)), "{request:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_base_url_with_a_slash_at_its_end_is_the_same() {
    let server = Annature::builder().accounts(2).path_prefix("/gw").start().await.unwrap();
    let builder = annature::Client::builder(server.id(), server.key());
    let client = builder.base_url(format!("{}/", server.base_url())).build().unwrap();
    assert_eq!(whole(client.list_accounts()).await.len(), 2);
    assert_eq!(server.list_requests()[0].path(), "/gw/v2/accounts");
}

/// Walks a list, whatever comes of it, and compares the names of the parameters that it sent with those that its
/// provider documents.
async fn sends_exactly<P: Paginator>(server: &Server, list: P, documented: &str) {
    server.clear_requests();
    walk(list).await;
    let requests = server.requests().into_iter().filter(|request| request.method() == "GET");
    let names: BTreeSet<_> =
        requests.flat_map(|request| request.query().to_vec()).map(|(name, _)| name).collect();
    assert_eq!(names, documented.split_whitespace().map(str::to_owned).collect(), "{:?}", server.requests());
}

#[tokio::test]
async fn lists_send_all_parameters_that_are_documented_and_no_others() {
    let server = Fortanix::builder().accounts(9).start().await.unwrap();
    let list = support::fortanix(&server).build().unwrap().list_accounts().account_scope(AccountScope::User);
    let list = list.limit(3).previous_id(Uuid::nil()).sort_by("acct_id", SortOrder::Ascending);
    sends_exactly(&server, list, "scope limit previous_id sort_by").await;

    let server = Huawei::builder().accounts(9).start().await.unwrap();
    let client = support::huawei(&server).build().unwrap();
    let list = client.list_accounts().parent_id("r-a").with_register_contact_info(true);
    let all = "parent_id with_register_contact_info limit marker";
    sends_exactly(&server, list.limit(2).marker("abcd"), all).await;
    let list = client.list_create_account_statuses().state(CreateAccountState::Failed);
    sends_exactly(&server, list.limit(2).marker("abcd"), "states limit marker").await;
    let list = client.list_close_account_statuses().state(CloseAccountState::Suspended);
    sends_exactly(&server, list, "states").await;
    let list = client.list_entities().parent_id("r-a").child_id("ou-a").limit(2).marker("abcd");
    sends_exactly(&server, list, "parent_id child_id limit marker").await;
    let list = client.list_delegated_services("a").limit(2).marker("abcd");
    sends_exactly(&server, list, "limit marker").await;

    let server = Annature::builder().accounts(9).page_size(2).start().await.unwrap();
    let client = support::annature(&server).build().unwrap();
    let now = chrono::DateTime::UNIX_EPOCH;
    macro_rules! filtered {
        ($list:expr) => {
            $list
                .name("a")
                .email("a@example.com")
                .role("standard")
                .active(true)
                .group_id("g")
                .created_before(now)
                .created_after(now)
        };
    }
    let filters = "name email role active group_id created_before created_after";
    sends_exactly(&server, filtered!(client.list_accounts_v1()), filters).await;
    let all = format!("{filters} cursor");
    sends_exactly(&server, filtered!(client.list_accounts()).cursor("abcd"), &all).await;
    sends_exactly(&server, client.list_accounts(), "cursor").await;

    let server = SailPoint::builder().accounts(9).start().await.unwrap();
    let client = support::sailpoint(&server).build().unwrap();
    let list = client.list_accounts().detail_level(DetailLevel::Slim).limit(3).offset(1).count(true);
    let list = list.filter(Filter::eq(Field::Name, "a")).sort_by(Field::Id, SortOrder::Ascending);
    sends_exactly(&server, list, "detailLevel limit offset count filters sorters").await;
    let list = client.list_entitlements(&server.ids()[0]).limit(3).offset(1).count(true);
    sends_exactly(&server, list, "limit offset count").await;
}
