//! Every fault that a listing meets, as the table in `headcount::http` promises it.

mod memory;
mod waits;
mod world;

use std::{collections::BTreeSet, time::Duration};

use headcount::{Completeness, ErrorKind, Retryability};
use headcount_sim::{self as sim, BadRow, Fault, Faults, Side};

use world::{SIZE, SOCKETS, Way, World, passes, stays};

use crate::kit::{PROVIDERS, Trait, having};

#[tokio::test]
async fn a_broken_connection_is_retried_then_told() {
    let refused = Fault::RefuseConnections { lasting: Duration::from_millis(30) };
    passes(Way::Sockets { attempts: 100 }, "refused", refused, PROVIDERS).await;
    let told = (ErrorKind::Transport, Retryability::Exhausted, "4 attempts");
    for (name, fault) in [("reset", Fault::ResetBeforeAnswer), ("mid body", Fault::ResetMidBody)] {
        passes(SOCKETS, name, fault.clone(), PROVIDERS).await;
        stays(SOCKETS, name, fault, PROVIDERS, told).await;
    }
    let bogus = Fault::BogusContentEncoding("gzip".into());
    passes(SOCKETS, "no gzip", bogus.clone(), PROVIDERS).await;
    stays(SOCKETS, "no gzip", bogus, PROVIDERS, told).await;
}

#[tokio::test]
async fn an_answer_that_is_not_the_promised_one_is_retried_then_told() {
    for (name, fault, says) in [
        ("cut JSON", Fault::TruncatedJson, "something else"),
        ("broken JSON", Fault::MalformedJson, "something else"),
        ("a login page", Fault::HtmlOk, "an HTML or XML page"),
        ("204", Fault::NoContent, "an empty body"),
    ] {
        passes(SOCKETS, name, fault.clone(), PROVIDERS).await;
        stays(SOCKETS, name, fault, PROVIDERS, (ErrorKind::Decode, Retryability::Exhausted, says)).await;
    }
}

#[tokio::test]
async fn a_wrong_label_on_the_right_body_is_no_matter() {
    passes(SOCKETS, "text/plain", Fault::WrongContentType, PROVIDERS).await;
    passes(SOCKETS, "UTF-8 as an encoding", Fault::BogusContentEncoding("UTF-8".into()), PROVIDERS).await;
    passes(SOCKETS, "unknown words", Fault::UnknownEnum, &having(Trait::HasWords)).await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = sim::Annature::builder().accounts(1).start().await.unwrap();
    let fault = Fault::Redirect { to: format!("{}/v2/accounts", elsewhere.base_url()) };
    stays(SOCKETS, "a redirect", fault, PROVIDERS, (ErrorKind::Api, Retryability::Never, "redirect")).await;
    assert!(elsewhere.requests().is_empty(), "nothing went there");
}

#[tokio::test]
async fn an_answer_larger_than_allowed_is_refused_also_when_compressed() {
    let told = (ErrorKind::Decode, Retryability::Never, "more than 1048576 bytes");
    for (name, fault) in [
        ("large", Fault::OversizedBody { bytes: 3 * 1024 * 1024 }),
        ("a bomb", Fault::GzipBomb { bytes: 16 * 1024 * 1024 }),
    ] {
        stays(SOCKETS, name, fault, PROVIDERS, told).await;
    }
}

#[tokio::test]
async fn credentials_that_end_early_are_renewed() {
    passes(SOCKETS, "a dead token", Fault::TokenExpiredEarly, &having(Trait::LogsIn)).await;
    let skew = Fault::ClockSkew { seconds: 3600 };
    stays(
        SOCKETS,
        "a clock that is off",
        skew,
        &having(Trait::SignsDates),
        (ErrorKind::Auth, Retryability::Never, "this machine's clock"),
    )
    .await;
}

#[tokio::test]
async fn a_circle_of_markers_is_an_error_and_odd_pages_are_not() {
    for period in [1, 2, 3] {
        let world = World::with(SOCKETS, &Faults::new(1).on_list(2, Fault::RepeatedMarker { period })).await;
        for &provider in PROVIDERS {
            let walk = world.walk(provider).await;
            let error =
                walk.error.unwrap_or_else(|| panic!("a circle of {period} at {provider} is an error"));
            // By offset, a circle of several pages looks like a list that changes all the time.
            let kinds = [ErrorKind::PaginationLoop, ErrorKind::ListingChanged];
            let kinds = if provider.has(Trait::ByOffset) && period > 1 { &kinds[..] } else { &kinds[..1] };
            assert!(kinds.contains(&error.kind()), "{period} at {provider}: {error}");
        }
    }
    passes(SOCKETS, "an empty page", Fault::EmptyPageWithMarker, &having(Trait::HasEmptyPages)).await;
    passes(SOCKETS, "a short page", Fault::ShortPage, PROVIDERS).await;
}

#[tokio::test]
async fn a_bad_row_costs_only_itself() {
    for kind in [BadRow::NullId, BadRow::MissingId, BadRow::WrongType, BadRow::NotAnObject, BadRow::Null] {
        let world = World::with(SOCKETS, &Faults::new(1).on_list(1, Fault::BadRow { kind })).await;
        for &provider in PROVIDERS {
            let walk = world.walk(provider).await;
            assert!(walk.error.is_none(), "{kind:?} at {provider}");
            assert_eq!((walk.ids.len(), walk.bad_rows.len()), (SIZE - 1, 1), "{kind:?} at {provider}");
            assert!(walk.bad_rows[0].message().contains(" of page 1"), "{}", walk.bad_rows[0]);
            assert!(
                matches!(walk.summary.completeness, Completeness::Uncertain(_)),
                "{kind:?} at {provider}"
            );
        }
    }
}

#[tokio::test]
async fn a_world_that_changes_hides_no_account_that_stays() {
    for side in [Side::Before, Side::After] {
        let change = Fault::WorldChange { remove: 4, insert: 2, side };
        let world = World::with(SOCKETS, &Faults::new(5).on_list(3, change)).await;
        for &provider in PROVIDERS {
            let before: BTreeSet<_> = world.server(provider).ids().into_iter().collect();
            let walk = world.walk(provider).await;
            assert!(walk.error.is_none(), "{provider}");
            let after: BTreeSet<_> = world.server(provider).ids().into_iter().collect();
            let listed: BTreeSet<_> = walk.ids.iter().cloned().collect();
            assert_eq!(listed.len(), walk.ids.len(), "{provider}: nothing twice");
            let missing: Vec<_> = before.intersection(&after).filter(|id| !listed.contains(*id)).collect();
            assert!(missing.is_empty(), "{provider} {side:?}: {missing:?}");
        }
    }
}
