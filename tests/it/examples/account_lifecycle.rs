//! End-to-end tests of the example `account_lifecycle`.

use headcount_sim::Huawei;

use crate::examples::{example, run};

const EXAMPLE: &str = "account_lifecycle";

#[test]
fn runs_on_simulator_without_credentials() {
    let (code, out, err) = run(&mut example(EXAMPLE));
    assert_eq!(code, Some(0), "{err}");
    assert!(err.starts_with("no credentials in the environment"), "{err}");
    let steps = [
        "requested: car-",
        "created: ",
        "fetched: lifecycle, active",
        "updated: about to be closed",
        "creation: succeeded",
        "closure requested",
        "closure: pending_closure",
        "listed: pending_closure",
    ];
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines.len(), steps.len(), "{out}");
    for (line, step) in lines.iter().zip(steps) {
        assert!(line.starts_with(step), "{line:?} does not start with {step:?}");
    }
}

#[tokio::test]
async fn credentials_require_confirmation() {
    let server = Huawei::builder().accounts(20).start().await.unwrap();
    let run_with = |args: &[&str]| {
        let mut command = example(EXAMPLE);
        command.args(args).envs(server.env());
        tokio::task::spawn_blocking(move || run(&mut command))
    };
    for args in [&[][..], &["--name", "x"], &["--yes"]] {
        let (code, out, err) = run_with(args).await.unwrap();
        assert_eq!((code, out.as_str()), (Some(2), ""), "{args:?}: {err}");
        assert!(err.contains("--yes and --name"), "{err}");
        assert!(server.requests().is_empty());
    }
    let args = ["--yes", "--name", "confirmed", "--email", "confirmed@example.com", "--phone", "1"];
    let (code, out, err) = run_with(&args).await.unwrap();
    assert_eq!(code, Some(0), "{err}");
    assert!(out.ends_with("listed: pending_closure\n"), "{out}");
    let closed = server.records().into_iter().find(|record| record["name"] == "confirmed").unwrap();
    assert_eq!(closed["status"], "pending_closure");
}

#[tokio::test]
async fn failed_step_names_the_account() {
    let server = Huawei::builder().accounts(20).deny_action("organizations:accounts:update");
    let server = server.start().await.unwrap();
    let mut command = example(EXAMPLE);
    command.args(["--yes", "--name", "remaining", "--email", "remaining@example.com"]).envs(server.env());
    let (code, _, err) = tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap();
    assert_eq!(code, Some(1), "{err}");
    let remaining = server.records().into_iter().find(|record| record["name"] == "remaining").unwrap();
    assert!(
        err.contains(&format!("the account {} still exists", remaining["id"].as_str().unwrap())),
        "{err}"
    );
    assert!(err.contains("Organizations.1007"), "{err}");
}

#[test]
fn wrong_usage_exits_with_2() {
    let (code, _, err) = run(example(EXAMPLE).arg("--yes"));
    assert_eq!(code, Some(2));
    assert!(err.contains("HUAWEICLOUD_SDK_AK"), "{err}");
    assert_eq!(run(example(EXAMPLE).arg("--nonsense")).0, Some(2));
}
