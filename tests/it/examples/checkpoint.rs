//! `list_accounts --checkpoint`, restarted after a kill, after the end, and with other servers.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use headcount_sim::{Huawei, PROVIDERS};

use super::{Running, Simulate, accounts, example, run, total, utf8};

/// Returns a temporary directory and the path of a file in it that does not exist.
fn checkpoint_path() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("checkpoint.json");
    (directory, file)
}

fn list(simulate: &Simulate, file: &Path, format: &str) -> Command {
    let mut command = simulate.list(&["--format", format, "--checkpoint"]);
    command.arg(file);
    command
}

/// Runs a command until it has printed `lines`, kills it, and returns all complete lines that it printed.
fn kill_after(lines: usize, command: &mut Command) -> String {
    let process = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::null()));
    let mut out = BufReader::new(process.stdout());
    let mut printed = Vec::new();
    for _ in 0..lines {
        out.read_until(b'\n', &mut printed).unwrap();
    }
    process.kill();
    while out.read_until(b'\n', &mut printed).unwrap() > 0 {}
    assert_eq!(process.code(), None, "the process ended by itself");
    // Drops an incomplete last line.
    printed.truncate(printed.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1));
    utf8(&printed)
}

#[test]
fn kills_lose_nothing_and_repeat_little() {
    let simulate = Simulate::start(&["--accounts", "4000"]);
    let (_directory, file) = checkpoint_path();
    let mut all = BTreeSet::new();
    let mut lines = 0;
    let kills = 6;
    for kill in 1..=kills {
        let printed = accounts(&kill_after(300 * kill, &mut list(&simulate, &file, "ndjson")));
        assert!(printed.len() >= 300 * kill, "{} lines", printed.len());
        lines += printed.len();
        all.extend(printed);
    }
    let (code, out, err) = run(&mut list(&simulate, &file, "ndjson"));
    assert_eq!(code, Some(0), "{err}");
    let printed = accounts(&out);
    lines += printed.len();
    all.extend(printed);
    assert_eq!(all.len(), total(4000), "the union is complete");
    // Each killed run may have printed up to 50 accounts after its last checkpoint.
    let repeated = lines - all.len();
    assert!(repeated <= 50 * kills, "{repeated} were printed twice after {kills} kills");
}

#[test]
fn finished_lists_exit_with_2() {
    let simulate = Simulate::start(&["--accounts", "30"]);
    let (_directory, file) = checkpoint_path();
    let (code, out, err) = run(&mut list(&simulate, &file, "ndjson"));
    assert_eq!((code, out.lines().count()), (Some(0), total(30)), "{err}");
    for _ in 0..2 {
        let (code, out, err) = run(&mut list(&simulate, &file, "ndjson"));
        assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
        assert!(
            err.ends_with("checkpoint.json: every list is finished; remove the file to list again\n"),
            "{err}"
        );
    }
    std::fs::remove_file(&file).unwrap();
    assert_eq!(accounts(&run(&mut list(&simulate, &file, "ndjson")).1).len(), total(30));
}

#[test]
fn finished_sources_are_not_listed_again() {
    let simulate = Simulate::start(&["--accounts", "30"]);
    let (_directory, file) = checkpoint_path();
    let (code, first, err) = run(list(&simulate, &file, "csv").args(["--provider", "huawei"]));
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("huawei: 30 accounts on 1 page; complete"), "{err}");

    let (code, rest, err) = run(&mut list(&simulate, &file, "csv"));
    assert_eq!(code, Some(0), "{err}");
    let earlier = "huawei: 30 accounts on 1 page, listed by an earlier run; complete";
    assert!(err.contains(earlier), "{err}");
    assert_eq!(err.matches("earlier run").count(), 1, "{err}");

    let mut reader = csv::Reader::from_reader(first.as_bytes().chain(rest.as_bytes()));
    let sources: Vec<String> = reader.records().map(|record| record.unwrap()[0].to_owned()).collect();
    for source in PROVIDERS.iter().map(|provider| provider.name()) {
        assert_eq!(sources.iter().filter(|name| *name == source).count(), 30, "{source}");
    }
    assert_eq!(sources.len(), total(30), "the header is printed once");
}

#[test]
fn other_server_error_names_file_and_source() {
    let (_directory, file) = checkpoint_path();
    let start = || Simulate::start(&["--accounts", "60"]);
    assert_eq!(run(list(&start(), &file, "ndjson").args(["--max", "100"])).0, Some(0));
    let (code, out, err) = run(&mut list(&start(), &file, "ndjson"));
    assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
    assert!(err.contains("checkpoint.json: fortanix: the checkpoint belongs to another listing"), "{err}");
}

