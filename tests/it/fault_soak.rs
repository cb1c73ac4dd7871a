//! Complete listings while 5 % of the requests fail, in every way that the client must survive.
//!
//! By default the test lists 1,000 accounts per provider. `HEADCOUNT_SOAK_ACCOUNTS` sets another number and
//! also enables the memory check:
//!
//! ```sh
//! HEADCOUNT_SOAK_ACCOUNTS=1000000 cargo test --release --test it fault_soak -- --nocapture
//! ```
//!
//! The test uses real sockets and real time, so some options differ from an application's:
//!
//! - Retries have a short backoff, and an attempt times out after two seconds (the duration of a hang).
//! - SailPoint has no rate limit.
//! - A request has six attempts instead of four. Among many thousand requests, some fail four times in a row.
//! - Annature is listed with v2 of its endpoint, because v1 returns at most 1,000 accounts.
//!
//! One run of the command printed the following, on two busy cores. The memory is that of the whole process,
//! including the simulators and the expected ids. The log of requests is cleared regularly.
//!
//! | 1,000,000 accounts | requests | faults | seconds | resident after 10 % | maximum after that |
//! |---|---|---|---|---|---|
//! | Fortanix | 4,168 | 231 | 27.2 | 482 MiB | 485 MiB |
//! | Huawei | 4,153 | 208 | 18.7 | 485 MiB | 485 MiB |
//! | Annature | 4,161 | 209 | 31.9 | 485 MiB | 485 MiB |
//! | SailPoint | 4,158 | 188 | 31.4 | 486 MiB | 487 MiB |

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use headcount::{Account, AnyPaginator, Completeness, http::RetryPolicy};
use headcount_sim::{ErrorBody, Fault, Faults, RetryAfter, SimConfig, Simulator};

use crate::kit::{PROVIDERS, ServerBehavior, Setup};

/// The default number of accounts per provider.
const DEFAULT_ACCOUNTS: usize = 1_000;

/// The permitted growth of memory after the first 10 % of a listing, in MiB. The system allocates and
/// reclaims memory in blocks of a few MiB.
const MAX_GROWTH: u64 = 16;

/// Returns a plan with every fault that the client survives and that does not change the accounts.
fn faults(seed: u64) -> Faults {
    let millis = Duration::from_millis;
    let (vendor, html, empty) = (ErrorBody::Vendor, ErrorBody::Html, ErrorBody::Empty);
    let statuses = [(500, vendor), (503, vendor), (502, html), (503, html), (408, empty), (504, empty)];
    let statuses = statuses.map(|(status, body)| Fault::Status { status, body, retry_after: None });
    let waits = [RetryAfter::Seconds(0), RetryAfter::Date(-30), RetryAfter::Text("soon".into())];
    let waits = waits.map(|wait| Fault::TooManyRequests { retry_after: Some(wait) });
    let other_faults = [
        Fault::TooManyRequests { retry_after: None },
        Fault::RefuseConnections { duration: millis(5) },
        Fault::ResetBeforeResponse,
        Fault::ResetMidBody,
        Fault::TruncatedJson,
        Fault::MalformedJson,
        Fault::WrongContentType,
        Fault::HtmlPage,
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
    let kinds = statuses.into_iter().chain(waits).chain(other_faults);
    Faults::new(seed).on_login(1, Fault::TokenEndpointDown).rate_any(0.05, kinds)
}

/// One provider and the expected result.
struct Case {
    name: &'static str,
    server: Box<dyn Simulator>,
    list: AnyPaginator<Account>,
    /// The ids of all accounts, sorted.
    expected: Vec<String>,
}

async fn cases(accounts: usize) -> Vec<Case> {
    // At least 400 pages per listing.
    let page_size = (accounts / 400).clamp(5, 250);
    let policy = RetryPolicy::default()
        .attempts(6)
        .backoff(Duration::from_millis(5), Duration::from_millis(50))
        .timeouts(Duration::from_secs(2), Duration::from_secs(60));
    let setup = Setup::default().retry(policy);
    let mut cases = Vec::new();
    for (provider, seed) in PROVIDERS.iter().zip(1..) {
        let config = SimConfig::new().accounts(accounts).seed(seed).faults(faults(seed));
        let server = provider.start(config, ServerBehavior::with_page_size(page_size)).await;
        let list = provider.client(&*server, &setup).list(u32::try_from(page_size).unwrap());
        let mut expected = server.ids();
        expected.sort_unstable();
        cases.push(Case { name: provider.name(), server, list, expected });
    }
    cases
}

/// Returns the resident memory of the process in MiB, or `None` if the system is not Linux.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib / 1024)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listings_are_exact_under_faults() {
    let from_env = std::env::var("HEADCOUNT_SOAK_ACCOUNTS").ok();
    let accounts =
        from_env.as_ref().map_or(DEFAULT_ACCOUNTS, |number| number.parse().expect("a number of accounts"));
    // The expected ids of all providers stay in memory throughout, so that they do not affect the memory
    // check.
    let cases = cases(accounts).await;
    let mut kinds = BTreeSet::new();
    let mut servers = Vec::new();
    for Case { name, server, list, expected } in cases {
        let began = Instant::now();
        let mut seen = vec![false; expected.len()];
        let (mut count, mut baseline, mut peak) = (0, None, None);
        let mut items = list.items();
        while let Some(account) = items.try_next().await.unwrap_or_else(|error| panic!("{name}: {error}")) {
            let index = expected.binary_search(&account.id);
            let index = index.unwrap_or_else(|_| panic!("{name}: unknown id {}", account.id));
            assert!(!std::mem::replace(&mut seen[index], true), "{name}: {} was listed twice", account.id);
            count += 1;
            if count % (accounts / 100).max(1) == 0 {
                kinds.extend(
                    server.requests().iter().filter_map(|request| request.fault().map(str::to_owned)),
                );
                // The log of requests would grow with the listing.
                server.clear_requests();
                if count * 10 >= accounts {
                    peak = peak.max(resident());
                    baseline = baseline.or(peak);
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
        // Some selected faults do not apply to their request.
        assert!(faults * 40 >= requests as u64, "{name}: {faults} faults on {requests} requests");
        let seconds = began.elapsed().as_secs_f64();
        let (baseline, peak) = (baseline.unwrap_or_default(), peak.unwrap_or_default());
        println!(
            "{name:>9}: {count} accounts, {requests} requests, {faults} faults, {seconds:.1} s, \
             {baseline} MiB after 10 %, {peak} MiB maximum after that"
        );
        // In a run of all tests, the process's memory includes that of other tests.
        assert!(
            from_env.is_none() || peak <= baseline + MAX_GROWTH,
            "{name}: {baseline} MiB, then {peak} MiB"
        );
        servers.push((server, expected));
    }
    println!("{} kinds of faults: {}", kinds.len(), kinds.iter().cloned().collect::<Vec<_>>().join(", "));
    assert!(accounts < 100_000 || kinds.len() == 21, "expected 21 kinds of faults, got {kinds:?}");
}
