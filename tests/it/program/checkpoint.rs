//! `list_accounts --checkpoint`, started again after a kill, after its end, and elsewhere.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use headcount_sim::{Huawei, PROVIDERS};

use super::{Running, Simulate, accounts, of_all, program, run, text};

/// A folder, and the name of a place in it.
fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("place.json");
    (folder, file)
}

fn list(simulate: &Simulate, file: &Path, format: &str) -> Command {
    let mut command = simulate.list(&["--format", format, "--checkpoint"]);
    command.arg(file);
    command
}

/// Runs it until it has printed `lines`, kills it, and gives all whole lines that it printed.
fn kill_after(lines: usize, command: &mut Command) -> String {
    let program = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::null()));
    let mut out = BufReader::new(program.out());
    let mut printed = Vec::new();
    for _ in 0..lines {
        out.read_until(b'\n', &mut printed).unwrap();
    }
    program.kill();
    while out.read_until(b'\n', &mut printed).unwrap() > 0 {}
    assert_eq!(program.code(), None, "it ran until it was killed");
    // A line that was cut off by the kill was not printed.
    printed.truncate(printed.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1));
    text(&printed)
}

#[test]
fn killed_and_started_again_it_loses_nothing_and_repeats_less_than_a_page() {
    let simulate = Simulate::start(&["--accounts", "4000"]);
    let (_folder, file) = place();
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
    assert_eq!(all.len(), of_all(4000), "the union is complete");
    // Each killed run may have printed so many after its last save, and they are printed again.
    let repeated = lines - all.len();
    assert!(repeated <= 50 * kills, "{repeated} were printed twice after {kills} kills");
}

#[test]
fn when_every_list_is_finished_it_says_so_and_prints_no_empty_inventory() {
    let simulate = Simulate::start(&["--accounts", "30"]);
    let (_folder, file) = place();
    let (code, out, err) = run(&mut list(&simulate, &file, "ndjson"));
    assert_eq!((code, out.lines().count()), (Some(0), of_all(30)), "{err}");
    for _ in 0..2 {
        let (code, out, err) = run(&mut list(&simulate, &file, "ndjson"));
        assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
        assert!(err.ends_with("place.json: every list was finished; remove it to list again\n"), "{err}");
    }
    std::fs::remove_file(&file).unwrap();
    assert_eq!(accounts(&run(&mut list(&simulate, &file, "ndjson")).1).len(), of_all(30));
}

#[test]
fn what_an_earlier_run_finished_is_told_as_such_and_the_rest_is_appended() {
    let simulate = Simulate::start(&["--accounts", "30"]);
    let (_folder, file) = place();
    let (code, first, err) = run(list(&simulate, &file, "csv").args(["--provider", "huawei"]));
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("huawei: 30 accounts on 1 page; the list is whole"), "{err}");

    let (code, rest, err) = run(&mut list(&simulate, &file, "csv"));
    assert_eq!(code, Some(0), "{err}");
    let earlier =
        "huawei: 30 accounts on 1 page, all by an earlier run, and not listed again; the list is whole";
    assert!(err.contains(earlier), "{err}");
    assert_eq!(err.matches("earlier run").count(), 1, "{err}");

    let mut reader = csv::Reader::from_reader(first.as_bytes().chain(rest.as_bytes()));
    let sources: Vec<String> = reader.records().map(|record| record.unwrap()[0].to_owned()).collect();
    for source in PROVIDERS.iter().map(|provider| provider.name()) {
        assert_eq!(sources.iter().filter(|name| *name == source).count(), 30, "{source}");
    }
    assert_eq!(sources.len(), of_all(30), "the header is there once");
}

#[test]
fn a_place_of_other_servers_is_refused_by_its_file_and_source() {
    let (_folder, file) = place();
    let list = |more: &[&str]| {
        let mut command = program("list_accounts");
        run(command.args(["--format", "ndjson", "--checkpoint"]).arg(&file).args(more))
    };
    assert_eq!(list(&["--max", "100"]).0, Some(0));
    // The built-in simulators are others each time.
    let (code, out, err) = list(&[]);
    assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
    assert!(err.contains("place.json: fortanix: the checkpoint is of another listing"), "{err}");
}

#[test]
fn a_file_that_is_no_place_is_named() {
    let (folder, file) = place();
    std::fs::write(&file, "[]").unwrap();
    for (file, why) in [(file.as_path(), "is no checkpoint of list_accounts"), (folder.path(), ": ")] {
        let mut command = program("list_accounts");
        let (code, out, err) = run(command.args(["--format", "ndjson", "--checkpoint"]).arg(file));
        assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
        assert!(err.starts_with("list_accounts: ") && err.contains(why), "{err}");
        assert!(err.contains(file.to_str().unwrap()), "{err}");
    }
}

#[tokio::test]
async fn rows_of_a_changed_page_are_counted() {
    let server = Huawei::builder().accounts(20).start().await.unwrap();
    let (_folder, file) = place();
    let list = async |more: &'static [&str]| {
        let mut command = program("list_accounts");
        command.args(["--format", "ndjson", "--page-size", "10", "--checkpoint"]).arg(&file).args(more);
        command.envs(server.env());
        tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap()
    };
    assert_eq!(list(&["--max", "7"]).await.0, Some(0));
    assert!(server.remove(&server.ids()[0]));
    let (code, out, err) = list(&[]).await;
    assert_eq!((code, out.lines().count()), (Some(0), 19), "{err}");
    let repeats = "huawei: 26 accounts on 2 pages, at most 7 of them repeated: their page changed before it was \
                   resumed; the list is whole";
    assert!(err.contains(repeats), "{err}");
}
