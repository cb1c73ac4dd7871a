//! Waiting for the creation of an account, in virtual time.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use headcount::{
    Error, ErrorKind, Retryability,
    http::RetryPolicy,
    huawei::{Client, CreateAccountState, CreateAccountStatus, WaitForAccount},
};
use headcount_sim::Huawei;
use tokio::time::Instant;

use super::support::start;
use crate::providers::support::{Canned, HttpResponse, UNREACHABLE_URL, assert_unsent, respond};

const ID: &str = "car-awjp43m7bz3b8jgy";

fn status(members: &str) -> HttpResponse {
    respond(200, format!(r#"{{"create_account_status":{{"id":"{ID}"{members}}}}}"#))
}

fn in_progress() -> HttpResponse {
    status(r#","state":"in_progress""#)
}

/// The times of the polls, in seconds since the start.
type PollTimes = Arc<Mutex<Vec<f64>>>;

/// Returns a client whose status requests get the responses of `script`, numbered from 0.
fn client(script: impl Fn(usize) -> HttpResponse + Send + Sync + 'static) -> (Client, PollTimes) {
    let (polls, started) = (PollTimes::default(), Instant::now());
    let recorded = Arc::clone(&polls);
    let transport = Canned::new(move |number, request| {
        assert_eq!(request.uri().path(), format!("/v1/organizations/create-account-status/{ID}"));
        recorded.lock().unwrap().push(started.elapsed().as_secs_f64());
        script(number)
    });
    // Retries are immediate, so that polls can be distinguished from them by their times.
    let retry = RetryPolicy::default().backoff(Duration::ZERO, Duration::ZERO);
    let builder =
        Client::builder().access_key("access").secret_key("secret").base_url(UNREACHABLE_URL).retry(retry);
    (builder.transport(transport).build().unwrap(), polls)
}

async fn wait(request: WaitForAccount, polls: &PollTimes) -> (Result<CreateAccountStatus, Error>, Vec<f64>) {
    let result = request.send().await;
    let seconds = polls.lock().unwrap().iter().map(|second| second.round()).collect();
    (result, seconds)
}

#[tokio::test(start_paused = true)]
async fn intervals_double_up_to_the_maximum() {
    let (client, polls) = client(|_| in_progress());
    let (result, seconds) = wait(client.wait_for_account(ID), &polls).await;
    let mut expected = vec![0.0, 2.0, 6.0, 14.0];
    expected.extend((1..=20).map(|number| f64::from(number) * 30.0));
    assert_eq!(seconds, expected, "the last poll is at the timeout");
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.retryability()), (ErrorKind::Timeout, Retryability::Retryable));
    for word in ["600.0 s", "in_progress", "may still be in progress", ID] {
        assert!(error.message().contains(word), "{word:?} is not in: {error}");
    }
    assert_eq!(error.provider(), Some(headcount::Provider::Huawei));
}

#[tokio::test(start_paused = true)]
async fn custom_intervals_and_timeout() {
    let seconds = Duration::from_secs;
    let (client, polls) = client(|_| in_progress());
    let request = client.wait_for_account(ID).first_interval(seconds(1)).max_interval(seconds(3));
    let (result, at) = wait(request.timeout(seconds(10)), &polls).await;
    assert_eq!(at, [0.0, 1.0, 3.0, 6.0, 9.0, 10.0]);
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Timeout);
}

#[tokio::test(start_paused = true)]
async fn first_interval_is_capped() {
    let (client, polls) = client(|_| in_progress());
    let request = client.wait_for_account(ID).first_interval(Duration::from_secs(100));
    let (_, at) = wait(request.timeout(Duration::from_secs(60)), &polls).await;
    assert_eq!(at, [0.0, 30.0, 60.0]);
}

