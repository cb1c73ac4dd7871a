//! What faults do before the provider answers, in its place, and what it must do differently.

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};

use super::{ErrorBody, Fault, RetryAfter, Side};
use crate::exchange::{Incoming, Reply};
use crate::gate::{Vendor, lock};
use crate::world::World;
use crate::{clock, seed};

/// Prepares the provider or the request; true when that was all, false when the fault has nothing to prepare
/// or is not done yet.
pub(crate) fn prepare(fault: &Fault, vendor: &dyn Vendor, incoming: &mut Incoming, draw: u64) -> bool {
    match *fault {
        Fault::TokenExpiredEarly => return vendor.expire(incoming),
        Fault::ClockSkew { seconds } => {
            incoming.tweak = Tweak::clock(TimeDelta::try_seconds(seconds).unwrap_or_default());
        }
        Fault::ShortPage => incoming.tweak = Tweak::short_page(),
        Fault::EmptyPageWithMarker if vendor.has_empty_pages(incoming) => {
            incoming.tweak = Tweak::empty_page();
        }
        Fault::WorldChange { remove, insert, side } if vendor.is_list(incoming) => {
            let mut world = lock(vendor.world(incoming));
            let place = vendor.place(incoming, &world).min(world.len());
            return change(&mut world, place, side, (remove, insert), draw);
        }
        _ => {}
    }
    false
}

/// Takes accounts away from one side of a place, and puts new ones there; true if anything came of it.
fn change(world: &mut World, place: usize, side: Side, (remove, insert): (usize, usize), draw: u64) -> bool {
    let rng = &mut seed::rng(draw, 1);
    let mut place = place;
    let mut changed = false;
    for _ in 0..remove {
        let side = match side {
            Side::Before => 0..place,
            Side::After => place..world.len(),
        };
        if side.is_empty() {
            break;
        }
        let before = side.end <= place;
        world.remove_at(rng.usize(side));
        place -= usize::from(before);
        changed = true;
    }
    for _ in 0..insert {
        let falls_there = |at: usize| (at < place) == (side == Side::Before);
        if !world.generate_at(falls_there) {
            break;
        }
        place += usize::from(side == Side::Before);
        changed = true;
    }
    changed
}

const LOGIN_PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>\
    <form method=\"post\" action=\"/login\"><input name=\"user\"><input name=\"password\" type=\"password\">\
    </form></body></html>\n";

/// The answer that a fault gives in place of the provider's, if that is what it does.
pub(crate) fn instead(fault: &Fault, vendor: &dyn Vendor, incoming: &mut Incoming) -> Option<Reply> {
    let mut error = |status: StatusCode, body: ErrorBody, retry_after: Option<&RetryAfter>| {
        let reply = match body {
            ErrorBody::Vendor => {
                incoming.tweak = Tweak::refuse(status);
                vendor.answer(incoming)
            }
            ErrorBody::Html => html(status, &error_page(status)),
            ErrorBody::Empty => Reply::empty(status),
        };
        match retry_after {
            Some(wait) => reply.with("retry-after", &text(wait)),
            None => reply,
        }
    };
    match fault {
        Fault::TooManyRequests { retry_after } => {
            Some(error(StatusCode::TOO_MANY_REQUESTS, ErrorBody::Vendor, retry_after.as_ref()))
        }
        Fault::Status { status, body, retry_after } => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Some(error(status, *body, retry_after.as_ref()))
        }
        Fault::TokenEndpointDown => Some(error(StatusCode::SERVICE_UNAVAILABLE, ErrorBody::Vendor, None)),
        Fault::HtmlOk => Some(html(StatusCode::OK, LOGIN_PAGE)),
        Fault::NoContent => Some(Reply::empty(StatusCode::NO_CONTENT)),
        Fault::Redirect { to } => Some(Reply::empty(StatusCode::FOUND).with("location", to)),
        _ => None,
    }
}

fn text(wait: &RetryAfter) -> String {
    match wait {
        RetryAfter::Seconds(seconds) => seconds.to_string(),
        RetryAfter::Date(seconds) => {
            let ahead = TimeDelta::try_seconds(*seconds).unwrap_or_default();
            clock::http_date(clock::now_ahead(ahead))
        }
        RetryAfter::Text(text) => text.clone(),
    }
}

fn html(status: StatusCode, page: &str) -> Reply {
    let mut reply = Reply::text(status, page);
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    reply.headers.insert(CONTENT_TYPE, kind);
    reply
}

/// As nginx writes it.
fn error_page(status: StatusCode) -> String {
    let title = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or("Error"));
    format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
         <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
}

/// Something that only the provider can do. It says so when it has done it.
#[derive(Debug, Default)]
pub(crate) struct Tweak {
    what: What,
    done: AtomicBool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum What {
    #[default]
    Nothing,
    Refuse(StatusCode),
    ShortPage,
    EmptyPage,
    Clock(TimeDelta),
}

impl Tweak {
    pub(crate) fn refuse(status: StatusCode) -> Self {
        Self::new(What::Refuse(status))
    }

    pub(crate) fn short_page() -> Self {
        Self::new(What::ShortPage)
    }

    pub(crate) fn empty_page() -> Self {
        Self::new(What::EmptyPage)
    }

    pub(crate) fn clock(ahead: TimeDelta) -> Self {
        Self::new(What::Clock(ahead))
    }

    fn new(what: What) -> Self {
        Self { what, done: AtomicBool::new(false) }
    }

    /// Whether the provider has done it.
    pub(crate) fn is_done(&self) -> bool {
        self.done.load(Ordering::Relaxed)
    }

    /// The status to refuse the request with, whatever it asks for.
    pub(crate) fn refusal(&self) -> Option<StatusCode> {
        match self.what {
            What::Refuse(status) => Some(status),
            _ => None,
        }
    }

    /// How far the clock that judges this request is ahead.
    pub(crate) fn clock_ahead(&self) -> TimeDelta {
        match self.what {
            What::Clock(ahead) => {
                self.set_done();
                ahead
            }
            _ => TimeDelta::zero(),
        }
    }

    /// Takes rows from the end of a page, half or all of them; true if it did, so that more follow.
    pub(crate) fn cut<T>(&self, rows: &mut Vec<T>) -> bool {
        let left = match self.what {
            What::ShortPage => rows.len().div_ceil(2),
            What::EmptyPage => 0,
            _ => return false,
        };
        if left >= rows.len() {
            return false;
        }
        rows.truncate(left);
        self.set_done();
        true
    }

    fn set_done(&self) {
        self.done.store(true, Ordering::Relaxed);
    }
}
