//! Whole listings while a twentieth of the requests go wrong, in every way that a client is to come through.
//!
//! Small in a run of all tests; as large as `HEADCOUNT_CHAOS_ACCOUNTS` says, and then with a look at the memory:
//!
//! ```sh
//! HEADCOUNT_CHAOS_ACCOUNTS=1000000 cargo test --release --test it chaos -- --nocapture
//! ```
//!
//! It is over real sockets and in real time, so some settings are not an application's: short waits between
//! attempts, two seconds for an attempt (a hang lasts that long), and no rate limit at SailPoint. There are six
//! attempts in place of four: among many thousand requests, some are hit four times running. Annature is listed by
//! its second version, as its first tells no more than 1,000 accounts.
//!
//! What that command printed once, on two busy cores. The memory is that of the whole process, with the
//! simulators and the ids that the test compares with; the request record is forgotten on the way.
//!
//! | 1,000,000 accounts | requests | faults | seconds | resident at a tenth | at most from there on |
//! |---|---|---|---|---|---|
//! | Fortanix | 4,168 | 231 | 27.2 | 482 MiB | 485 MiB |
//! | Huawei | 4,153 | 208 | 18.7 | 485 MiB | 485 MiB |
//! | Annature | 4,161 | 209 | 31.9 | 485 MiB | 485 MiB |
//! | SailPoint | 4,158 | 188 | 31.4 | 486 MiB | 487 MiB |

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use futures::TryStreamExt;
use headcount::{Account, AnyPaginator, Completeness, Paginator, http::RetryPolicy};
use headcount_sim::{ErrorBody, Fault, Faults, RetryAfter, Settings, Simulator};

use crate::kit::{Habits, PROVIDERS, Setup};

/// Of each provider, where the environment does not say another number.
const ACCOUNTS: usize = 2_000;

/// How much more memory a listing may take at its end than when a tenth of it is done, in MiB. The system gives
/// memory to a process, and takes it back, in pieces of some MiB.
const FLAT: u64 = 16;

/// Everything that a listing survives, and that leaves the accounts as they are.
fn faults(seed: u64) -> Faults {
    let millis = Duration::from_millis;
    let (vendor, html, empty) = (ErrorBody::Vendor, ErrorBody::Html, ErrorBody::Empty);
    let statuses = [(500, vendor), (503, vendor), (502, html), (503, html), (408, empty), (504, empty)];
    let statuses = statuses.map(|(status, body)| Fault::Status { status, body, retry_after: None });
    let waits = [RetryAfter::Seconds(0), RetryAfter::Date(-30), RetryAfter::Text("soon".into())];
    let waits = waits.map(|wait| Fault::TooManyRequests { retry_after: Some(wait) });
    let others = [
        Fault::TooManyRequests { retry_after: None },
        Fault::RefuseConnections { lasting: millis(5) },
        Fault::ResetBeforeAnswer,
        Fault::ResetMidBody,
        Fault::TruncatedJson,
        Fault::MalformedJson,
        Fault::WrongContentType,
        Fault::HtmlOk,
        Fault::NoContent,
        Fault::SlowHeaders(millis(50)),
        Fault::SlowTrickle { chunk: 16 * 1024, every: millis(5) },
        Fault::Hang,
        Fault::OversizedBody { bytes: 2 * 1024 * 1024 },
        Fault::GzipBomb { bytes: 2 * 1024 * 1024 },
        Fault::BogusContentEncoding("UTF-8".into()),
        Fault::BogusContentEncoding("gzip".into()),
        Fault::TokenExpiredEarly,
        Fault::EmptyPageWithMarker,
        Fault::ShortPage,
        Fault::UnknownEnum,
    ];
    let kinds = statuses.into_iter().chain(waits).chain(others);
    Faults::new(seed).on_login(1, Fault::TokenEndpointDown).rate_any(0.05, kinds)
}

