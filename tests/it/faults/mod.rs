//! Fault handling during listings, as documented by the table in `headcount::http`.

mod in_memory;
mod support;
mod virtual_time;

use std::{collections::BTreeSet, time::Duration};

use headcount::{Completeness, ErrorKind, Retryability};
use headcount_sim::{self as sim, BadRow, Fault, Faults, Side};

use support::{Connection, Fixture, SIZE, SOCKETS, assert_fails, assert_recovers};

use crate::kit::{PROVIDERS, Quirk, with_quirk};

#[tokio::test]
async fn broken_connection_is_retried() {
    let refused = Fault::RefuseConnections { duration: Duration::from_millis(30) };
    assert_recovers(Connection::Sockets { attempts: 100 }, "refused", refused, PROVIDERS).await;
    let expected = (ErrorKind::Transport, Retryability::Exhausted, "4 attempts");
    for (name, fault) in [("reset", Fault::ResetBeforeResponse), ("mid body", Fault::ResetMidBody)] {
        assert_recovers(SOCKETS, name, fault.clone(), PROVIDERS).await;
        assert_fails(SOCKETS, name, fault, PROVIDERS, expected).await;
    }
    let bogus = Fault::BogusContentEncoding("gzip".into());
    assert_recovers(SOCKETS, "no gzip", bogus.clone(), PROVIDERS).await;
    assert_fails(SOCKETS, "no gzip", bogus, PROVIDERS, expected).await;
}

#[tokio::test]
async fn malformed_response_is_retried() {
    for (name, fault, message) in [
        ("cut JSON", Fault::TruncatedJson, " at line "),
        ("broken JSON", Fault::MalformedJson, " at line "),
        ("a login page", Fault::HtmlPage, "an HTML or XML page"),
        ("204", Fault::NoContent, "an empty body"),
    ] {
        assert_recovers(SOCKETS, name, fault.clone(), PROVIDERS).await;
        assert_fails(SOCKETS, name, fault, PROVIDERS, (ErrorKind::Decode, Retryability::Exhausted, message))
            .await;
    }
}

#[tokio::test]
async fn wrong_content_type_is_ignored() {
    assert_recovers(SOCKETS, "text/plain", Fault::WrongContentType, PROVIDERS).await;
    assert_recovers(SOCKETS, "UTF-8 as an encoding", Fault::BogusContentEncoding("UTF-8".into()), PROVIDERS)
        .await;
    assert_recovers(SOCKETS, "unknown enum values", Fault::UnknownEnum, &with_quirk(Quirk::OpenEnums)).await;
}

#[tokio::test]
async fn redirect_is_not_followed() {
    let target = sim::Annature::builder().accounts(1).start().await.unwrap();
    let fault = Fault::Redirect { to: format!("{}/v2/accounts", target.base_url()) };
    assert_fails(SOCKETS, "a redirect", fault, PROVIDERS, (ErrorKind::Api, Retryability::Never, "redirect"))
        .await;
    assert!(target.requests().is_empty(), "the target gets no request");
}

#[tokio::test]
async fn oversized_body_is_rejected() {
    let expected = (ErrorKind::Decode, Retryability::Never, "more than 1048576 bytes");
    for (name, fault) in [
        ("large", Fault::OversizedBody { bytes: 3 * 1024 * 1024 }),
        ("a gzip bomb", Fault::GzipBomb { bytes: 16 * 1024 * 1024 }),
    ] {
        assert_fails(SOCKETS, name, fault, PROVIDERS, expected).await;
    }
}

#[tokio::test]
async fn expired_token_is_refreshed() {
    assert_recovers(SOCKETS, "an expired token", Fault::TokenExpiredEarly, &with_quirk(Quirk::Login)).await;
    let skew = Fault::ClockSkew { seconds: 3600 };
    assert_fails(
        SOCKETS,
        "a wrong clock",
        skew,
        &with_quirk(Quirk::SignedDate),
        (ErrorKind::Auth, Retryability::Never, "this machine's clock"),
    )
    .await;
}

#[tokio::test]
async fn cursor_loop_is_an_error_short_page_is_not() {
    for period in [1, 2, 3] {
        let fixture = Fixture::new(SOCKETS, &Faults::new(1).on_list(2, Fault::CursorLoop { period })).await;
        for &provider in PROVIDERS {
            let listing = fixture.list_all(provider).await;
            let error =
                listing.error.unwrap_or_else(|| panic!("a loop of {period} pages at {provider} is an error"));
            // With offsets, a loop of several pages looks like a listing that changes constantly.
            let kinds = [ErrorKind::PaginationLoop, ErrorKind::ListingChanged];
            let kinds =
                if provider.has(Quirk::OffsetPaging) && period > 1 { &kinds[..] } else { &kinds[..1] };
            assert!(kinds.contains(&error.kind()), "{period} at {provider}: {error}");
        }
    }
    assert_recovers(SOCKETS, "an empty page", Fault::EmptyPageWithMarker, &with_quirk(Quirk::EmptyPages))
        .await;
    assert_recovers(SOCKETS, "a short page", Fault::ShortPage, PROVIDERS).await;
}

#[tokio::test]
async fn invalid_row_affects_only_itself() {
    for kind in [BadRow::NullId, BadRow::MissingId, BadRow::WrongType, BadRow::NotAnObject, BadRow::Null] {
        let fixture = Fixture::new(SOCKETS, &Faults::new(1).on_list(1, Fault::BadRow { kind })).await;
        for &provider in PROVIDERS {
            let listing = fixture.list_all(provider).await;
            assert!(listing.error.is_none(), "{kind:?} at {provider}");
            assert_eq!(
                (listing.ids.len(), listing.invalid_rows.len()),
                (SIZE - 1, 1),
                "{kind:?} at {provider}"
            );
            assert!(listing.invalid_rows[0].message().contains(" of page 1"), "{}", listing.invalid_rows[0]);
            assert!(
                matches!(listing.summary.completeness, Completeness::Uncertain(_)),
                "{kind:?} at {provider}"
            );
        }
    }
}

#[tokio::test]
async fn concurrent_changes_hide_no_account() {
    for side in [Side::Before, Side::After] {
        let change = Fault::ConcurrentChange { remove: 4, insert: 2, side };
        let fixture = Fixture::new(SOCKETS, &Faults::new(5).on_list(3, change)).await;
        for &provider in PROVIDERS {
            let before: BTreeSet<_> = fixture.server(provider).ids().into_iter().collect();
            let listing = fixture.list_all(provider).await;
            assert!(listing.error.is_none(), "{provider}");
            let after: BTreeSet<_> = fixture.server(provider).ids().into_iter().collect();
            let listed: BTreeSet<_> = listing.ids.iter().cloned().collect();
            assert_eq!(listed.len(), listing.ids.len(), "{provider}: duplicates");
            let missing: Vec<_> = before.intersection(&after).filter(|id| !listed.contains(*id)).collect();
            assert!(missing.is_empty(), "{provider} {side:?}: {missing:?}");
        }
    }
}
