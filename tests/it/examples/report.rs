//! The report of an inventory.

use std::{fs::File, io::Read as _, path::Path, process::Stdio};

use headcount::{
    Account, AccountKind, AccountOwner, AccountStatus, Completeness, IncompleteReason, Inventory,
    ListingReport, Provider, Source, SourceInventory, chrono::DateTime,
};
use tempfile::TempDir;

use super::{Running, example, run};

/// Writes inventories to files, runs `report` on the last one, and returns the exit code, the report and the standard
/// error. With two inventories, the first is the earlier one.
fn report(inventories: &[&Inventory]) -> (Option<i32>, String, String) {
    let directory = tempfile::tempdir().unwrap();
    let files: Vec<_> =
        inventories.iter().enumerate().map(|(index, it)| write(&directory, index, it)).collect();
    let mut command = example("report");
    command.args(["--output", "-"]).arg(files.last().unwrap());
    if files.len() == 2 {
        command.arg("--earlier").arg(&files[0]);
    }
    let (code, html, err) = run(&mut command);
    assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</html>\n"), "{err}");
    (code, html, err)
}

fn write(directory: &TempDir, index: usize, inventory: &Inventory) -> std::path::PathBuf {
    let path = directory.path().join(format!("{index}.jsonl"));
    inventory.write(File::create(&path).unwrap()).unwrap();
    path
}

fn source(name: &str, provider: Provider) -> Source {
    Source::new("acme", name, provider).unwrap()
}

fn complete(source: Source) -> ListingReport {
    let mut report = ListingReport::start(source);
    report.endpoint = Some("GET https://provider.example/accounts".into());
    report.ended_at = Some(report.started_at);
    report.summary.completeness = Completeness::Complete;
    report
}

fn account(provider: Provider, id: &str) -> Account {
    let mut account = Account::new(provider, AccountKind::User, id);
    account.status = AccountStatus::Active;
    account
}

/// The inventory of one source at Annature.
fn signing(report: ListingReport, accounts: impl IntoIterator<Item = Account>) -> Inventory {
    [SourceInventory::new(report, accounts)].into_iter().collect()
}

fn signing_report() -> ListingReport {
    complete(source("signing", Provider::Annature))
}

/// Returns the text between two texts.
fn between<'a>(html: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = html.split_once(start).unwrap_or_else(|| panic!("no {start}: {html}"));
    rest.split_once(end).unwrap_or_else(|| panic!("no {end}")).0
}

/// Returns the listing of a source.
fn listing<'a>(html: &'a str, name: &str) -> &'a str {
    let mut listings = html.split(r#"<article class="card listing">"#).skip(1);
    listings.find(|listing| listing.contains(&format!("<h3>{name}</h3>"))).unwrap()
}

fn figure<'a>(listing: &'a str, name: &str) -> &'a str {
    between(listing, &format!("<dt>{name}</dt><dd>"), "</dd>")
}

