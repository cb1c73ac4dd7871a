use std::time::Duration;

use super::*;
use crate::{BadRow, ErrorBody, RetryAfter, Side};

fn list(number: u64) -> Sight<'static> {
    Sight { request: number + 1, list: Some(number), login: None, path: "/v1/accounts" }
}

fn picked(plan: &Faults, sight: Sight<'_>) -> Option<String> {
    plan.pick(sight).map(|(fault, _)| fault.name())
}

fn every_fault() -> Vec<Fault> {
    let retry_after = Some(RetryAfter::Date(-30));
    vec![
        Fault::TooManyRequests { retry_after: Some(RetryAfter::Text("in a while".into())) },
        Fault::TooManyRequests { retry_after: None },
        Fault::Status { status: 502, body: ErrorBody::Html, retry_after },
        Fault::RefuseConnections { lasting: Duration::from_millis(1500) },
        Fault::ResetBeforeAnswer,
        Fault::ResetMidBody,
        Fault::TruncatedJson,
        Fault::MalformedJson,
        Fault::WrongContentType,
        Fault::HtmlOk,
        Fault::NoContent,
        Fault::Redirect { to: "https://else.example/".into() },
        Fault::SlowHeaders(Duration::from_secs(3)),
        Fault::SlowTrickle { chunk: 10, every: Duration::from_nanos(17) },
        Fault::Hang,
        Fault::OversizedBody { bytes: u64::MAX },
        Fault::GzipBomb { bytes: 1 << 30 },
        Fault::BogusContentEncoding("UTF-8".into()),
        Fault::TokenExpiredEarly,
        Fault::TokenEndpointDown,
        Fault::ClockSkew { seconds: -901 },
        Fault::RepeatedMarker { period: 3 },
        Fault::EmptyPageWithMarker,
        Fault::ShortPage,
        Fault::BadRow { kind: BadRow::NotAnObject },
        Fault::UnknownEnum,
        Fault::WorldChange { remove: 1, insert: 2, side: Side::Before },
    ]
}

#[test]
fn every_plan_comes_back_from_json() {
    let mut plan = Faults::new(u64::MAX).rate_any(0.25, every_fault());
    for fault in every_fault() {
        let name = fault.name();
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
        plan = plan.on_list(3, fault.clone()).on_login(1, fault.clone());
        plan = plan.on_request(2, fault.clone()).on_path("/v1", fault.clone());
        plan = plan.rate(0.1, fault.clone()).always(fault);
    }
    assert_eq!(Faults::from_json(&plan.to_json()), Ok(plan));
    assert_eq!(Faults::from_json("{\"rules\": []}"), Ok(Faults::none()));
}

#[test]
fn errors_say_where_and_what_was_expected() {
    let error = |json: &str| Faults::from_json(json).expect_err(json).to_string();
    let rule = |rule: &str| error(&format!("{{\"rules\": [{rule}]}}"));
    let cases = [
        (error("[]"), "expected struct Faults"),
        (error("{}"), "missing field `rules`"),
        (error(r#"{"rule": []}"#), "expected `seed` or `rules`"),
        (error(r#"{"seed": -1}"#), "expected u64"),
        (
            rule(r#"{"on": "always", "fault": "too_many"}"#),
            "unknown variant `too_many`, expected one of `too_many_requests`, `status`",
        ),
        (rule(r#"{"on": {"list": 0}, "fault": "hang"}"#), "the first is 1"),
        (rule(r#"{"on": {"list": "2"}, "fault": "hang"}"#), "expected u64"),
        (rule(r#"{"on": {"lists": 2}, "fault": "hang"}"#), "expected one of `list`, `login`"),
        (rule(r#"{"on": {"rate": 5}, "fault": "hang"}"#), "a share from 0 to 1"),
        (rule(r#"{"on": "always", "fault": {"status": {"status": 42}}}"#), "from 200 to 599"),
        (rule(r#"{"on": "always", "fault": {"slow_headers": "3"}}"#), "such as \"250ms\""),
        (rule(r#"{"on": "always", "fault": {"slow_headers": 3}}"#), "expected a string"),
        (rule(r#"{"on": "always", "fault": {"repeated_marker": {}}}"#), "missing field `period`"),
        (rule(r#"{"on": "always"}"#), "neither `fault` nor `faults`"),
        (rule(r#"{"on": "always", "fault": "hang", "faults": ["hang"]}"#), "one of the two"),
        (rule(r#"{"on": "always", "faults": []}"#), "one fault or more"),
    ];
    for (error, expected) in cases {
        assert!(error.contains(expected), "{error:?} does not say {expected:?}");
        assert!(error.contains(" at line 1 column "), "{error}");
    }
}

#[test]
fn the_same_seed_hits_the_same_requests_and_another_seed_others() {
    let hits = |seed: u64| -> Vec<Option<String>> {
        let plan = Faults::new(seed).rate_any(0.3, [Fault::Hang, Fault::NoContent]);
        (1..=500).map(|number| picked(&plan, list(number))).collect()
    };
    assert_eq!(hits(7), hits(7));
    assert_ne!(hits(7), hits(8));
    let hit = hits(7).into_iter().flatten().collect::<Vec<_>>();
    assert!((110..190).contains(&hit.len()), "{} of 500", hit.len());
    let hung = hit.iter().filter(|name| *name == "hang").count();
    assert!((1..hit.len()).contains(&hung));
}

#[test]
fn shares_of_nothing_and_of_all() {
    let plan = |share: f64| Faults::new(1).rate(share, Fault::Hang);
    let hits = |share: f64| (1..=50).filter(|n| picked(&plan(share), list(*n)).is_some()).count();
    assert_eq!([hits(0.0), hits(-1.0), hits(f64::NAN)], [0, 0, 0]);
    assert_eq!([hits(1.0), hits(9.0)], [50, 50]);
    let login = Sight { list: None, login: Some(1), ..list(1) };
    assert_eq!(picked(&plan(1.0), login), None, "a share is one of list requests");
}

#[test]
fn the_most_particular_rule_decides() {
    let plan = Faults::new(1)
        .always(Fault::Hang)
        .rate(1.0, Fault::NoContent)
        .on_path("accounts", Fault::HtmlOk)
        .on_list(2, Fault::ResetMidBody)
        .on_request(3, Fault::ShortPage);
    assert_eq!(picked(&plan, list(1)).as_deref(), Some("html_ok"));
    // The second list request is the third of all; the rule added first has it.
    assert_eq!(picked(&plan, list(2)).as_deref(), Some("reset_mid_body"));
    let elsewhere = Sight { path: "/", ..list(1) };
    assert_eq!(picked(&plan, elsewhere).as_deref(), Some("no_content"));
    let login = Sight { request: 1, list: None, login: Some(1), path: "/oauth/token" };
    assert_eq!(picked(&plan, login).as_deref(), Some("hang"));
    assert_eq!(picked(&Faults::none(), login), None);
}
