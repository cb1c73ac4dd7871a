//! End-to-end tests of the example `create_fortanix_account`.

use headcount_sim as sim;
use serde_json::{Value, json};

use crate::examples::{example, run};

const EXAMPLE: &str = "create_fortanix_account";

#[test]
fn runs_on_simulator_without_credentials() {
    let directory = tempfile::tempdir().unwrap();
    let logo = directory.path().join("logo.svg");
    std::fs::write(&logo, "<svg/>").unwrap();
    let options = ["--password-login", "--require-2fa", "--confidential-ai", "--logo"];
    let (code, out, err) = run(example(EXAMPLE).arg("Acme").args(options).arg(&logo));
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("no credentials in the environment"), "{err}");
    assert!(err.contains("built-in simulator") && err.contains("of 251 accounts in the list"), "{err}");
    let account: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&account["name"], &account["custom_logo"]), (&json!("Acme"), &json!("PHN2Zy8+")));
    assert_eq!(account["component"], "CONFIDENTIAL_AI");
    assert_eq!(account["totals"]["nodes"], 7, "it was fetched with its totals");
    let configs: Vec<_> = account["auth_configs"].as_object().unwrap().values().collect();
    assert_eq!(configs, [&json!({"password": {"require_2fa": true, "administrators_only": false}})]);
}

#[tokio::test]
async fn credentials_require_confirmation() {
    let server = sim::Fortanix::builder().accounts(4).start().await.unwrap();
    let env = server.env();
    let create = async |more: &'static [&str]| {
        let env = env.clone();
        let run = tokio::task::spawn_blocking(move || run(example(EXAMPLE).arg("Acme").args(more).envs(env)));
        run.await.unwrap()
    };
    let (code, out, err) = create(&[]).await;
    assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
    assert!(err.contains("pass --yes to confirm"), "{err}");
    assert!(server.requests().is_empty());

    let (code, out, err) = create(&["--yes"]).await;
    assert_eq!(code, Some(0), "{err}");
    assert!(!err.contains("simulator"), "{err}");
    let account: Value = serde_json::from_str(&out).unwrap();
    assert!(server.ids().iter().any(|id| account["acct_id"] == **id));
    assert_eq!(server.ids().len(), 5);

    let (code, out, err) = create(&["--yes"]).await;
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.contains("400: An account with this name already exists"), "{err}");
    assert_eq!(server.ids().len(), 5);
}

#[test]
fn wrong_usage_exits_with_2() {
    for (args, reason) in [
        (&[][..], "<NAME>"),
        (&[" "], "the account's name is empty; expected a name"),
        (&["Acme", "--require-2fa"], "--password-login"),
        (&["Acme", "--yes"], "--yes requires FORTANIX_CCM_EMAIL"),
        (&["Acme", "--logo", "no such file"], "no such file: "),
        (&["Acme", "--logo", "Cargo.toml"], "expected a .jpg, .png or .svg"),
    ] {
        let (code, out, err) = run(example(EXAMPLE).args(args));
        assert_eq!((code, out.as_str()), (Some(2), ""), "{args:?}");
        assert!(err.contains(reason), "{args:?}: {err}");
    }
    let (code, _, err) = run(example(EXAMPLE).env("FORTANIX_CCM_EMAIL", "ada@example.com").arg("Acme"));
    assert_eq!(code, Some(2));
    assert!(err.contains("FORTANIX_CCM_PASSWORD is not set"), "{err}");
}
