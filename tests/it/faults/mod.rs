//! Every fault that a listing meets, as the table in `headcount::http` promises it.

mod world;

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use headcount::{
    Completeness, ErrorKind, Retry,
    sim::{self, BadRow, ErrorBody, Fault, Faults, RetryAfter, Side},
};

use world::{PROVIDERS, Patience, SIZE, World, passes, passes_within, stays, stays_within};

#[tokio::test]
async fn a_failing_status_is_retried_then_told() {
    for status in [500, 502, 503, 504, 408] {
        for body in [ErrorBody::Vendor, ErrorBody::Html, ErrorBody::Empty] {
            let fault = Fault::Status { status, body, retry_after: None };
            passes("a status", fault, &["annature"]).await;
        }
    }
    let fault = Fault::Status { status: 503, body: ErrorBody::Html, retry_after: None };
    passes("503", fault.clone(), &PROVIDERS).await;
    stays("503", fault, &PROVIDERS, ErrorKind::Api, Retry::Exhausted, "503").await;
}

#[tokio::test]
async fn a_throttled_request_waits_as_asked_or_tells() {
    for retry_after in [
        None,
        Some(RetryAfter::Seconds(0)),
        Some(RetryAfter::Date(-30)),
        Some(RetryAfter::Text("soon".into())),
    ] {
        passes("429", Fault::TooManyRequests { retry_after }, &PROVIDERS).await;
    }
    let began = Instant::now();
    let fault = Fault::TooManyRequests { retry_after: Some(RetryAfter::Seconds(1)) };
    passes("429", fault, &["sailpoint"]).await;
    assert!(began.elapsed() >= Duration::from_secs(1), "the wait is not undercut");
    for absurd in [RetryAfter::Seconds(u64::MAX), RetryAfter::Date(86_400)] {
        let fault = Fault::TooManyRequests { retry_after: Some(absurd) };
        stays("429", fault, &PROVIDERS, ErrorKind::Throttled, Retry::Safe, "retry after").await;
    }
}

#[tokio::test]
async fn a_broken_connection_is_retried_then_told() {
    let refused = Fault::RefuseConnections { lasting: Duration::from_millis(30) };
    let patient = Patience { attempts: 100, ..Patience::default() };
    passes_within(patient, "refused", refused, &["huawei", "annature"]).await;
    for (name, fault) in [("reset", Fault::ResetBeforeAnswer), ("mid body", Fault::ResetMidBody)] {
        passes(name, fault.clone(), &PROVIDERS).await;
        stays(name, fault, &PROVIDERS, ErrorKind::Transport, Retry::Exhausted, "4 attempts").await;
    }
    let bogus = Fault::BogusContentEncoding("gzip".into());
    passes("no gzip", bogus.clone(), &PROVIDERS).await;
    stays("no gzip", bogus, &["huawei"], ErrorKind::Transport, Retry::Exhausted, "4 attempts").await;
}

#[tokio::test]
async fn an_answer_that_is_not_the_promised_one_is_retried_then_told() {
    for (name, fault, says) in [
        ("cut JSON", Fault::TruncatedJson, "something else"),
        ("broken JSON", Fault::MalformedJson, "something else"),
        ("a login page", Fault::HtmlOk, "an HTML or XML page"),
        ("204", Fault::NoContent, "an empty body"),
    ] {
        passes(name, fault.clone(), &PROVIDERS).await;
        stays(name, fault, &PROVIDERS, ErrorKind::Decode, Retry::Exhausted, says).await;
    }
}

#[tokio::test]
async fn a_wrong_label_on_the_right_body_is_no_matter() {
    passes("text/plain", Fault::WrongContentType, &PROVIDERS).await;
    passes("UTF-8 as an encoding", Fault::BogusContentEncoding("UTF-8".into()), &PROVIDERS).await;
    passes("unknown words", Fault::UnknownEnum, &["fortanix", "huawei", "annature"]).await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = sim::Annature::builder().accounts(1).start().await.unwrap();
    let fault = Fault::Redirect { to: format!("{}/v2/accounts", elsewhere.base_url()) };
    stays("a redirect", fault, &PROVIDERS, ErrorKind::Api, Retry::Never, "redirect").await;
    assert!(elsewhere.requests().is_empty(), "nothing went there");
}

#[tokio::test]
async fn a_slow_answer_is_waited_for_and_one_too_slow_is_given_up() {
    passes("slow headers", Fault::SlowHeaders(Duration::from_millis(100)), &PROVIDERS).await;
    let hasty = Patience { attempt: Duration::from_millis(400), ..Patience::default() };
    let trickle = Fault::SlowTrickle { chunk: 16, every: Duration::from_millis(20) };
    for (name, fault) in [("a hang", Fault::Hang), ("a trickle", trickle)] {
        passes_within(hasty, name, fault.clone(), &["huawei", "annature"]).await;
        let told = (ErrorKind::Timeout, Retry::Exhausted, "no whole answer");
        stays_within(hasty, name, fault, &["annature"], told).await;
    }
}

