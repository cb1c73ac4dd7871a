use headcount::{
    ErrorKind,
    fortanix::{
        AuthConfigOauth, AuthConfigPassword, AuthConfigRef, AuthenticationConfig, Base64, CaConfig, CaSet,
        IdentityProvider, TlsConfig, TlsConfigRequired,
    },
};
use headcount_sim as sim;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::providers::support::{Canned, assert_unsent, canned, fortanix, respond};

const SECRET: &str = "hunter2 \"quoted\\secret\"";
const KEY: &[u8] = b"the client's private key";

fn oauth(tls: impl Into<TlsConfig>) -> AuthConfigOauth {
    let idp = IdentityProvider {
        name: "Idp".into(),
        icon_url: "https://idp.example/icon.svg".into(),
        authorization_endpoint: "https://idp.example/authorize".into(),
        token_endpoint: "https://idp.example/token".into(),
        requires_basic_auth: true,
    };
    AuthConfigOauth::new(idp, tls.into(), "client", SECRET)
}

fn with_key() -> AuthConfigOauth {
    oauth(TlsConfigRequired::new(true, CaConfig::pinned([b"authority"])).client("certificate", KEY))
}

/// Asserts that no form of a secret is contained.
fn assert_hidden(shown: &str) {
    let json = Value::from(SECRET).to_string();
    let key = Base64::new(KEY);
    for form in ["hunter2", &json[1..json.len() - 1], "the client's", key.as_str(), "secret"] {
        assert!(!shown.replace("client_secret", "").contains(form), "{form} is shown in {shown}");
    }
}

#[tokio::test]
async fn each_kind_of_configuration_is_sent() {
    let server = sim::Fortanix::builder().accounts(0).record_secrets(true).start().await.unwrap();
    let client = fortanix(&server).build().unwrap();
    let configs: [AuthenticationConfig; 6] = [
        AuthConfigPassword::new(true, true).into(),
        AuthConfigRef::new("cluster's own").into(),
        oauth(TlsConfig::disabled()).into(),
        oauth(TlsConfig::opportunistic()).userinfo_endpoint("https://idp.example/me").into(),
        oauth(TlsConfigRequired::new(false, CaSet::GlobalRoots)).into(),
        with_key().into(),
    ];
    let mut request = client.create_account("Acme");
    for config in configs {
        request = request.auth_config(config);
    }
    let created = request.send().await.unwrap();
    let configs = created.auth_configs.unwrap();
    assert_eq!(configs.len(), 6);
    let with_key = configs.values().find_map(|config| {
        let oauth = config.oauth.as_ref()?;
        oauth.tls.as_ref()?.required.as_ref()?.client_key.as_ref().map(|key| (oauth, key))
    });
    let (oauth, key) = with_key.unwrap();
    assert_eq!(oauth.client_secret.as_ref().unwrap().expose_secret(), SECRET);
    assert_eq!(key.expose_secret(), Base64::new(KEY).as_str());
    let sent: Value = serde_json::from_str(server.requests()[1].body()).unwrap();
    assert_eq!(sent["auth_configs"][5]["oauth"]["tls"]["required"]["ca"]["pinned"][0], "YXV0aG9yaXR5");
}

#[tokio::test]
async fn configuration_can_be_read_and_sent_back() {
    let server = sim::Fortanix::builder().accounts(0).start().await.unwrap();
    let client = fortanix(&server).build().unwrap();
    let created = client.create_account("Acme").auth_config(with_key()).send().await.unwrap();
    let (id, mut config) = created.auth_configs.unwrap().into_iter().next().unwrap();
    config.oauth.as_mut().unwrap().idp_name = Some("Another".into());
    let changed = client
        .update_account(created.acct_id)
        .mod_auth_config(id.as_str(), config)
        .add_auth_config(AuthConfigPassword::new(false, false))
        .send()
        .await
        .unwrap();
    let configs = changed.auth_configs.unwrap();
    let oauth = configs[&id].oauth.as_ref().unwrap();
    assert_eq!((configs.len(), oauth.idp_name.as_deref()), (2, Some("Another")));
    assert_eq!(oauth.client_secret.as_ref().unwrap().expose_secret(), SECRET);
    let updated = client.update_account(created.acct_id).del_auth_config(id).send().await.unwrap();
    assert!(updated.auth_configs.unwrap().values().all(|config| config.password.is_some()));
}