/// One provider, and what its listing must give.
struct Case {
    name: &'static str,
    server: Box<dyn Simulator>,
    list: AnyPaginator<Account>,
    /// In alphabetical order.
    expected: Vec<String>,
}

async fn cases(accounts: usize) -> Vec<Case> {
    // Four hundred pages or more of each listing.
    let rows = (accounts / 400).clamp(5, 250);
    let policy = RetryPolicy::default()
        .attempts(6)
        .backoff(Duration::from_millis(5), Duration::from_millis(50))
        .timeouts(Duration::from_secs(2), Duration::from_secs(60));
    let setup = Setup::default().retry(policy);
    let mut cases = Vec::new();
    for (provider, seed) in PROVIDERS.iter().zip(1..) {
        let settings = Settings::new().accounts(accounts).seed(seed).faults(faults(seed));
        let server = provider.start(settings, Habits::rows(rows)).await;
        let list = provider.client(&*server, &setup).list(u32::try_from(rows).unwrap());
        let mut expected = server.ids();
        expected.sort_unstable();
        cases.push(Case { name: provider.name(), server, list, expected });
    }
    cases
}

/// What the process holds in memory, in MiB; `None` but on Linux.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib / 1024)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listing_through_faults_on_a_twentieth_of_the_requests_is_exact() {
    let wanted = std::env::var("HEADCOUNT_CHAOS_ACCOUNTS").ok();
    let accounts = wanted.as_ref().map_or(ACCOUNTS, |number| number.parse().expect("a number of accounts"));
    // What the test itself holds is there before the first walk, until after the last.
    let cases = cases(accounts).await;
    let mut kinds = BTreeSet::new();
    let mut servers = Vec::new();
    for Case { name, server, list, expected } in cases {
        let began = Instant::now();
        let mut seen = vec![false; expected.len()];
        let (mut count, mut tenth, mut peak) = (0, None, None);
        let mut items = list.items();
        while let Some(account) = items.try_next().await.unwrap_or_else(|error| panic!("{name}: {error}")) {
            let place = expected.binary_search(&account.id);
            let place = place.unwrap_or_else(|_| panic!("{name}: nobody has the id {}", account.id));
            assert!(!std::mem::replace(&mut seen[place], true), "{name}: {} comes twice", account.id);
            count += 1;
            if count % (accounts / 100).max(1) == 0 {
                kinds.extend(
                    server.requests().iter().filter_map(|request| request.fault().map(str::to_owned)),
                );
                // Or the record of the requests would grow with them.
                server.clear_requests();
                if count * 10 >= accounts {
                    peak = peak.max(resident());
                    tenth = tenth.or(peak);
                }
            }
        }
        assert_eq!(count, accounts, "{name}: {} are missing", accounts - count);
        let summary = items.summary();
        assert_eq!(
            (summary.completeness, summary.items),
            (Completeness::Complete, accounts as u64),
            "{name}"
        );
        let (requests, faults) = (server.request_count(), server.faults_injected());
        // Some that are drawn do not apply to the request that they fall upon.
        assert!(faults * 40 >= requests as u64, "{name}: {faults} faults on {requests} requests");
        let seconds = began.elapsed().as_secs_f64();
        let (tenth, peak) = (tenth.unwrap_or_default(), peak.unwrap_or_default());
        println!(
            "{name:>9}: {count} accounts, {requests} requests, {faults} faults, {seconds:.1} s, \
             {tenth} MiB at a tenth, {peak} MiB at most from there on"
        );
        // Among other tests, the memory is not this one's.
        assert!(wanted.is_none() || peak <= tenth + FLAT, "{name}: {tenth} MiB, and then {peak} MiB");
        servers.push((server, expected));
    }
    println!("{} kinds of faults: {}", kinds.len(), kinds.iter().cloned().collect::<Vec<_>>().join(", "));
    assert!(accounts < 100_000 || kinds.len() == 21, "every kind has struck: {kinds:?}");
}
