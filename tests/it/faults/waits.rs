//! Faults that make a client wait, in virtual time: with the waits and the time limits that applications have.

use std::time::Duration;

use futures::TryStreamExt;
use headcount::{ErrorKind, Paginator, Retryability};
use headcount_sim::{ErrorBody, Fault, Faults, RetryAfter};
use tokio::time::{Instant, sleep};

use super::world::{SIZE, Way::Memory, World, passes, stays};
use crate::kit::{PROVIDERS, Trait, having};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_failing_status_is_retried_then_told() {
    for status in [500, 502, 503, 504, 408] {
        for body in [ErrorBody::Vendor, ErrorBody::Html, ErrorBody::Empty] {
            let fault = Fault::Status { status, body, retry_after: None };
            passes(Memory, "a status", fault.clone(), PROVIDERS).await;
            let says = status.to_string();
            let told = (ErrorKind::Api, Retryability::Exhausted, says.as_str());
            let took = stays(Memory, "a status", fault, PROVIDERS, told).await;
            assert!(
                took < 2 * SECOND,
                "three waits of a quarter, a half and a whole second at most: {took:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttled_request_waits_as_asked() {
    // A date has whole seconds, and time passes until it is read.
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
            let took = passes(Memory, "throttled", fault, PROVIDERS).await;
            assert!(took >= at_least * SECOND, "{retry_after:?} is undercut: {took:?}");
            assert!(took <= (at_least + 11) * SECOND, "{retry_after:?} is no reason to wait {took:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttle_that_stays_is_told_after_four_times_the_wait_or_at_once_if_it_is_too_long() {
    let fault = Fault::TooManyRequests { retry_after: Some(RetryAfter::Seconds(100)) };
    let told = (ErrorKind::Throttled, Retryability::Exhausted, "4 attempts in 300");
    let took = stays(Memory, "429", fault, PROVIDERS, told).await;
    assert!(took >= 300 * SECOND, "{took:?}");
    for status in [408, 500, 502, 504] {
        let retry_after = Some(RetryAfter::Seconds(121));
        let fault = Fault::Status { status, body: ErrorBody::Vendor, retry_after };
        let told = (ErrorKind::Throttled, Retryability::Retryable, "retry after 121 s");
        assert!(stays(Memory, "a long wait", fault, PROVIDERS, told).await < SECOND, "{status}");
    }
    for absurd in [RetryAfter::Seconds(121), RetryAfter::Seconds(u64::MAX), RetryAfter::Date(86_400)] {
        for fault in [
            Fault::TooManyRequests { retry_after: Some(absurd.clone()) },
            Fault::Status { status: 503, body: ErrorBody::Empty, retry_after: Some(absurd) },
        ] {
            let told = (ErrorKind::Throttled, Retryability::Retryable, "retry after");
            assert!(stays(Memory, "a long wait", fault, PROVIDERS, told).await < SECOND);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_only_slow_is_waited_for() {
    let trickle = Fault::SlowTrickle { chunk: 1024, every: SECOND };
    for (name, fault, seconds) in
        [("slow headers", Fault::SlowHeaders(29 * SECOND), 29), ("a trickle", trickle, 2)]
    {
        let world = World::with(Memory, &Faults::new(1).on_list(2, fault)).await;
        for &provider in PROVIDERS {
            let began = Instant::now();
            let walk = world.walk(provider).await;
            let server = world.server(provider);
            assert!(began.elapsed() >= seconds * SECOND, "{name} at {provider} did strike");
            assert_eq!((walk.ids.len(), server.faults_injected()), (SIZE, 1), "{name} at {provider}");
            let answered = server.list_requests().iter().filter(|request| request.status().is_some()).count();
            assert_eq!(
                answered as u64, walk.summary.pages,
                "{name} at {provider}: no page is asked for twice"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_too_slow_is_given_up_and_asked_for_again() {
    let trickle = Fault::SlowTrickle { chunk: 16, every: SECOND };
    for (name, fault) in
        [("slow headers", Fault::SlowHeaders(31 * SECOND)), ("a hang", Fault::Hang), ("a trickle", trickle)]
    {
        let took = passes(Memory, name, fault.clone(), PROVIDERS).await;
        assert!(took >= 30 * SECOND && took < 31 * SECOND, "one attempt and a quarter of a second: {took:?}");
        let told = (ErrorKind::Timeout, Retryability::Exhausted, "no whole answer within");
        let took = stays(Memory, name, fault, PROVIDERS, told).await;
        assert!(
            took >= 119 * SECOND && took <= 121 * SECOND,
            "{name} is told when the time is over: {took:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_endpoint_that_is_down_is_asked_again_and_then_told() {
    let down = Fault::TokenEndpointDown;
    for provider in having(Trait::LogsIn) {
        let world = World::with(Memory, &Faults::new(1).on_login(1, down.clone())).await;
        let walk = world.walk(provider).await;
        assert_eq!((walk.ids.len(), world.server(provider).faults_injected()), (SIZE, 1), "{provider}");

        let world = World::with(Memory, &Faults::new(1).always(down.clone())).await;
        let error = world.walk(provider).await.error.unwrap();
        assert_eq!(
            (error.status(), error.retryability(), error.attempts()),
            (Some(503), Retryability::Exhausted, 4)
        );
        assert!(world.server(provider).list_requests().is_empty(), "{provider}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_listens_again_is_found_again() {
    let hour = 3600 * SECOND;
    let refused = Fault::RefuseConnections { lasting: hour };
    let world = World::with(Memory, &Faults::new(1).on_list(2, refused)).await;
    for &provider in PROVIDERS {
        let server = world.server(provider);
        let mut pages = world.list(provider).pages();
        assert_eq!(pages.try_next().await.unwrap().unwrap().items.len(), 10, "{provider}");
        let error = pages.try_next().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.retryability()),
            (ErrorKind::Transport, Retryability::Exhausted),
            "{error}"
        );
        assert_eq!((error.attempts(), server.list_requests().len()), (4, 2), "{provider}: refused unseen");
        sleep(hour).await;
        let mut rest = 0;
        assert!(pages.retry(), "{provider}");
        while let Some(page) = pages.try_next().await.unwrap() {
            rest += page.items.len();
        }
        assert_eq!(rest, SIZE - 10, "{provider}");
    }
}
