//! Account names that control a terminal, are invisible, or are executed by a spreadsheet.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    thread,
};

use headcount_sim::{Huawei, Server};
use serde_json::json;

use super::{example, run};

/// Account names, and their escaped form.
const NAMES: [(&str, &str); 5] = [
    ("mallory\u{1b}[2K\u{1b}[1A\r\n\u{9b}2Jada", r"mallory\u{1b}[2K\u{1b}[1A\u{d}\u{a}\u{9b}2Jada"),
    ("a\u{202e}nimda\u{2066}", r"a\u{202e}nimda\u{2066}"),
    ("ad\u{200b}a\u{feff}\u{e0041}", r"ad\u{200b}a\u{feff}\u{e0041}"),
    ("ada\u{0}\u{7f}\t", r"ada\u{0}\u{7f}\u{9}"),
    ("Zoë 名 \\ '🚀", "Zoë 名 \\ '🚀"),
];

/// Formula-like names, and their form in CSV.
const FORMULAS: [(&str, &str); 9] = [
    ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
    ("+1+1", "'+1+1"),
    ("-2+3", "'-2+3"),
    ("@SUM(A1)", "'@SUM(A1)"),
    ("\t=1", r"'\u{9}=1"),
    ("\r=1", r"'\u{d}=1"),
    ("\u{feff}=1", r"\u{feff}=1"),
    ("＝1", "'＝1"),
    ("a=1", "a=1"),
];

/// Starts a server whose first accounts have these names.
async fn server<'a>(names: impl Iterator<Item = &'a str>) -> Huawei {
    let server = Huawei::builder().accounts(20).start().await.unwrap();
    for (id, name) in server.ids().iter().zip(names) {
        assert!(server.update(id, |record| record["name"] = json!(name)));
    }
    server
}

/// Runs `list_accounts` and returns its output.
async fn list_accounts(server: &Server, args: &[&str]) -> String {
    let mut command = example("list_accounts");
    command.args(args).envs(server.env());
    let (code, out, err) = tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap();
    assert_eq!(code, Some(0), "{err}");
    out
}

#[tokio::test]
async fn table_is_escaped() {
    let server = server(NAMES.iter().map(|(name, _)| *name)).await;
    let out = list_accounts(&server, &[]).await;
    assert!(out.chars().all(|c| c == '\n' || !c.is_control()), "{out:?}");
    assert_eq!(out.lines().count(), 21, "a name has a line break: {out}");
    for (_, escaped) in NAMES {
        assert!(out.contains(&format!(" {escaped} ")), "{escaped}: {out}");
    }
}

#[tokio::test]
async fn csv_is_escaped() {
    let texts: Vec<_> = NAMES.iter().chain(&FORMULAS).copied().collect();
    let server = server(texts.iter().map(|(name, _)| *name)).await;
    let out = list_accounts(&server, &["--format", "csv"]).await;
    let mut reader = csv::Reader::from_reader(out.as_bytes());
    let names: Vec<_> = reader.records().map(|record| record.unwrap()[3].to_owned()).collect();
    assert_eq!(
        names[..texts.len()],
        texts.iter().map(|(_, escaped)| (*escaped).to_owned()).collect::<Vec<_>>()
    );
    assert_eq!(names.len(), 20);
}

#[tokio::test]
async fn ndjson_is_unchanged() {
    let texts: Vec<_> = NAMES.iter().chain(&FORMULAS).map(|(name, _)| *name).collect();
    let server = server(texts.iter().copied()).await;
    let out = list_accounts(&server, &["--format", "ndjson"]).await;
    let name = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["name"].clone();
    let names: Vec<_> = out.lines().map(name).collect();
    assert_eq!(names[..texts.len()], texts.iter().map(|text| json!(text)).collect::<Vec<_>>());
}

#[test]
fn messages_are_escaped() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("no\u{1b}[2J such\u{202e}");
    std::fs::write(&file, "[]").unwrap();
    let mut command = example("list_accounts");
    let (code, _, err) = run(command.args(["--format", "csv", "--checkpoint"]).arg(file));
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains(r"no\u{1b}[2J such\u{202e} is not a checkpoint"), "{err:?}");
}

#[test]
fn summaries_are_escaped() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = example("list_accounts");
    command.envs([("HUAWEICLOUD_SDK_AK", "access"), ("HUAWEICLOUD_SDK_SK", "secret")]);
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    command.env("HUAWEICLOUD_SDK_REGION_ORGANIZATIONS_CN_NORTH_4", endpoint);
    thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let _ = client.read(&mut [0; 4096]);
        let body = r#"{"error_code":"X.1","error_msg":"no\u202eno\u200b\u001b[2Jno"}"#;
        let head = format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\n\r\n", body.len());
        client.write_all(format!("{head}{body}").as_bytes()).unwrap();
    });
    let (code, _, err) = run(&mut command);
    assert_eq!(code, Some(1), "{err}");
    // The library has replaced the control character with a space.
    assert!(err.contains(r"no\u{202e}no\u{200b} [2Jno"), "{err:?}");
}
