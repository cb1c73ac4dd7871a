//! The program `diff`.

use std::path::PathBuf;

use headcount::{
    Account, AccountKind, Completeness, Inventory, ListingReport, Provider, Source, SourceInventory,
};

use super::{example, run};

/// Writes an inventory of one source, with accounts of these ids and names.
fn inventory(
    directory: &tempfile::TempDir,
    file: &str,
    complete: bool,
    accounts: &[(&str, &str)],
) -> PathBuf {
    let mut report = ListingReport::start(Source::new("acme", "signing", Provider::Annature).unwrap());
    if complete {
        report.summary.completeness = Completeness::Complete;
    }
    let account = |(id, name): &(&str, &str)| {
        let mut account = Account::new(Provider::Annature, AccountKind::User, *id);
        account.name = Some((*name).to_owned());
        account
    };
    let path = directory.path().join(file);
    let inventory = Inventory::from_iter([SourceInventory::new(report, accounts.iter().map(account))]);
    inventory.write(std::fs::File::create(&path).unwrap()).unwrap();
    path
}

#[test]
fn simulators_are_compared_without_files() {
    let (code, out, err) = run(example("diff").args(["--format", "ndjson"]));
    assert_eq!(code, Some(1), "{err}");
    assert!(err.starts_with("no files: comparing built-in simulators"), "{err}");
    let lines: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for provider in ["fortanix", "huawei", "annature", "sailpoint"] {
        for change in ["joined", "left", "changed"] {
            let of = |line: &&serde_json::Value| line["source"] == provider && line["change"] == change;
            let count = lines.iter().filter(of).count();
            assert!(count > 0, "{provider} {change}");
            assert!(err.contains(&format!("{count} {change}")), "{err}");
        }
    }
    assert!(lines.iter().all(|line| line["tenant"] == "simulated"));
}

#[test]
fn changes_are_printed_as_text() {
    let directory = tempfile::tempdir().unwrap();
    let earlier = inventory(&directory, "a", true, &[("1", "Ada"), ("2", "Bob"), ("3", "Eve")]);
    let later = inventory(&directory, "b", true, &[("1", "Ada"), ("3", "Eve\u{1b}[2J"), ("4", "Ted")]);
    let (code, out, err) = run(example("diff").args([&earlier, &later]));
    assert_eq!((code, err.as_str()), (Some(1), "acme/signing: 1 joined, 1 left, 1 changed\n"));
    assert_eq!(
        out,
        "joined   acme/signing  4  Ted\n\
         left     acme/signing  2  Bob\n\
         changed  acme/signing  3  Eve\\u{1b}[2J\n         name: Eve -> Eve\\u{1b}[2J\n"
    );
    let (code, out, err) = run(example("diff").args([&later, &later]));
    assert_eq!((code, out.as_str()), (Some(0), ""), "{err}");
}

#[test]
fn incomplete_inventories_are_refused_unless_unchecked() {
    let directory = tempfile::tempdir().unwrap();
    let earlier = inventory(&directory, "a", true, &[("1", "Ada"), ("2", "Bob")]);
    let later = inventory(&directory, "b", false, &[("1", "Ada")]);
    let (code, out, err) = run(example("diff").args([&earlier, &later]));
    assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
    assert!(err.contains("the later listing is not complete") && err.contains("--unchecked"), "{err}");
    let (code, out, err) = run(example("diff").args([&earlier, &later]).arg("--unchecked"));
    assert_eq!((code, out.as_str()), (Some(1), "left     acme/signing  2  Bob\n"), "{err}");
}

#[test]
fn unreadable_files_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let good = inventory(&directory, "a", true, &[("1", "Ada")]);
    let bad = directory.path().join("bad");
    std::fs::write(&bad, "{\"source\":\"huawei\",\"id\":\"1\"}\n").unwrap();
    for (file, reason) in [
        (bad, "bad: line 1: expected an account or a report"),
        (directory.path().join("missing"), "missing: "),
    ] {
        let (code, out, err) = run(example("diff").args([&good, &file]));
        assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
        assert!(err.contains(reason), "{err}");
    }
    let (code, _, err) = run(example("diff").arg(&good));
    assert_eq!(code, Some(2), "{err}");
    let empty = directory.path().join("empty");
    std::fs::write(&empty, "").unwrap();
    let (code, _, err) = run(example("diff").args([&good, &empty]));
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("empty: no reports; expected the output of list_accounts"), "{err}");
}