#[tokio::test]
async fn an_answer_larger_than_allowed_is_refused_also_when_compressed() {
    for (name, fault) in [
        ("large", Fault::OversizedBody { bytes: 3 * 1024 * 1024 }),
        ("a bomb", Fault::GzipBomb { bytes: 16 * 1024 * 1024 }),
    ] {
        stays(name, fault, &PROVIDERS, ErrorKind::Decode, Retry::Never, "more than 1048576 bytes").await;
    }
}

#[tokio::test]
async fn credentials_that_end_early_are_renewed() {
    passes("a dead token", Fault::TokenExpiredEarly, &["fortanix", "sailpoint"]).await;
    let world = World::with(&Faults::new(1).on_login(1, Fault::TokenEndpointDown)).await;
    for provider in ["fortanix", "sailpoint"] {
        let walk = world.walk(provider).await;
        assert_eq!((walk.ids.len(), world.list(provider).1.faults_injected()), (SIZE, 1), "{provider}");
    }
    let skew = Fault::ClockSkew { seconds: 3600 };
    stays("a clock that is off", skew, &["huawei"], ErrorKind::Auth, Retry::Never, "this machine's clock")
        .await;
}

#[tokio::test]
async fn a_circle_of_markers_is_an_error_and_odd_pages_are_not() {
    for period in [1, 2, 3] {
        let world = World::with(&Faults::new(1).on_list(2, Fault::RepeatedMarker { period })).await;
        for provider in PROVIDERS {
            let walk = world.walk(provider).await;
            let error =
                walk.error.unwrap_or_else(|| panic!("a circle of {period} at {provider} is an error"));
            // By offset, a circle of several pages looks like a list that changes all the time.
            let kinds = [ErrorKind::PaginationLoop, ErrorKind::Drift];
            let kinds = if provider == "sailpoint" && period > 1 { &kinds[..] } else { &kinds[..1] };
            assert!(kinds.contains(&error.kind()), "{period} at {provider}: {error}");
        }
    }
    passes("an empty page", Fault::EmptyPageWithMarker, &["huawei", "annature"]).await;
    passes("a short page", Fault::ShortPage, &PROVIDERS).await;
}

#[tokio::test]
async fn a_bad_row_costs_only_itself() {
    for kind in [BadRow::NullId, BadRow::MissingId, BadRow::WrongType, BadRow::NotAnObject, BadRow::Null] {
        let world = World::with(&Faults::new(1).on_list(1, Fault::BadRow { kind })).await;
        for provider in PROVIDERS {
            let walk = world.walk(provider).await;
            assert!(walk.error.is_none(), "{kind:?} at {provider}");
            assert_eq!((walk.ids.len(), walk.bad_rows.len()), (SIZE - 1, 1), "{kind:?} at {provider}");
            assert!(walk.bad_rows[0].message().contains(" of page 1"), "{}", walk.bad_rows[0]);
            assert!(matches!(walk.summary.completeness, Completeness::Doubtful(_)), "{kind:?} at {provider}");
        }
    }
}

#[tokio::test]
async fn a_world_that_changes_hides_no_account_that_stays() {
    for side in [Side::Before, Side::After] {
        let change = Fault::WorldChange { remove: 4, insert: 2, side };
        let world = World::with(&Faults::new(5).on_list(3, change)).await;
        for provider in PROVIDERS {
            let before: BTreeSet<_> = world.list(provider).1.ids().into_iter().collect();
            let walk = world.walk(provider).await;
            assert!(walk.error.is_none(), "{provider}");
            let after: BTreeSet<_> = world.list(provider).1.ids().into_iter().collect();
            let listed: BTreeSet<_> = walk.ids.iter().cloned().collect();
            assert_eq!(listed.len(), walk.ids.len(), "{provider}: nothing twice");
            let missing: Vec<_> = before.intersection(&after).filter(|id| !listed.contains(*id)).collect();
            assert!(missing.is_empty(), "{provider} {side:?}: {missing:?}");
        }
    }
}

#[tokio::test]
async fn a_listing_through_faults_on_a_twentieth_of_the_requests_is_exact() {
    let kinds = [
        Fault::Status { status: 502, body: ErrorBody::Html, retry_after: None },
        Fault::TooManyRequests { retry_after: Some(RetryAfter::Seconds(0)) },
        Fault::ResetBeforeAnswer,
        Fault::ResetMidBody,
        Fault::TruncatedJson,
        Fault::HtmlOk,
        Fault::NoContent,
        Fault::ShortPage,
        Fault::EmptyPageWithMarker,
    ];
    let world = World::with(&Faults::new(11).rate_any(0.05, kinds)).await;
    macro_rules! grow {
        ($($server:ident),+) => { $( world.$server.generate(1_940); )+ };
    }
    grow!(fortanix, huawei, annature, sailpoint);
    for provider in PROVIDERS {
        let walk = world.walk(provider).await;
        assert!(walk.error.is_none(), "{provider}: {:?}", walk.error);
        let distinct: BTreeSet<_> = walk.ids.iter().cloned().collect();
        assert_eq!(distinct, world.list(provider).1.ids().into_iter().collect(), "{provider}");
        assert_eq!(walk.ids.len(), 2_000, "{provider}: nothing twice");
        assert!(world.list(provider).1.faults_injected() >= 3, "{provider}");
    }
}