#[test]
fn invalid_file_is_named() {
    let (directory, file) = checkpoint_path();
    std::fs::write(&file, "[]").unwrap();
    for (file, reason) in [(file.as_path(), "is not a checkpoint of list_accounts"), (directory.path(), ": ")]
    {
        let mut command = example("list_accounts");
        let (code, out, err) = run(command.args(["--format", "ndjson", "--checkpoint"]).arg(file));
        assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
        assert!(err.starts_with("list_accounts: ") && err.contains(reason), "{err}");
        assert!(err.contains(file.to_str().unwrap()), "{err}");
    }
}

#[tokio::test]
async fn repeated_rows_are_counted() {
    let server = Huawei::builder().accounts(20).start().await.unwrap();
    let (_directory, file) = checkpoint_path();
    let list = async |more: &'static [&str]| {
        let mut command = example("list_accounts");
        command.args(["--format", "ndjson", "--page-size", "10", "--checkpoint"]).arg(&file).args(more);
        command.envs(server.env());
        tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap()
    };
    assert_eq!(list(&["--max", "7"]).await.0, Some(0));
    assert!(server.remove(&server.ids()[0]));
    let (code, out, err) = list(&[]).await;
    assert_eq!((code, out.lines().count()), (Some(0), 19), "{err}");
    let repeats = "huawei: 26 accounts on 2 pages, at most 7 of them repeated because their page changed before it \
                   was resumed; complete";
    assert!(err.contains(repeats), "{err}");
}

#[test]
fn file_that_cannot_be_replaced_is_an_error_before_listing() {
    let simulate = Simulate::start(&["--accounts", "3"]);
    let (directory, file) = checkpoint_path();
    let missing = directory.path().join("missing").join("checkpoint.json");
    std::fs::write(&file, "{}").unwrap();
    let mut permissions = std::fs::metadata(&file).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&file, permissions).unwrap();
    for (file, reason) in [(&missing, "No such file"), (&file, "is read-only")] {
        let (code, out, err) = run(&mut list(&simulate, file, "csv"));
        assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
        assert!(err.contains(reason) && err.contains("checkpoint.json"), "{err}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{}");
}

#[test]
fn simulators_of_another_run_cannot_be_resumed() {
    let (_directory, file) = checkpoint_path();
    let listed =
        || run(example("list_accounts").args(["--format", "csv", "--max", "5", "--checkpoint"]).arg(&file));
    let (code, _, err) = listed();
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("the simulators are new in each run"), "{err}");
    let (code, out, err) = listed();
    assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
    assert!(err.contains("simulators are new in each run; to resume their lists, start"), "{err}");
}

#[test]
fn inventory_is_complete_after_a_kill() {
    let simulate = Simulate::start(&["--accounts", "2000"]);
    let (_directory, file) = checkpoint_path();
    let mut text = kill_after(500, &mut list(&simulate, &file, "inventory"));
    assert!(!headcount::Inventory::read(text.as_bytes()).unwrap().is_complete());
    let (code, rest, err) = run(&mut list(&simulate, &file, "inventory"));
    assert_eq!(code, Some(0), "{err}");
    text += &rest;
    let inventory = headcount::Inventory::read(text.as_bytes()).unwrap();
    assert!(inventory.is_complete());
    assert!(inventory.sources().all(|source| source.accounts().len() == 2000));
}

#[test]
fn inventory_needs_the_output_of_every_run() {
    let simulate = Simulate::start(&["--accounts", "60"]);
    let (_directory, file) = checkpoint_path();
    let (code, first, err) = run(list(&simulate, &file, "inventory").args(["--max", "90"]));
    assert_eq!(code, Some(0), "{err}");
    let (code, second, err) = run(&mut list(&simulate, &file, "inventory"));
    assert_eq!(code, Some(0), "{err}");
    // `>` instead of `>>`.
    let error = headcount::Inventory::read(second.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("the output of an earlier run is missing"), "{error}");
    assert!(headcount::Inventory::read((first + &second).as_bytes()).unwrap().is_complete());
}

#[test]
fn a_list_that_stops_at_its_last_account_has_its_report() {
    let simulate = Simulate::start(&["--accounts", "30"]);
    let (_directory, file) = checkpoint_path();
    let annature = ["--provider", "annature"];
    let (code, out, err) = run(list(&simulate, &file, "inventory").args(annature).args(["--max", "30"]));
    assert_eq!(code, Some(0), "{err}");
    let (code, rest, err) = run(list(&simulate, &file, "inventory").args(annature));
    assert!(code == Some(0) || code == Some(2) && rest.is_empty(), "{code:?}: {err}");
    assert!(headcount::Inventory::read((out + &rest).as_bytes()).unwrap().is_complete());
}
