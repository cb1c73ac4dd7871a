//! No provider's changes are made twice, and what is not known to be made is told as such.

use std::{ops::Deref, time::Duration};

use headcount::{ErrorKind, Retry, http::RetryPolicy};
use headcount_sim::{Annature, ErrorBody, Fault, Faults, Fortanix, Huawei, RetryAfter, SailPoint, Server};
use uuid::Uuid;

use super::{sailpoint::support as sailpoint_support, support};
use crate::requests::{Named, annature, fortanix, huawei, sailpoint};

/// A server, and every request that changes something there, of a client that is logged in and would try again
/// at once.
type Provider = (Box<dyn Deref<Target = Server> + Send + Sync>, Named);

fn eager() -> RetryPolicy {
    RetryPolicy::default().delays(Duration::ZERO, Duration::ZERO)
}

async fn of_fortanix() -> Provider {
    let server = Fortanix::builder().accounts(3).start().await.unwrap();
    let client = support::fortanix(&server).retry(eager()).build().unwrap();
    client.log_in().send().await.unwrap();
    let changes = fortanix::changes(&client, Uuid::from_u128(1), &fortanix::oauth("secret", "key"));
    (Box::new(server), changes)
}

async fn of_huawei() -> Provider {
    let server = Huawei::builder().accounts(3).creation_looks(0).start().await.unwrap();
    let client = support::huawei(&server).retry(eager()).build().unwrap();
    let changes = huawei::changes(&client, &server.ids()[0]);
    (Box::new(server), changes)
}

async fn of_annature() -> Provider {
    let server = Annature::builder().accounts(3).start().await.unwrap();
    let builder = support::annature(&server).partner_key(server.partner_key());
    let client = builder.retry(eager()).build().unwrap();
    let changes = annature::changes(&client, &server.ids()[0], "hunter22");
    (Box::new(server), changes)
}

async fn of_sailpoint() -> Provider {
    let (server, about) = sailpoint_support::start(SailPoint::builder()).await;
    let client = support::sailpoint(&server).retry(eager()).build().unwrap();
    client.list_accounts().total().await.unwrap();
    let changes = sailpoint::changes(&client, &about, "hunter22");
    (Box::new(server), changes)
}

async fn all() -> [Provider; 4] {
    [of_fortanix().await, of_huawei().await, of_annature().await, of_sailpoint().await]
}

#[tokio::test]
async fn a_change_that_may_have_been_carried_out_is_sent_once_and_said_to_be_uncertain() {
    let status = |status, body| Fault::Status { status, body, retry_after: None };
    for (fault, kind) in [
        (status(500, ErrorBody::Vendor), ErrorKind::Api),
        (status(502, ErrorBody::Html), ErrorKind::Api),
        (status(503, ErrorBody::Vendor), ErrorKind::Api),
        (status(504, ErrorBody::Empty), ErrorKind::Api),
        (status(408, ErrorBody::Empty), ErrorKind::Api),
        (Fault::ResetBeforeAnswer, ErrorKind::Transport),
        (Fault::HtmlOk, ErrorKind::Decode),
    ] {
        for (server, changes) in all().await {
            server.set_faults(Faults::new(1).always(fault.clone()));
            let before = server.records();
            for (name, change) in changes {
                server.clear_requests();
                let error = change.await.unwrap_err();
                let case = format!("{:?} {name}, {fault:?}: {error}", error.provider());
                assert_eq!((error.kind(), error.retry()), (kind, Retry::Uncertain), "{case}");
                assert_eq!((server.requests().len(), error.attempts()), (1, 1), "{case}");
                assert!(error.to_string().contains("it may have been carried out"), "{case}");
            }
            assert_eq!(server.records(), before, "{fault:?}");
        }
    }
}

#[tokio::test]
async fn a_change_whose_answer_breaks_off_is_made_once_and_said_to_be_uncertain() {
    for (server, changes) in all().await {
        server.set_faults(Faults::new(1).always(Fault::ResetMidBody));
        let before = server.ids().len();
        server.clear_requests();
        let (name, creation) = changes.into_iter().next().unwrap();
        let error = creation.await.unwrap_err();
        let case = format!("{:?} {name}: {error}", error.provider());
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Transport, Retry::Uncertain), "{case}");
        assert_eq!((server.requests().len(), server.ids().len()), (1, before + 1), "{case}");
    }
}

#[tokio::test]
async fn a_change_that_is_turned_away_for_haste_is_sent_once_and_safe_to_send_again() {
    let fault = Fault::TooManyRequests { retry_after: Some(RetryAfter::Seconds(1)) };
    for (server, changes) in all().await {
        server.set_faults(Faults::new(1).always(fault.clone()));
        for (name, change) in changes {
            server.clear_requests();
            let error = change.await.unwrap_err();
            let case = format!("{:?} {name}: {error}", error.provider());
            assert_eq!((error.kind(), error.retry()), (ErrorKind::Throttled, Retry::Safe), "{case}");
            assert_eq!((server.requests().len(), error.attempts()), (1, 1), "{case}");
            assert_eq!(error.retry_after(), Some(Duration::from_secs(1)), "{case}");
        }
    }
}