#[tokio::test(start_paused = true)]
async fn zero_and_maximum_timeouts() {
    let (first, polls) = client(|_| in_progress());
    let (result, at) = wait(first.wait_for_account(ID).timeout(Duration::ZERO), &polls).await;
    assert_eq!((result.unwrap_err().kind(), at.len()), (ErrorKind::Timeout, 1));

    let (second, polls) =
        client(|number| if number < 2 { in_progress() } else { status(r#","state":"succeeded""#) });
    let request = second.wait_for_account(ID).timeout(Duration::MAX).max_interval(Duration::MAX);
    let (result, at) = wait(request.first_interval(Duration::from_secs(3600)), &polls).await;
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(at, [0.0, 3600.0, 10_800.0]);
}

#[tokio::test(start_paused = true)]
async fn returns_the_succeeded_status() {
    let (client, polls) = client(|number| match number {
        0 => in_progress(),
        _ => status(r#","state":"SUCCEEDED","account_id":"0a6d","account_name":"new""#),
    });
    let (result, at) = wait(client.wait_for_account(ID), &polls).await;
    let status = result.unwrap();
    assert_eq!(status.state, Some(CreateAccountState::Succeeded));
    assert_eq!((status.account_id.as_deref(), at), (Some("0a6d"), vec![0.0, 2.0]));
}

#[tokio::test(start_paused = true)]
async fn unknown_and_missing_states_are_in_progress() {
    let (client, polls) = client(|number| match number {
        0 => status(""),
        1 => status(r#","state":null"#),
        2 => status(r#","state":"under_review""#),
        _ => status(r#","state":"succeeded""#),
    });
    let (result, at) = wait(client.wait_for_account(ID), &polls).await;
    assert_eq!((result.unwrap().state, at.len()), (Some(CreateAccountState::Succeeded), 4));
    let (stuck, polls) = self::client(|_| status(r#","state":"under_review""#));
    let (result, _) = wait(stuck.wait_for_account(ID), &polls).await;
    assert!(result.unwrap_err().message().contains("(state: under_review)"));
}

#[tokio::test(start_paused = true)]
async fn failed_creation_is_an_error() {
    for (members, code, reason) in [
        (
            r#""failure_reason":"quota","failure_detail_msg":{"error_msg":"too\n many"}"#,
            Some("quota"),
            "too many",
        ),
        (r#""failure_reason":"quota""#, Some("quota"), "quota"),
        (r#""failure_detail_msg":{"encoded_authorization_message":"hunter2"}"#, None, "no reason given"),
    ] {
        let (client, polls) = client(move |_| status(&format!(r#","state":"failed",{members}"#)));
        let (result, at) = wait(client.wait_for_account(ID), &polls).await;
        let error = result.unwrap_err();
        assert_eq!(
            (error.kind(), error.retryability(), error.code()),
            (ErrorKind::Api, Retryability::Never, code)
        );
        let message = format!(
            "the account was not created: {reason}; call get_create_account_status(\"{ID}\") for the full status"
        );
        assert_eq!((error.message(), at.len()), (message.as_str(), 1));
        assert!(!format!("{error:?}").contains("hunter2"));
    }
    let (client, polls) = client(|_| {
        let long = "x ".repeat(5000);
        status(&format!(r#","state":"failed","failure_reason":"{long}""#))
    });
    let (result, _) = wait(client.wait_for_account(ID), &polls).await;
    assert!(result.unwrap_err().to_string().len() < 1200, "a provider's text is bounded");
}

#[tokio::test(start_paused = true)]
async fn failed_polls_are_retried() {
    let (transient, polls) = client(|number| match number {
        1 => respond(503, ""),
        2 => respond(200, "<html>Log in</html>"),
        0 | 3 => in_progress(),
        _ => status(r#","state":"succeeded""#),
    });
    let (result, at) = wait(transient.wait_for_account(ID), &polls).await;
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(at, [0.0, 2.0, 2.0, 2.0, 6.0]);

    let (permanent, polls) = client(|number| if number == 0 { in_progress() } else { respond(503, "") });
    let (result, at) = wait(permanent.wait_for_account(ID), &polls).await;
    let error = result.unwrap_err();
    assert_eq!(
        (error.kind(), error.status(), error.retryability()),
        (ErrorKind::Api, Some(503), Retryability::Exhausted)
    );
    assert_eq!(at, [0.0, 2.0, 2.0, 2.0, 2.0]);

    let (rejected, polls) = client(|_| respond(401, r#"{"error_code":"APIGW.0301","error_msg":"no"}"#));
    let (result, at) = wait(rejected.wait_for_account(ID), &polls).await;
    assert_eq!(
        (result.unwrap_err().kind(), at.len()),
        (ErrorKind::Auth, 1),
        "more than five failures lock the key"
    );
}

fn api_error(status: u16, code: &str) -> HttpResponse {
    respond(status, format!(r#"{{"error_code":"{code}","error_msg":"later"}}"#))
}

#[tokio::test(start_paused = true)]
async fn retryable_errors_do_not_end_the_wait() {
    for (status, code) in
        [(400, "Organizations.1004"), (400, "Organizations.1006"), (409, "Organizations.1003")]
    {
        let (transient, polls) = client(move |number| match number {
            0 | 2 => api_error(status, code),
            1 => in_progress(),
            _ => self::status(r#","state":"succeeded""#),
        });
        let (result, at) = wait(transient.wait_for_account(ID), &polls).await;
        assert!(result.is_ok(), "{result:?}");
        assert_eq!(at, [0.0, 2.0, 6.0, 14.0], "{code}");

        let (permanent, polls) = client(move |_| api_error(status, code));
        let request = permanent.wait_for_account(ID).timeout(Duration::from_secs(10));
        let (result, at) = wait(request, &polls).await;
        let error = result.unwrap_err();
        assert_eq!(
            (error.code(), error.retryability()),
            (Some(code), Retryability::Retryable),
            "the last error is returned"
        );
        assert_eq!(at, [0.0, 2.0, 6.0, 10.0]);
    }
    let (not_retryable, polls) = client(|_| api_error(400, "Organizations.1005"));
    let (result, at) = wait(not_retryable.wait_for_account(ID), &polls).await;
    assert_eq!((result.unwrap_err().retryability(), at.len()), (Retryability::Never, 1));
}

#[tokio::test(start_paused = true)]
async fn retry_after_within_the_timeout() {
    let throttled = |seconds: u32| {
        let mut response = api_error(429, "APIGW.0308");
        response.headers_mut().insert("retry-after", seconds.into());
        response
    };
    let (client, polls) = client(move |number| match number {
        0 => throttled(300),
        _ => status(r#","state":"succeeded""#),
    });
    let (result, at) = wait(client.wait_for_account(ID), &polls).await;
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(at, [0.0, 300.0], "not before Retry-After");

    let (too_long, polls) = self::client(move |_| throttled(601));
    let (result, at) = wait(too_long.wait_for_account(ID), &polls).await;
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Throttled, Some(Duration::from_secs(601))));
    assert_eq!(at, [0.0]);

    let (without_retry_after, polls) = self::client(|number| match number {
        0..4 => api_error(429, "APIGW.0308"),
        _ => status(r#","state":"succeeded""#),
    });
    let (result, at) = wait(without_retry_after.wait_for_account(ID), &polls).await;
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(at, [0.0, 0.0, 0.0, 0.0, 2.0]);
}

#[tokio::test(start_paused = true)]
async fn not_found_is_tolerated_only_initially() {
    let not_found = || api_error(404, "Organizations.1304");
    let (late, polls) =
        client(move |number| if number < 4 { not_found() } else { status(r#","state":"succeeded""#) });
    let (result, at) = wait(late.wait_for_account(ID), &polls).await;
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(at, [0.0, 2.0, 6.0, 14.0, 30.0]);

    let (never, polls) = client(move |_| not_found());
    let (result, at) = wait(never.wait_for_account(ID), &polls).await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(at, [0.0, 2.0, 6.0, 14.0, 30.0]);

    let (gone, polls) = client(move |number| if number == 0 { in_progress() } else { not_found() });
    let (result, at) = wait(gone.wait_for_account(ID), &polls).await;
    assert_eq!((result.unwrap_err().kind(), at), (ErrorKind::NotFound, vec![0.0, 2.0]));

    let (no_organization, polls) = client(|_| api_error(401, "Organizations.1015"));
    let (result, at) = wait(no_organization.wait_for_account(ID), &polls).await;
    assert_eq!((result.unwrap_err().kind(), at.len()), (ErrorKind::NotFound, 1));
}

#[tokio::test]
async fn zero_intervals_are_not_sent() {
    let (server, client) = start(Huawei::builder().accounts(1)).await;
    let wait = || client.wait_for_account(ID);
    let first = wait().first_interval(Duration::ZERO).send().await;
    assert_unsent(&server, first, &["first_interval is 0", "expected a positive duration"]);
    let max = wait().max_interval(Duration::ZERO).send().await;
    assert_unsent(&server, max, &["max_interval is 0", "expected a positive duration"]);
    assert_unsent(&server, client.wait_for_account("a/b").send().await, &["create account status id"]);
}
