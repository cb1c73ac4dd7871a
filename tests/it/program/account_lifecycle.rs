//! The program `account_lifecycle`, as its users run it.

use headcount_sim::Huawei;

use crate::program::{program, run};

const PROGRAM: &str = "account_lifecycle";

#[test]
fn without_credentials_an_account_lives_and_is_closed_on_a_simulator() {
    let (code, out, err) = run(&mut program(PROGRAM));
    assert_eq!(code, Some(0), "{err}");
    assert!(err.starts_with("no credentials in the environment"), "{err}");
    let steps = [
        "asked for it: car-",
        "created: ",
        "shown: Some(\"lifecycle\"), Some(Active)",
        "updated: Some(\"about to be closed\")",
        "its creation: Some(Succeeded)",
        "asked to close it",
        "its closure: Some(PendingClosure)",
        "listed: Some(PendingClosure)",
    ];
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines.len(), steps.len(), "{out}");
    for (line, step) in lines.iter().zip(steps) {
        assert!(line.starts_with(step), "{line:?} does not start with {step:?}");
    }
}

#[tokio::test]
async fn with_credentials_nothing_is_sent_unless_it_is_really_meant() {
    let server = Huawei::builder().accounts(20).start().await.unwrap();
    let with = |args: &[&str]| {
        let mut command = program(PROGRAM);
        command.args(args).envs(server.env());
        tokio::task::spawn_blocking(move || run(&mut command))
    };
    for args in [&[][..], &["--name", "x"], &["--really"]] {
        let (code, out, err) = with(args).await.unwrap();
        assert_eq!((code, out.as_str()), (Some(2), ""), "{args:?}: {err}");
        assert!(err.contains("--really and --name"), "{err}");
        assert!(server.requests().is_empty());
    }
    let args = ["--really", "--name", "meant", "--email", "meant@example.com", "--phone", "1"];
    let (code, out, err) = with(&args).await.unwrap();
    assert_eq!(code, Some(0), "{err}");
    assert!(out.ends_with("listed: Some(PendingClosure)\n"), "{out}");
    let closed = server.records().into_iter().find(|record| record["name"] == "meant").unwrap();
    assert_eq!(closed["status"], "pending_closure");
}

#[tokio::test]
async fn a_step_that_fails_exits_with_1_and_tells_what_is_left() {
    let server = Huawei::builder().accounts(20).deny_action("organizations:accounts:update");
    let server = server.start().await.unwrap();
    let mut command = program(PROGRAM);
    command.args(["--really", "--name", "left", "--email", "left@example.com"]).envs(server.env());
    let (code, _, err) = tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap();
    assert_eq!(code, Some(1), "{err}");
    let left = server.records().into_iter().find(|record| record["name"] == "left").unwrap();
    assert!(err.contains(&format!("the account {} is there", left["id"].as_str().unwrap())), "{err}");
    assert!(err.contains("Organizations.1007"), "{err}");
}

#[test]
fn wrong_usage_exits_with_2() {
    let (code, _, err) = run(program(PROGRAM).arg("--really"));
    assert_eq!(code, Some(2));
    assert!(err.contains("HUAWEICLOUD_SDK_AK"), "{err}");
    assert_eq!(run(program(PROGRAM).arg("--nonsense")).0, Some(2));
}