#[tokio::test]
async fn incomplete_configuration_is_not_sent() {
    let server = sim::Fortanix::builder().start().await.unwrap();
    let client = fortanix(&server).build().unwrap();
    let read = |config: Value| serde_json::from_value::<AuthenticationConfig>(config).unwrap();
    let oauth = |member: &str, value: Value| {
        let mut oauth = json!({"idp_name": "n", "idp_icon_url": "i", "idp_authorization_endpoint": "a",
            "idp_token_endpoint": "t", "idp_requires_basic_auth": true, "client_id": "c", "client_secret": "s",
            "tls": {"disabled": {}}});
        oauth[member] = value;
        json!({"oauth": oauth})
    };
    let tls = |required: Value| oauth("tls", json!({"required": required}));
    let required = |member: &str, value: Value| {
        let mut required = json!({"validate_hostname": true, "ca": {"ca_set": "GLOBAL_ROOTS"}});
        required[member] = value;
        required
    };
    for (config, reason) in [
        (json!({}), " must have exactly one of password, oauth and cluster_auth_ref"),
        (json!({"passkey": {}}), " must have exactly one of"),
        (json!({"password": {}, "cluster_auth_ref": {}}), " must have exactly one of"),
        (json!({"password": {"require_2fa": true}}), ".password.administrators_only is missing"),
        (json!({"password": {"administrators_only": true}}), ".password.require_2fa is missing"),
        (json!({"cluster_auth_ref": {}}), ".cluster_auth_ref.target_id is missing"),
        (oauth("idp_name", Value::Null), ".oauth.idp_name is missing"),
        (oauth("idp_icon_url", Value::Null), ".oauth.idp_icon_url is missing"),
        (oauth("idp_authorization_endpoint", Value::Null), ".oauth.idp_authorization_endpoint is missing"),
        (oauth("idp_token_endpoint", Value::Null), ".oauth.idp_token_endpoint is missing"),
        (oauth("idp_requires_basic_auth", Value::Null), ".oauth.idp_requires_basic_auth is missing"),
        (oauth("client_id", Value::Null), ".oauth.client_id is missing"),
        (oauth("client_secret", Value::Null), ".oauth.client_secret is missing or empty"),
        (oauth("client_secret", "".into()), ".oauth.client_secret is missing or empty"),
        (oauth("tls", Value::Null), ".oauth.tls is missing"),
        (oauth("tls", json!({})), ".oauth.tls must have exactly one of disabled, opportunistic and required"),
        (oauth("tls", json!({"disabled": {}, "opportunistic": {}})), ".oauth.tls must have exactly one of"),
        (tls(required("validate_hostname", Value::Null)), ".tls.required.validate_hostname is missing"),
        (tls(required("ca", Value::Null)), ".tls.required.ca is missing"),
        (tls(required("ca", json!({}))), ".tls.required.ca must have exactly one of ca_set and pinned"),
        (tls(required("ca", json!({"pinned": ["?"]}))), ".required.ca.pinned is not valid padded base64"),
        (tls(required("client_cert", "Yw".into())), ".tls.required.client_cert is not valid padded base64"),
        (
            tls(required("client_key", "secret!".into())),
            ".tls.required.client_key is not valid padded base64",
        ),
    ] {
        let request = client.create_account("Acme").auth_config(read(config.clone()));
        let error = assert_unsent(&server, request.send().await, &["auth_configs[0]", reason]);
        assert!(!error.message().contains("secret!"), "{error}");
        let update = client.update_account(Uuid::nil());
        let sent = update.clone().add_auth_config(read(config.clone())).send().await;
        assert_unsent(&server, sent, &["add_auth_configs[0]", reason]);
        let sent = update.mod_auth_config("an-id", read(config)).send().await;
        assert_unsent(&server, sent, &["mod_auth_configs.an-id", reason]);
    }
}

#[tokio::test]
async fn secrets_are_hidden_everywhere() {
    let server = sim::Fortanix::builder().accounts(0).start().await.unwrap();
    let client = fortanix(&server).build().unwrap();
    let request = client.create_account("Acme").auth_config(with_key());
    let created = request.clone().send().await.unwrap();
    let update = client.update_account(created.acct_id).mod_auth_config("x", with_key());
    assert_hidden(&format!("{request:?} {request:#?} {update:?} {created:?} {created:#?}"));
    assert_hidden(&serde_json::to_string(&created).unwrap());
    for request in server.requests() {
        assert_hidden(request.body());
    }

    // Echoed as it was sent, and unescaped.
    for unescaped in [false, true] {
        let transport = Canned::new(move |_, request| {
            let body = String::from_utf8_lossy(request.body()).into_owned();
            let plain = body.replace("\\\"", "\"").replace("\\\\", "\\");
            respond(400, format!("Bad: {}", if unescaped { plain } else { body }))
        });
        let client = canned::fortanix(&transport);
        for error in [
            client.create_account("Acme").auth_config(with_key()).send().await.unwrap_err(),
            client.update_account(Uuid::nil()).mod_auth_config("x", with_key()).send().await.unwrap_err(),
        ] {
            assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(400)));
            assert!(error.message().contains("[redacted]"), "the server echoes the secret: {error}");
            assert_hidden(&format!("{error} {error:?}"));
        }
    }
}

#[test]
fn base64_shows_only_its_length() {
    let shown = format!("{:?}", oauth(TlsConfigRequired::new(true, CaConfig::pinned([[7; 600]]))));
    assert!(shown.contains("Base64(800 characters)"), "{shown}");
}
