//! Texts that whoever names an account has chosen to act on a terminal, hide, or be executed by a spreadsheet.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    thread,
};

use headcount_sim::{Huawei, Server};
use serde_json::json;

use super::{program, run};

/// What the names of the first accounts are, and what is shown of them.
const NAMES: [(&str, &str); 5] = [
    ("mallory\u{1b}[2K\u{1b}[1A\r\n\u{9b}2Jada", r"mallory\u{1b}[2K\u{1b}[1A\u{d}\u{a}\u{9b}2Jada"),
    ("a\u{202e}nimda\u{2066}", r"a\u{202e}nimda\u{2066}"),
    ("ad\u{200b}a\u{feff}\u{e0041}", r"ad\u{200b}a\u{feff}\u{e0041}"),
    ("ada\u{0}\u{7f}\t", r"ada\u{0}\u{7f}\u{9}"),
    ("Zoë 名 \\ '🚀", "Zoë 名 \\ '🚀"),
];

/// Texts at the start of a cell, and what CSV has of them.
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

/// A server whose first accounts have these names.
async fn server<'a>(names: impl Iterator<Item = &'a str>) -> Huawei {
    let server = Huawei::builder().accounts(20).start().await.unwrap();
    for (id, name) in server.ids().iter().zip(names) {
        assert!(server.update(id, |record| record["name"] = json!(name)));
    }
    server
}

/// What the program prints.
async fn printed(server: &Server, args: &[&str]) -> String {
    let mut command = program("list_accounts");
    command.args(args).envs(server.env());
    let (code, out, err) = tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap();
    assert_eq!(code, Some(0), "{err}");
    out
}

#[tokio::test]
async fn a_table_shows_what_is_hidden() {
    let server = server(NAMES.iter().map(|(name, _)| *name)).await;
    let out = printed(&server, &[]).await;
    assert!(out.chars().all(|c| c == '\n' || !c.is_control()), "{out:?}");
    assert_eq!(out.lines().count(), 21, "no name has a line of its own: {out}");
    for (_, shown) in NAMES {
        assert!(out.contains(&format!(" {shown} ")), "{shown}: {out}");
    }
}

#[tokio::test]
async fn csv_shows_hidden_text_and_formulas() {
    let texts: Vec<_> = NAMES.iter().chain(&FORMULAS).copied().collect();
    let server = server(texts.iter().map(|(name, _)| *name)).await;
    let out = printed(&server, &["--format", "csv"]).await;
    let mut reader = csv::Reader::from_reader(out.as_bytes());
    let names: Vec<_> = reader.records().map(|record| record.unwrap()[3].to_owned()).collect();
    assert_eq!(names[..texts.len()], texts.iter().map(|(_, shown)| (*shown).to_owned()).collect::<Vec<_>>());
    assert_eq!(names.len(), 20);
}

#[tokio::test]
async fn ndjson_is_exact() {
    let texts: Vec<_> = NAMES.iter().chain(&FORMULAS).map(|(name, _)| *name).collect();
    let server = server(texts.iter().copied()).await;
    let out = printed(&server, &["--format", "ndjson"]).await;
    let name = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["name"].clone();
    let names: Vec<_> = out.lines().map(name).collect();
    assert_eq!(names[..texts.len()], texts.iter().map(|text| json!(text)).collect::<Vec<_>>());
}

#[test]
fn messages_show_what_is_hidden() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("no\u{1b}[2J such\u{202e}");
    std::fs::write(&file, "[]").unwrap();
    let mut command = program("list_accounts");
    let (code, _, err) = run(command.args(["--format", "csv", "--checkpoint"]).arg(file));
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains(r"no\u{1b}[2J such\u{202e} is no checkpoint"), "{err:?}");
}

#[test]
fn summaries_show_what_is_hidden() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = program("list_accounts");
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
    // The library has taken the control character for a blank.
    assert!(err.contains(r"no\u{202e}no\u{200b} [2Jno"), "{err:?}");
}