fn finding<'a>(html: &'a str, id: &str) -> &'a str {
    between(html, &format!(r#"<article class="card finding" id="{id}">"#), "</article>")
}

fn count(finding: &str) -> &str {
    between(finding, r#"<span class="count">"#, "</span>")
}

/// Returns the cells of a table's row.
fn cells(html: &str, row: &str) -> Vec<String> {
    let row = between(html, &format!(r#"<tr><th scope="row"><span>{row}</span></th>"#), "</tr>");
    let cells = row.split(r#"<td class="number">"#).skip(1);
    cells.map(|cell| cell.split_once("</td>").unwrap().0.to_owned()).collect()
}

fn section<'a>(html: &'a str, id: &str) -> &'a str {
    between(html, &format!(r#"<section id="{id}""#), "</section>")
}

#[test]
fn without_an_inventory_simulators_are_reported() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("report.html");
    let (code, out, err) = run(example("report").args(["--simulated-accounts", "20", "--output"]).arg(&file));
    assert_eq!((code, out.as_str()), (Some(0), ""), "{err}");
    assert!(err.starts_with("no inventory: reporting built-in simulators"), "{err}");
    assert!(err.contains("accounts: 80 of 4 sources; Complete; 4 joined"), "{err}");
    let html = std::fs::read_to_string(file).unwrap();
    assert!(html.contains("<strong>Simulated data.</strong>"));
    for name in ["annature", "fortanix", "huawei", "sailpoint"] {
        assert!(listing(&html, name).contains("<span>Complete</span>"), "{name}");
    }
    assert_loads_nothing(&html);
}

#[tokio::test]
async fn numbers_are_those_of_the_inventory() {
    let (earlier, later) = simulated_inventories::simulate(130).await.unwrap();
    let (code, html, err) = tokio::task::spawn_blocking({
        let (earlier, later) = (earlier.clone(), later.clone());
        move || report(&[&earlier, &later])
    })
    .await
    .unwrap();
    assert_eq!(code, Some(0), "{err}");
    assert!(!html.contains("Simulated data"), "the file does not say so");
    for source in later.sources() {
        let report = source.report();
        let (name, summary) = (report.source.name(), &report.summary);
        let card = listing(&html, name);
        assert_eq!(figure(card, "Accounts"), source.accounts().len().to_string());
        assert_eq!(figure(card, "Rows received"), summary.items.to_string());
        assert_eq!(figure(card, "Pages"), summary.pages.to_string());
        assert_eq!(figure(card, "Rows rejected"), summary.rejected.to_string());
        let total = summary.total.map_or_else(|| "not reported".into(), |total| total.to_string());
        assert_eq!(figure(card, "Provider&#x27;s total"), total);
        assert_eq!(
            between(card, "<dt>Filter as sent</dt><dd>", "</dd>").contains("none"),
            report.filter.is_none(),
            "{name}"
        );

        let diff = earlier.get(&report.source).unwrap().diff(source).unwrap();
        assert!(!diff.joined.is_empty() && !diff.left.is_empty() && !diff.changed.is_empty(), "{name}");
        let changes = [diff.joined.len(), diff.left.len(), diff.changed.len()].map(|count| count.to_string());
        assert_eq!(cells(section(&html, "changes"), name), changes);

        let active = source.accounts().filter(|account| account.status == AccountStatus::Active).count();
        let statuses = cells(section(&html, "status"), name);
        assert_eq!(statuses[0], active.to_string());
        let (all, counts) = statuses.split_last().unwrap();
        assert_eq!(all, &source.accounts().len().to_string());
        assert_eq!(
            counts.iter().map(|count| count.parse::<usize>().unwrap()).sum::<usize>(),
            source.accounts().len()
        );
    }
    let all = || later.sources().flat_map(SourceInventory::accounts);
    // At Fortanix, it is the caller's membership that is pending.
    let is_pending = |account: &&Account| {
        account.status == AccountStatus::Pending && account.provider == Provider::Annature
    };
    let pending = all().filter(is_pending).count();
    assert_eq!(count(finding(&html, "pending")), pending.to_string());
    let dated = all().filter(|account| account.created_at.or(account.joined_at).is_some()).count();
    let years = section(&html, "age").split(r#"<span class="total">"#).skip(1);
    let years: usize = years.map(|year| year.split_once('<').unwrap().0.parse::<usize>().unwrap()).sum();
    assert_eq!(years, dated);
    assert_ne!(count(finding(&html, "same-email")), "0", "some persons are disabled at SailPoint only");
    assert_loads_nothing(&html);
}

#[test]
fn an_incomplete_listing_is_said_everywhere() {
    let earlier = signing(signing_report(), [account(Provider::Annature, "ada")]);
    let mut failed = signing_report();
    failed.error = Some("403 Forbidden".into());
    let mut uncertain = signing_report();
    uncertain.summary.completeness =
        Completeness::Uncertain(vec![IncompleteReason::CountMismatch { total: 9, listed: 1 }]);
    let mut running = signing_report();
    running.summary.completeness = Completeness::InProgress;
    for (listed, label, reason) in [
        (failed, "Failed", "403 Forbidden"),
        (uncertain, "May be incomplete", "The provider reports 9 rows, 1 listed."),
        (running, "Not finished", "was interrupted"),
    ] {
        let later = signing(listed, [account(Provider::Annature, "eve")]);
        let (code, html, err) = report(&[&earlier, &later]);
        assert_eq!(code, Some(1), "{err}");
        let card = listing(&html, "signing");
        assert!(card.contains(&format!("<span>{label}</span>")) && card.contains(reason), "{card}");
        assert_eq!(count(finding(&html, "disabled")), "at least 0");
        let changes = section(&html, "changes");
        assert!(changes.contains("<strong>Unknown:</strong>"), "{changes}");
        assert!(changes.contains("the later listing is not complete"), "{changes}");
        assert!(!changes.contains("eve"), "not known to have joined");
    }
}

#[test]
fn sources_that_are_not_comparable_are_unknown() {
    let later = signing(signing_report(), [account(Provider::Annature, "eve")]);
    let mut filtered = signing_report();
    filtered.filter = Some("active=true".into());
    let other = complete(source("old", Provider::Annature));
    for (earlier, reason) in
        [(filtered, "with filter active=true"), (other, "The earlier inventory does not have this source.")]
    {
        let is_gone = earlier.source.name() == "old";
        let (code, html, err) = report(&[&signing(earlier, []), &later]);
        assert_eq!(code, Some(1), "{err}");
        let changes = section(&html, "changes");
        assert!(changes.contains("<strong>Unknown:</strong>") && changes.contains(reason), "{changes}");
        assert_eq!(
            changes.contains("only the earlier inventory has them: acme&#x2f;old."),
            is_gone,
            "{changes}"
        );
    }
    let (code, html, err) = report(&[&later]);
    assert_eq!(code, Some(0), "{err}");
    assert!(section(&html, "changes").contains("there is no earlier inventory to compare with"));
}

#[test]
fn findings_are_what_the_accounts_show() {
    let user = |provider: Provider, id: &str, email: &str, status: AccountStatus| {
        let mut user = account(provider, id);
        (user.email, user.status) = (Some(email.into()), status);
        user
    };
    let mut owned = user(Provider::SailPoint, "owned", "ada@acme.example", AccountStatus::Disabled);
    owned.owner = Some(AccountOwner::new(Some("i1".into()), None));
    let mut system = account(Provider::SailPoint, "system");
    system.kind = AccountKind::SystemAccount;
    let mut machine = account(Provider::SailPoint, "machine");
    machine.kind = AccountKind::MachineAccount;
    let same = user(Provider::SailPoint, "same", "bob@acme.example", AccountStatus::Active);
    let inventory: Inventory = [
        SourceInventory::new(complete(source("hr", Provider::SailPoint)), [owned, system, machine, same]),
        SourceInventory::new(
            signing_report(),
            [
                user(Provider::Annature, "a", "ADA@acme.example", AccountStatus::Active),
                user(Provider::Annature, "b", "Bob@acme.example", AccountStatus::Active),
                user(Provider::Annature, "p", "eve@acme.example", AccountStatus::Pending),
            ],
        ),
    ]
    .into_iter()
    .collect();
    let (code, html, err) = report(&[&inventory]);
    assert_eq!(code, Some(0), "{err}");
    for (id, expected, not_reported) in [
        ("without-owner", "3", "Not reported by signing."),
        ("pending", "1", "Not reported by hr."),
        ("disabled", "1", ""),
        ("machine", "2", "Not reported by signing."),
        ("same-email", "1", ""),
    ] {
        let finding = finding(&html, id);
        assert_eq!(count(finding), expected, "{id}");
        assert!(finding.contains(not_reported), "{finding}");
        assert!(!not_reported.is_empty() || !finding.contains("Not reported"), "{finding}");
    }
    let shared = finding(&html, "same-email");
    assert!(shared.contains("ada@acme.example") && !shared.contains("bob@acme.example"), "{shared}");
    // Without a source that reports owners, their number is unknown, and not 0.
    let (_, html, _) = report(&[&signing(signing_report(), [account(Provider::Annature, "a")])]);
    assert_eq!(count(finding(&html, "without-owner")), "unknown");
    assert_eq!(count(finding(&html, "same-email")), "unknown");
}

#[test]
fn rows_that_are_not_shown_are_counted() {
    for (accounts, more) in [(200, None), (1234, Some("and 1,034 more"))] {
        let disabled = (0..accounts).map(|index| {
            let mut account = account(Provider::Annature, &format!("id-{index}"));
            account.status = AccountStatus::Disabled;
            account
        });
        let (_, html, _) = report(&[&signing(signing_report(), disabled)]);
        let disabled = finding(&html, "disabled");
        assert_eq!(disabled.matches("id-").count(), 200);
        assert_eq!(count(disabled), if accounts == 200 { "200" } else { "1,234" });
        assert_eq!(disabled.contains("which are not shown here"), more.is_some());
        assert!(disabled.contains(more.unwrap_or_default()));
    }
}

/// Texts that a browser, a terminal or a reader would take for something else, and their form in the report.
const HOSTILE: [(&str, &str); 6] = [
    ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;&#x2f;script&gt;"),
    (
        r#""><img src=https://evil.example/x onerror=alert(1)>"#,
        "&quot;&gt;&lt;img src=https:&#x2f;&#x2f;evil.example",
    ),
    ("{{ 7 * 7 }}{% raw %}", "{{ 7 * 7 }}{% raw %}"),
    ("a\u{202e}nimda\u{2066}", r"a\u{202e}nimda\u{2066}"),
    ("ada\u{1b}[2K\r\n\u{9b}2J\u{0}\u{200b}", r"ada\u{1b}[2K\u{d}\u{a}\u{9b}2J\u{0}\u{200b}"),
    ("محمد", "<bdi class=\"name\">محمد</bdi>"),
];

#[test]
fn hostile_texts_stay_text() {
    for (text, escaped) in HOSTILE {
        let hostile = |status: AccountStatus| {
            let mut hostile = account(Provider::Annature, text);
            (hostile.name, hostile.email, hostile.status) = (Some(text.into()), Some(text.into()), status);
            hostile.raw_status = Some(text.to_owned().into());
            hostile.roles = vec![text.to_owned()];
            hostile
        };
        let mut listed = complete(source("signing", Provider::from(text)));
        listed.endpoint = Some(format!("GET {text}"));
        listed.filter = Some(text.into());
        let before = signing(listed.clone(), [hostile(AccountStatus::from(text))]);
        let complete = signing(listed.clone(), [hostile(AccountStatus::Disabled)]);
        listed.error = Some(text.into());
        let failed = signing(listed, [hostile(AccountStatus::Disabled)]);
        for later in [complete, failed] {
            let (_, html, err) = report(&[&before, &later]);
            assert!(html.contains(escaped), "{escaped}: {err}");
            assert!(html.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
            assert!(!html.contains(['\u{202e}', '\u{2066}', '\u{200b}']), "{text:?}");
            assert_loads_nothing(&html);
        }
    }
}

#[test]
fn long_texts_are_shortened() {
    let mut long = account(Provider::Annature, &"i".repeat(10_000));
    (long.name, long.email) = (Some("n".repeat(10_000)), Some("e".repeat(10_000)));
    long.status = AccountStatus::Disabled;
    let (code, html, err) = report(&[&signing(signing_report(), [long])]);
    assert_eq!(code, Some(0), "{err}");
    for letter in ["i", "n", "e"] {
        assert!(
            html.contains(&format!("{}…", letter.repeat(80))) && !html.contains(&letter.repeat(81)),
            "{letter}"
        );
    }
}

/// Asserts that a browser runs no script of the report, and loads nothing else.
fn assert_loads_nothing(html: &str) {
    let tags: Vec<_> = html.split('<').skip(1).map(|tag| tag.split('>').next().unwrap()).collect();
    for tag in &tags {
        let name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap();
        assert!(
            !["script", "img", "link", "iframe", "object", "base", "use", "image"].contains(&name),
            "<{tag}>"
        );
        for attribute in tag.split(' ').skip(1) {
            assert!(!attribute.starts_with("on") && !attribute.starts_with("src"), "<{tag}>");
            assert!(!attribute.starts_with("href=") || attribute.starts_with("href=\"#"), "<{tag}>");
        }
    }
    assert_eq!(tags.iter().filter(|tag| tag.starts_with("style")).count(), 1);
    let style = between(html, "<style>", "</style>");
    assert!(!style.contains("url(") && !style.contains("@import"));
    assert!(html.contains(r#"content="default-src 'none'; style-src 'unsafe-inline'""#));
}

#[test]
fn every_fragment_has_a_target_and_every_table_a_caption() {
    let (_, html, _) = run(example("report").args(["--output", "-"]));
    for fragment in html.split("href=\"#").skip(1).map(|rest| rest.split_once('"').unwrap().0) {
        assert_eq!(html.matches(&format!(" id=\"{fragment}\"")).count(), 1, "{fragment}");
    }
    let tables = html.matches("<table").count();
    assert!(tables > 5);
    assert_eq!(html.matches("<caption").count(), tables);
    assert_eq!(html.matches("<th ").count(), html.matches("<th scope=").count());
    assert_eq!(
        html.matches("<svg class=\"bar\"").count(),
        html.matches("<title>").count() - segments(&html) - 1
    );
    assert!(html.contains("<html lang=\"en\">"));
}

/// Returns the number of segments of bars, each of which has a title.
fn segments(html: &str) -> usize {
    html.matches("%\" height=\"100%\"><title>").count()
}

#[test]
fn files_that_cannot_be_read_or_written_exit_with_2() {
    let directory = tempfile::tempdir().unwrap();
    let good = write(&directory, 0, &signing(signing_report(), []));
    let damaged = directory.path().join("damaged\u{1b}[2J");
    std::fs::write(&damaged, "{}\n").unwrap();
    let output = directory.path().join("no/such/directory/report.html");
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    for (args, reason) in [
        (vec!["no-such-file".to_owned()], "no-such-file: "),
        (vec![path(&damaged)], r"damaged\u{1b}[2J: line 1: expected an account or a report of an inventory"),
        (vec![path(&good), "--earlier".into(), path(&damaged)], "line 1: expected an account"),
        (vec!["--earlier".into(), path(&good)], "<LATER>"),
        (vec![path(&good), "--simulated-accounts=3".into()], "cannot be used with"),
        (vec![path(&good), "--output".into(), path(&output)], "report.html: "),
    ] {
        let (code, out, err) = run(example("report").args(&args).current_dir(directory.path()));
        assert_eq!((code, out.as_str()), (Some(2), ""), "{args:?}: {err}");
        assert!(err.contains(reason), "{args:?}: {err}");
        assert!(!directory.path().join("report.html").exists(), "{args:?}");
    }
}

#[test]
fn an_inventory_without_sources_is_not_complete() {
    let (code, html, err) = report(&[&Inventory::default()]);
    assert_eq!(code, Some(1), "{err}");
    assert!(html.contains("The inventory has no sources."));
}

#[test]
fn dates_far_away_are_reported() {
    let dated = [i64::from(i32::MIN) * 1000, 0, 1_700_000_000, i64::from(i32::MAX) * 1000].map(|seconds| {
        let mut dated = account(Provider::Annature, &seconds.to_string());
        dated.created_at = DateTime::from_timestamp(seconds, 0);
        dated
    });
    assert!(dated.iter().all(|account| account.created_at.is_some()));
    let (code, html, err) = report(&[&signing(signing_report(), dated)]);
    assert_eq!(code, Some(0), "{err}");
    let age = section(&html, "age");
    assert!(age.contains(">before ") && age.contains(">after "), "{age}");
    assert!(age.matches("<rect").count() < 20, "{age}");
}

#[test]
fn a_closed_pipe_is_quiet() {
    let mut command = example("report");
    command.args(["--simulated-accounts", "300", "--output", "-"]);
    let process = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    process.stdout().read_exact(&mut [0; 100]).unwrap();
    let mut err = String::new();
    process.stderr().read_to_string(&mut err).unwrap();
    assert_eq!(process.code(), Some(141), "{err}");
    assert_eq!(err.lines().count(), 1, "{err}");
}
