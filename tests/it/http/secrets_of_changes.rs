use base64::{Engine, prelude::BASE64_STANDARD};
use futures::TryStreamExt;
use headcount::{
    Paginator, annature,
    fortanix::{self, AuthConfigOauth, OauthCode},
    huawei, sailpoint,
};
use headcount_sim as sim;
use tracing::Level;
use uuid::Uuid;

use super::{
    answers::Scripted,
    secrets::{SECRETS, Shown, hostile},
    traces::Traced,
};
use crate::requests::{self, Named, requests, sailpoint::About};

fn oauth() -> AuthConfigOauth {
    requests::fortanix::oauth(SECRETS[9], SECRETS[10])
}

/// Every change, and what else carries a credential or gets one.
fn of_fortanix(transport: &Scripted) -> Named {
    let id = Uuid::from_u128(1);
    let builder = fortanix::Client::builder().password("ada@example.com", SECRETS[0]);
    let client = builder.transport(transport.clone()).build().unwrap();
    let builder = fortanix::Client::builder().oauth_code(OauthCode::new("aWRw", SECRETS[8]));
    let coded = builder.transport(transport.clone()).build().unwrap();
    let mut all = requests::fortanix::changes(&client, id, &oauth());
    all.extend(requests![
        "get": client.get_account(id).with_totals(true),
        "list of a user": client.get_user_accounts(id),
        "discover": client.discover_auth_methods().user_email("ada@example.com"),
        "log in": client.log_in(),
        "refresh": client.refresh_session(),
        "select": client.select_account(id),
        "terminate": client.terminate_session(),
        "log in with a code": coded.log_in(),
        "get with a code": coded.get_account(id),
    ]);
    all
}

fn of_huawei(transport: &Scripted) -> Named {
    let builder = huawei::Client::builder("AK", SECRETS[1]).security_token(SECRETS[2]);
    let client = builder.transport(transport.clone()).build().unwrap();
    let mut all = requests::huawei::changes(&client, "a");
    all.extend(requests::huawei::reads(&client, "a"));
    all.extend(requests!["wait": client.wait_for_account("a")]);
    all
}

fn of_annature(transport: &Scripted) -> Named {
    let builder = annature::Client::builder("id", SECRETS[3]).partner_key(SECRETS[4]);
    let client = builder.transport(transport.clone()).build().unwrap();
    let mut all = requests::annature::changes(&client, "a", SECRETS[11]);
    all.extend(requests!["get": client.get_account("a")]);
    all
}

fn of_sailpoint(transport: &Scripted) -> Named {
    let builder = sailpoint::Client::builder("https://acme.example").client_credentials("id", SECRETS[5]);
    let client = builder.transport(transport.clone()).build().unwrap();
    let mut all = requests::sailpoint::changes(&client, &About::all("a"), SECRETS[13]);
    all.extend(requests!["get": client.get_account("a")]);
    all
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
        for (_, request) in all.into_iter().flat_map(|of| of(&transport)) {
            shown.text += &request.shown;
            match request.await {
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
