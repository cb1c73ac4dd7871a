//! Waiting for an account, in virtual time.

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
use crate::providers::support::{Answer, Canned, NOWHERE, answer, assert_unsent};

const ID: &str = "car-awjp43m7bz3b8jgy";

fn status(members: &str) -> Answer {
    answer(200, format!(r#"{{"create_account_status":{{"id":"{ID}"{members}}}}}"#))
}

fn under_way() -> Answer {
    status(r#","state":"in_progress""#)
}

/// When the status was looked at, in seconds since the beginning.
type Looks = Arc<Mutex<Vec<f64>>>;

/// A client whose status is what `answers` gives for each look, counted from 0.
fn client(answers: impl Fn(usize) -> Answer + Send + Sync + 'static) -> (Client, Looks) {
    let (looks, began) = (Looks::default(), Instant::now());
    let noted = Arc::clone(&looks);
    let transport = Canned::new(move |number, request| {
        assert_eq!(request.uri().path(), format!("/v1/organizations/create-account-status/{ID}"));
        noted.lock().unwrap().push(began.elapsed().as_secs_f64());
        answers(number)
    });
    // Retries come at once, so that looks are told from them by their times.
    let retry = RetryPolicy::default().backoff(Duration::ZERO, Duration::ZERO);
    let builder = Client::builder("access", "secret").base_url(NOWHERE).retry(retry);
    (builder.transport(transport).build().unwrap(), looks)
}

async fn wait(request: WaitForAccount, looks: &Looks) -> (Result<CreateAccountStatus, Error>, Vec<f64>) {
    let done = request.send().await;
    let seconds = looks.lock().unwrap().iter().map(|second| second.round()).collect();
    (done, seconds)
}

#[tokio::test(start_paused = true)]
async fn it_looks_at_once_and_then_after_intervals_that_double_up_to_the_highest() {
    let (client, looks) = client(|_| under_way());
    let (done, seconds) = wait(client.wait_for_account(ID), &looks).await;
    let mut expected = vec![0.0, 2.0, 6.0, 14.0];
    expected.extend((1..=20).map(|number| f64::from(number) * 30.0));
    assert_eq!(seconds, expected, "the last is at the end of the time");
    let error = done.unwrap_err();
    assert_eq!((error.kind(), error.retryability()), (ErrorKind::Timeout, Retryability::Retryable));
    for word in ["600.0 s", "in_progress", "may still go on", ID] {
        assert!(error.message().contains(word), "{word:?} is not in: {error}");
    }
    assert_eq!(error.provider(), Some("huawei"));
}

#[tokio::test(start_paused = true)]
async fn intervals_and_time_can_be_set() {
    let seconds = Duration::from_secs;
    let (client, looks) = client(|_| under_way());
    let request = client.wait_for_account(ID).first_interval(seconds(1)).max_interval(seconds(3));
    let (done, at) = wait(request.timeout(seconds(10)), &looks).await;
    assert_eq!(at, [0.0, 1.0, 3.0, 6.0, 9.0, 10.0]);
    assert_eq!(done.unwrap_err().kind(), ErrorKind::Timeout);
}

#[tokio::test(start_paused = true)]
async fn a_first_interval_above_the_highest_is_the_highest() {
    let (client, looks) = client(|_| under_way());
    let request = client.wait_for_account(ID).first_interval(Duration::from_secs(100));
    let (_, at) = wait(request.timeout(Duration::from_secs(60)), &looks).await;
    assert_eq!(at, [0.0, 30.0, 60.0]);
}

#[tokio::test(start_paused = true)]
async fn no_time_is_one_look_and_endless_time_is_no_overflow() {
    let (first, looks) = client(|_| under_way());
    let (done, at) = wait(first.wait_for_account(ID).timeout(Duration::ZERO), &looks).await;
    assert_eq!((done.unwrap_err().kind(), at.len()), (ErrorKind::Timeout, 1));

    let (second, looks) =
        client(|number| if number < 2 { under_way() } else { status(r#","state":"succeeded""#) });
    let request = second.wait_for_account(ID).timeout(Duration::MAX).max_interval(Duration::MAX);
    let (done, at) = wait(request.first_interval(Duration::from_secs(3600)), &looks).await;
    assert!(done.is_ok(), "{done:?}");
    assert_eq!(at, [0.0, 3600.0, 10_800.0]);
}

#[tokio::test(start_paused = true)]
async fn it_ends_with_the_status_that_says_succeeded() {
    let (client, looks) = client(|number| match number {
        0 => under_way(),
        _ => status(r#","state":"SUCCEEDED","account_id":"0a6d","account_name":"new""#),
    });
    let (done, at) = wait(client.wait_for_account(ID), &looks).await;
    let done = done.unwrap();
    assert_eq!(done.state, Some(CreateAccountState::Succeeded));
    assert_eq!((done.account_id.as_deref(), at), (Some("0a6d"), vec![0.0, 2.0]));
}

#[tokio::test(start_paused = true)]
async fn a_state_that_is_unknown_or_not_told_is_waited_through() {
    let (client, looks) = client(|number| match number {
        0 => status(""),
        1 => status(r#","state":null"#),
        2 => status(r#","state":"under_review""#),
        _ => status(r#","state":"succeeded""#),
    });
    let (done, at) = wait(client.wait_for_account(ID), &looks).await;
    assert_eq!((done.unwrap().state, at.len()), (Some(CreateAccountState::Succeeded), 4));
    let (stuck, looks) = self::client(|_| status(r#","state":"under_review""#));
    let (done, _) = wait(stuck.wait_for_account(ID), &looks).await;
    assert!(done.unwrap_err().message().contains("its state is under_review"));
}

#[tokio::test(start_paused = true)]
async fn a_failed_creation_is_an_error_with_the_providers_reason() {
    for (members, code, why) in [
        (
            r#""failure_reason":"quota","failure_detail_msg":{"error_msg":"too\n many"}"#,
            Some("quota"),
            "too many",
        ),
        (r#""failure_reason":"quota""#, Some("quota"), "quota"),
        (r#""failure_detail_msg":{"encoded_authorization_message":"hunter2"}"#, None, "no reason is given"),
    ] {
        let (client, looks) = client(move |_| status(&format!(r#","state":"failed",{members}"#)));
        let (done, at) = wait(client.wait_for_account(ID), &looks).await;
        let error = done.unwrap_err();
        assert_eq!(
            (error.kind(), error.retryability(), error.code()),
            (ErrorKind::Api, Retryability::Never, code)
        );
        let message = format!(
            "the account was not created: {why}; get_create_account_status(\"{ID}\") gives all that is told of it"
        );
        assert_eq!((error.message(), at.len()), (message.as_str(), 1));
        assert!(!format!("{error:?}").contains("hunter2"));
    }
    let (client, looks) = client(|_| {
        let long = "x ".repeat(5000);
        status(&format!(r#","state":"failed","failure_reason":"{long}""#))
    });
    let (done, _) = wait(client.wait_for_account(ID), &looks).await;
    assert!(done.unwrap_err().to_string().len() < 1200, "a provider's text is bounded");
}

#[tokio::test(start_paused = true)]
async fn a_look_that_fails_is_retried_and_ends_the_waiting_only_if_it_stays_so() {
    let (passing, looks) = client(|number| match number {
        1 => answer(503, ""),
        2 => answer(200, "<html>Log in</html>"),
        0 | 3 => under_way(),
        _ => status(r#","state":"succeeded""#),
    });
    let (done, at) = wait(passing.wait_for_account(ID), &looks).await;
    assert!(done.is_ok(), "{done:?}");
    assert_eq!(at, [0.0, 2.0, 2.0, 2.0, 6.0]);

    let (lasting, looks) = client(|number| if number == 0 { under_way() } else { answer(503, "") });
    let (done, at) = wait(lasting.wait_for_account(ID), &looks).await;
    let error = done.unwrap_err();
    assert_eq!(
        (error.kind(), error.status(), error.retryability()),
        (ErrorKind::Api, Some(503), Retryability::Exhausted)
    );
    assert_eq!(at, [0.0, 2.0, 2.0, 2.0, 2.0]);

    let (refused, looks) = client(|_| answer(401, r#"{"error_code":"APIGW.0301","error_msg":"no"}"#));
    let (done, at) = wait(refused.wait_for_account(ID), &looks).await;
    assert_eq!((done.unwrap_err().kind(), at.len()), (ErrorKind::Auth, 1), "more than five lock the key");
}

fn refused(status: u16, code: &str) -> Answer {
    answer(status, format!(r#"{{"error_code":"{code}","error_msg":"later"}}"#))
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_does_not_end_the_waiting_while_there_is_time() {
    for (status, code) in
        [(400, "Organizations.1004"), (400, "Organizations.1006"), (409, "Organizations.1003")]
    {
        let (passing, looks) = client(move |number| match number {
            0 | 2 => refused(status, code),
            1 => under_way(),
            _ => self::status(r#","state":"succeeded""#),
        });
        let (done, at) = wait(passing.wait_for_account(ID), &looks).await;
        assert!(done.is_ok(), "{done:?}");
        assert_eq!(at, [0.0, 2.0, 6.0, 14.0], "{code}");

        let (lasting, looks) = client(move |_| refused(status, code));
        let request = lasting.wait_for_account(ID).timeout(Duration::from_secs(10));
        let (done, at) = wait(request, &looks).await;
        let error = done.unwrap_err();
        assert_eq!(
            (error.code(), error.retryability()),
            (Some(code), Retryability::Retryable),
            "the last error is told"
        );
        assert_eq!(at, [0.0, 2.0, 6.0, 10.0]);
    }
    let (final_, looks) = client(|_| refused(400, "Organizations.1005"));
    let (done, at) = wait(final_.wait_for_account(ID), &looks).await;
    assert_eq!((done.unwrap_err().retryability(), at.len()), (Retryability::Never, 1));
}

#[tokio::test(start_paused = true)]
async fn a_throttle_is_waited_out_if_it_ends_in_time() {
    let throttled = |seconds: u32| {
        let mut answer = refused(429, "APIGW.0308");
        answer.headers_mut().insert("retry-after", seconds.into());
        answer
    };
    let (client, looks) = client(move |number| match number {
        0 => throttled(300),
        _ => status(r#","state":"succeeded""#),
    });
    let (done, at) = wait(client.wait_for_account(ID), &looks).await;
    assert!(done.is_ok(), "{done:?}");
    assert_eq!(at, [0.0, 300.0], "not before it was asked for");

    let (never, looks) = self::client(move |_| throttled(601));
    let (done, at) = wait(never.wait_for_account(ID), &looks).await;
    let error = done.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Throttled, Some(Duration::from_secs(601))));
    assert_eq!(at, [0.0]);

    let (unsaid, looks) = self::client(|number| match number {
        0..4 => refused(429, "APIGW.0308"),
        _ => status(r#","state":"succeeded""#),
    });
    let (done, at) = wait(unsaid.wait_for_account(ID), &looks).await;
    assert!(done.is_ok(), "{done:?}");
    assert_eq!(at, [0.0, 0.0, 0.0, 0.0, 2.0]);
}

#[tokio::test(start_paused = true)]
async fn a_creation_may_be_unknown_at_first_and_only_then() {
    let unknown = || refused(404, "Organizations.1304");
    let (late, looks) =
        client(move |number| if number < 4 { unknown() } else { status(r#","state":"succeeded""#) });
    let (done, at) = wait(late.wait_for_account(ID), &looks).await;
    assert!(done.is_ok(), "{done:?}");
    assert_eq!(at, [0.0, 2.0, 6.0, 14.0, 30.0]);

    let (never, looks) = client(move |_| unknown());
    let (done, at) = wait(never.wait_for_account(ID), &looks).await;
    assert_eq!(done.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(at, [0.0, 2.0, 6.0, 14.0, 30.0]);

    let (gone, looks) = client(move |number| if number == 0 { under_way() } else { unknown() });
    let (done, at) = wait(gone.wait_for_account(ID), &looks).await;
    assert_eq!((done.unwrap_err().kind(), at), (ErrorKind::NotFound, vec![0.0, 2.0]));

    let (no_organization, looks) = client(|_| refused(401, "Organizations.1015"));
    let (done, at) = wait(no_organization.wait_for_account(ID), &looks).await;
    assert_eq!((done.unwrap_err().kind(), at.len()), (ErrorKind::NotFound, 1));
}

#[tokio::test]
async fn intervals_of_no_time_are_refused_before_anything_is_sent() {
    let (server, client) = start(Huawei::builder().accounts(1)).await;
    let wait = || client.wait_for_account(ID);
    let first = wait().first_interval(Duration::ZERO).send().await;
    assert_unsent(&server, first, &["first_interval is 0", "expected a time"]);
    let highest = wait().max_interval(Duration::ZERO).send().await;
    assert_unsent(&server, highest, &["max_interval is 0", "expected a time"]);
    assert_unsent(&server, client.wait_for_account("a/b").send().await, &["create account status id"]);
}
