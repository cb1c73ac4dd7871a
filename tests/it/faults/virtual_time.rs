//! Faults with delays, in virtual time, with the default delays and timeouts.

use std::time::Duration;

use headcount::{ErrorKind, Retryability};
use headcount_sim::{ErrorBody, Fault, Faults, RetryAfter};
use tokio::time::{Instant, sleep};

use super::support::{Connection::InMemory, Fixture, SIZE, assert_fails, assert_recovers};
use crate::kit::{PROVIDERS, Quirk, with_quirk};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn server_error_is_retried() {
    for status in [500, 502, 503, 504, 408] {
        for body in [ErrorBody::Vendor, ErrorBody::Html, ErrorBody::Empty] {
            let fault = Fault::Status { status, body, retry_after: None };
            assert_recovers(InMemory, "a status", fault.clone(), PROVIDERS).await;
            let message = status.to_string();
            let expected = (ErrorKind::Api, Retryability::Exhausted, message.as_str());
            let elapsed = assert_fails(InMemory, "a status", fault, PROVIDERS, expected).await;
            assert!(elapsed < 2 * SECOND, "three delays of at most 250 ms, 500 ms and 1 s: {elapsed:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_honoured() {
    // A date has whole seconds, and some time passes before the client reads it.
    for (retry_after, at_least) in [
        (None, 0),
        (Some(RetryAfter::Seconds(0)), 0),
        (Some(RetryAfter::Date(-30)), 0),
        (Some(RetryAfter::Text("soon".into())), 0),
        (Some(RetryAfter::Seconds(7)), 7),
        (Some(RetryAfter::Seconds(120)), 120),
        (Some(RetryAfter::Date(100)), 90),
    ] {
        for fault in [
            Fault::TooManyRequests { retry_after: retry_after.clone() },
            Fault::Status { status: 503, body: ErrorBody::Vendor, retry_after: retry_after.clone() },
        ] {
            let elapsed = assert_recovers(InMemory, "throttled", fault, PROVIDERS).await;
            assert!(elapsed >= at_least * SECOND, "{retry_after:?} is honoured: {elapsed:?}");
            assert!(elapsed <= (at_least + 11) * SECOND, "{retry_after:?} should not wait {elapsed:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn persistent_throttling_fails() {
    let fault = Fault::TooManyRequests { retry_after: Some(RetryAfter::Seconds(100)) };
    let expected = (ErrorKind::Throttled, Retryability::Exhausted, "4 attempts in 300");
    let elapsed = assert_fails(InMemory, "429", fault, PROVIDERS, expected).await;
    assert!(elapsed >= 300 * SECOND, "{elapsed:?}");
    for status in [408, 500, 502, 504] {
        let retry_after = Some(RetryAfter::Seconds(121));
        let fault = Fault::Status { status, body: ErrorBody::Vendor, retry_after };
        let expected = (ErrorKind::Throttled, Retryability::Retryable, "retry after 121 s");
        assert!(assert_fails(InMemory, "a long wait", fault, PROVIDERS, expected).await < SECOND, "{status}");
    }
    for retry_after in [RetryAfter::Seconds(121), RetryAfter::Seconds(u64::MAX), RetryAfter::Date(86_400)] {
        for fault in [
            Fault::TooManyRequests { retry_after: Some(retry_after.clone()) },
            Fault::Status { status: 503, body: ErrorBody::Empty, retry_after: Some(retry_after) },
        ] {
            let expected = (ErrorKind::Throttled, Retryability::Retryable, "retry after");
            assert!(assert_fails(InMemory, "a long wait", fault, PROVIDERS, expected).await < SECOND);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn slow_response_is_awaited() {
    let trickle = Fault::SlowTrickle { chunk: 1024, every: SECOND };
    for (name, fault, seconds) in
        [("slow headers", Fault::SlowHeaders(29 * SECOND), 29), ("a trickle", trickle, 2)]
    {
        let fixture = Fixture::new(InMemory, &Faults::new(1).on_list(2, fault)).await;
        for &provider in PROVIDERS {
            let began = Instant::now();
            let listing = fixture.list_all(provider).await;
            let server = fixture.server(provider);
            assert!(began.elapsed() >= seconds * SECOND, "{name} at {provider} was injected");
            assert_eq!((listing.ids.len(), server.faults_injected()), (SIZE, 1), "{name} at {provider}");
            let pages = server.list_requests().iter().filter(|request| request.status().is_some()).count();
            assert_eq!(
                pages as u64, listing.summary.pages,
                "{name} at {provider}: no page is requested twice"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn timed_out_response_is_retried() {
    let trickle = Fault::SlowTrickle { chunk: 16, every: SECOND };
    for (name, fault) in
        [("slow headers", Fault::SlowHeaders(31 * SECOND)), ("a hang", Fault::Hang), ("a trickle", trickle)]
    {
        let elapsed = assert_recovers(InMemory, name, fault.clone(), PROVIDERS).await;
        assert!(elapsed >= 30 * SECOND && elapsed < 31 * SECOND, "one attempt and 250 ms: {elapsed:?}");
        let expected = (ErrorKind::Timeout, Retryability::Exhausted, "timed out after");
        let elapsed = assert_fails(InMemory, name, fault, PROVIDERS, expected).await;
        assert!(
            elapsed >= 119 * SECOND && elapsed <= 121 * SECOND,
            "{name} fails after the total timeout: {elapsed:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn token_endpoint_outage_is_retried() {
    let down = Fault::TokenEndpointDown;
    for provider in with_quirk(Quirk::Login) {
        let fixture = Fixture::new(InMemory, &Faults::new(1).on_login(1, down.clone())).await;
        let listing = fixture.list_all(provider).await;
        assert_eq!((listing.ids.len(), fixture.server(provider).faults_injected()), (SIZE, 1), "{provider}");

        let fixture = Fixture::new(InMemory, &Faults::new(1).always(down.clone())).await;
        let error = fixture.list_all(provider).await.error.unwrap();
        assert_eq!(
            (error.status(), error.retryability(), error.attempts()),
            (Some(503), Retryability::Exhausted, 4)
        );
        assert!(fixture.server(provider).list_requests().is_empty(), "{provider}");
    }
}

#[tokio::test(start_paused = true)]
async fn listing_resumes_after_server_restart() {
    let hour = 3600 * SECOND;
    let refused = Fault::RefuseConnections { duration: hour };
    let fixture = Fixture::new(InMemory, &Faults::new(1).on_list(2, refused)).await;
    for &provider in PROVIDERS {
        let server = fixture.server(provider);
        let mut pages = fixture.list(provider).pages();
        assert_eq!(pages.try_next().await.unwrap().unwrap().items.len(), 10, "{provider}");
        let error = pages.try_next().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.retryability()),
            (ErrorKind::Transport, Retryability::Exhausted),
            "{error}"
        );
        assert_eq!(
            (error.attempts(), server.list_requests().len()),
            (4, 2),
            "{provider}: refused connections are not recorded"
        );
        sleep(hour).await;
        let mut rest = 0;
        assert!(pages.retry(), "{provider}");
        while let Some(page) = pages.try_next().await.unwrap() {
            rest += page.items.len();
        }
        assert_eq!(rest, SIZE - 10, "{provider}");
    }
}
