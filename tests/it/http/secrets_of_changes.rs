use std::fmt::Debug;

use base64::{Engine, prelude::BASE64_STANDARD};
use futures::{TryStreamExt, future::BoxFuture};
use headcount::{
    Paginator, annature,
    fortanix::{self, AuthConfigOauth, CaSet, IdentityProvider, OauthCode, TlsConfigRequired},
    huawei, sailpoint, sim,
};
use serde_json::json;
use tracing::Level;
use uuid::Uuid;

use super::{
    answers::Scripted,
    secrets::{SECRETS, Shown, hostile},
    traces::Traced,
};

/// A request as it is shown, and what comes of it.
type Sent = (String, BoxFuture<'static, Result<String, headcount::Error>>);

/// The requests in `$request`, to be sent.
macro_rules! requests {
    ($($request:expr),+ $(,)?) => {
        vec![$({
            let request = $request;
            let shown = format!("{request:?}\n{request:#?}");
            let sent: Sent = (shown, Box::pin(async move { request.send().await.map(|value| debug(&value)) }));
            sent
        }),+]
    };
}

fn debug(value: &impl Debug) -> String {
    format!("{value:?}\n{value:#?}")
}

fn oauth() -> AuthConfigOauth {
    let idp = IdentityProvider {
        name: "idp".into(),
        icon_url: "https://idp.example/i".into(),
        authorization_endpoint: "https://idp.example/a".into(),
        token_endpoint: "https://idp.example/t".into(),
        requires_basic_auth: true,
    };
    let tls = TlsConfigRequired::new(true, CaSet::GlobalRoots).client("certificate", SECRETS[10]);
    AuthConfigOauth::new(idp, tls.into(), "client", SECRETS[9])
}

fn of_fortanix(transport: &Scripted) -> Vec<Sent> {
    let id = Uuid::from_u128(1);
    let builder = fortanix::Client::builder().password("ada@example.com", SECRETS[0]);
    let client = builder.transport(transport.clone()).build().unwrap();
    let builder = fortanix::Client::builder().oauth_code(OauthCode::new("aWRw", SECRETS[8]));
    let coded = builder.transport(transport.clone()).build().unwrap();
    requests![
        client.create_account("a").auth_config(oauth()),
        client.get_account(id).with_totals(true),
        client.update_account(id).add_auth_config(oauth()).mod_auth_config("x", oauth()),
        client.delete_account(id),
        client.get_user_accounts(id),
        client.remove_user_from_account(id),
        client.discover_auth_methods().user_email("ada@example.com"),
        client.log_in(),
        client.refresh_session(),
        client.select_account(id),
        client.terminate_session(),
        coded.log_in(),
        coded.get_account(id),
    ]
}

fn of_huawei(transport: &Scripted) -> Vec<Sent> {
    let builder = huawei::Client::builder("AK", SECRETS[1]).security_token(SECRETS[2]);
    let client = builder.transport(transport.clone()).build().unwrap();
    requests![
        client.show_account("a"),
        client.update_account("a").description("d"),
        client.create_account("a").email("a@example.com"),
        client.create_resource_account("a"),
        client.show_create_account_status("a"),
        client.wait_for_account("a"),
        client.close_account("a"),
        client.move_account("a", "r-1", "ou-1"),
        client.remove_account("a"),
    ]
}

fn of_annature(transport: &Scripted) -> Vec<Sent> {
    let builder = annature::Client::builder("id", SECRETS[3]).partner_key(SECRETS[4]);
    let client = builder.transport(transport.clone()).build().unwrap();
    requests![
        client.get_account("a"),
        client.create_account("Ted", "ted@example.com").password(SECRETS[11]),
        client.register_account("Ted", "ted@example.com", "Acme").password(SECRETS[11]),
        client.update_account("a").name("Ted"),
        client.resend_verification("a"),
        client.deactivate_account("a"),
        client.restore_account("a"),
    ]
}

fn of_sailpoint(transport: &Scripted) -> Vec<Sent> {
    let builder = sailpoint::Client::builder("https://acme.example").client_credentials("id", SECRETS[5]);
    let client = builder.transport(transport.clone()).build().unwrap();
    let attributes = json!({"password": SECRETS[13]}).as_object().unwrap().clone();
    requests![
        client.get_account("a"),
        client.create_account("s").attribute("password", SECRETS[13]),
        client.put_account("a", attributes),
        client.delete_account("a"),
        client.remove_account("a"),
        client.enable_account("a"),
        client.unlock_account("a"),
        client.reload_account("a"),
        client.enable_account_for_identity("i"),
        client.disable_accounts_for_identities(["i"]),
    ]
}

#[tokio::test(start_paused = true)]
async fn no_request_nor_its_failure_shows_a_credential_that_it_carries() {
    let mut shown = Shown::default();
    let traced = Traced::default();
    let listening = traced.listen(Level::TRACE);
    for case in 0..9 {
        let transport = hostile(case);
        let all = [of_fortanix, of_huawei, of_annature, of_sailpoint];
        let mut failures = 0;
        for (request, sent) in all.into_iter().flat_map(|of| of(&transport)) {
            shown.text += &request;
            match sent.await {
                Ok(value) => shown.text += &value,
                Err(error) => {
                    failures += 1;
                    shown.error(&error);
                }
            }
        }
        assert!(failures > 5, "case {case} fails");
    }
    drop(listening);
    assert!(traced.text().contains("request{"), "it was listened to");
    shown.text += &traced.text();
    assert!(shown.text.contains("[redacted]"), "the servers did echo");
    shown.holds_no_secret();
}

/// All that the simulators keep of a login with each, and of changes that carry secrets.
async fn records(secrets: bool) -> (String, Vec<String>) {
    let fortanix = sim::Fortanix::builder().record_secrets(secrets).start().await.unwrap();
    let huawei = sim::Huawei::builder().record_secrets(secrets).start().await.unwrap();
    let annature = sim::Annature::builder().record_secrets(secrets).start().await.unwrap();
    let sailpoint = sim::SailPoint::builder().accounts(3).record_secrets(secrets).start().await.unwrap();

    let client = fortanix::Client::builder().base_url(fortanix.base_url());
    let client = client.password(fortanix.email(), fortanix.password()).build().unwrap();
    client.create_account("a").auth_config(oauth()).send().await.unwrap();
    let client = huawei::Client::builder(huawei.ak(), huawei.sk()).endpoint(huawei.base_url());
    client.build().unwrap().list_accounts().items().try_collect::<Vec<_>>().await.unwrap();
    let client = annature::Client::builder(annature.id(), annature.key()).base_url(annature.base_url());
    let create = client.build().unwrap().create_account("Ted", "ted@example.com");
    create.password(SECRETS[11]).send().await.unwrap();
    let client = sailpoint::Client::builder(sailpoint.base_url());
    let client = client.client_credentials(sailpoint.client_id(), sailpoint.client_secret()).build().unwrap();
    let update = client.update_account(&sailpoint.ids()[0]);
    // Whether this source takes the attribute does not matter here.
    let _ = update.add(sailpoint::AccountPath::attribute("password"), SECRETS[13]).send().await;

    let requests =
        [fortanix.requests(), huawei.requests(), annature.requests(), sailpoint.requests()].concat();
    let kept = requests.iter().map(|request| {
        format!("{request:?} {:?} {:?} {}\n", request.query(), request.headers(), request.body())
    });
    let basic = BASE64_STANDARD.encode(format!("{}:{}", fortanix.email(), fortanix.password()));
    let mut known = vec![basic, annature.key().to_owned(), sailpoint.client_secret().to_owned()];
    known.extend(
        [SECRETS[9], &BASE64_STANDARD.encode(SECRETS[10]), SECRETS[11], SECRETS[13]].map(str::to_owned),
    );
    (kept.collect(), known)
}

#[tokio::test]
async fn the_simulators_keep_no_secret_in_their_records_unless_told_to() {
    let (kept, known) = records(true).await;
    assert_eq!(known.iter().filter(|secret| !kept.contains(*secret)).collect::<Vec<_>>(), [""; 0], "{kept}");
    let (kept, known) = records(false).await;
    assert_eq!(known.iter().filter(|secret| kept.contains(*secret)).collect::<Vec<_>>(), [""; 0], "{kept}");
    for what in ["Bearer ", "Signature="] {
        assert!(!kept.contains(what), "{what} is in {kept}");
    }
}
