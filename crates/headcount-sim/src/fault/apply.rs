//! Faults that change the request or the provider, or that replace the response.

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};

use super::{ErrorBody, Fault, RetryAfter, Side};
use crate::message::{SimRequest, SimResponse};
use crate::pipeline::{ProviderSim, lock};
use crate::world::World;
use crate::{clock, rng};

/// Applies a fault to the request or to the provider, before the provider responds.
///
/// Returns true if the fault was applied completely. Returns false if it does not apply here, or if the
/// provider has yet to apply its [`ResponseOverride`].
pub(crate) fn apply_to_request(
    fault: &Fault,
    provider: &dyn ProviderSim,
    request: &mut SimRequest,
    seed: u64,
) -> bool {
    match *fault {
        Fault::TokenExpiredEarly => return provider.expire_token(request),
        Fault::ClockSkew { seconds } => {
            request.overrides =
                ResponseOverride::skewed_clock(TimeDelta::try_seconds(seconds).unwrap_or_default());
        }
        Fault::ShortPage => request.overrides = ResponseOverride::short_page(),
        Fault::EmptyPageWithMarker if provider.has_empty_pages(request) => {
            request.overrides = ResponseOverride::empty_page();
        }
        Fault::ConcurrentChange { remove, insert, side } if provider.is_list(request) => {
            let mut world = lock(provider.world(request));
            let position = provider.start_position(request, &world).min(world.len());
            return change_accounts(&mut world, position, side, (remove, insert), seed);
        }
        _ => {}
    }
    false
}

/// Removes and inserts accounts on one side of a position. Returns whether anything changed.
fn change_accounts(
    world: &mut World,
    mut position: usize,
    side: Side,
    (remove, insert): (usize, usize),
    seed: u64,
) -> bool {
    let rng = &mut rng::seeded(seed, 1);
    let mut changed = false;
    for _ in 0..remove {
        let range = match side {
            Side::Before => 0..position,
            Side::After => position..world.len(),
        };
        if range.is_empty() {
            break;
        }
        let before = range.end <= position;
        world.remove_at(rng.usize(range));
        position -= usize::from(before);
        changed = true;
    }
    for _ in 0..insert {
        let is_on_side = |candidate: usize| (candidate < position) == (side == Side::Before);
        if !world.generate_at(is_on_side) {
            break;
        }
        position += usize::from(side == Side::Before);
        changed = true;
    }
    changed
}

const LOGIN_PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>\
    <form method=\"post\" action=\"/login\"><input name=\"user\"><input name=\"password\" type=\"password\">\
    </form></body></html>\n";

/// Returns the response that replaces the provider's, if the fault has one.
pub(crate) fn replacement_response(
    fault: &Fault,
    provider: &dyn ProviderSim,
    request: &mut SimRequest,
) -> Option<SimResponse> {
    let mut error = |status: StatusCode, body: ErrorBody, retry_after: Option<&RetryAfter>| {
        let response = match body {
            ErrorBody::Vendor => {
                request.overrides = ResponseOverride::status(status);
                provider.respond(request)
            }
            ErrorBody::Html => html(status, &nginx_error_page(status)),
            ErrorBody::Empty => SimResponse::empty(status),
        };
        match retry_after {
            Some(retry_after) => response.with("retry-after", &header_value(retry_after)),
            None => response,
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
        Fault::HtmlPage => Some(html(StatusCode::OK, LOGIN_PAGE)),
        Fault::NoContent => Some(SimResponse::empty(StatusCode::NO_CONTENT)),
        Fault::Redirect { to } => Some(SimResponse::empty(StatusCode::FOUND).with("location", to)),
        _ => None,
    }
}

fn header_value(retry_after: &RetryAfter) -> String {
    match retry_after {
        RetryAfter::Seconds(seconds) => seconds.to_string(),
        RetryAfter::Date(seconds) => {
            let offset = TimeDelta::try_seconds(*seconds).unwrap_or_default();
            clock::http_date(clock::now_plus(offset))
        }
        RetryAfter::Text(text) => text.clone(),
    }
}

fn html(status: StatusCode, page: &str) -> SimResponse {
    let mut response = SimResponse::text(status, page);
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers.insert(CONTENT_TYPE, html);
    response
}

/// Returns an error page in the format of nginx.
fn nginx_error_page(status: StatusCode) -> String {
    let title = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or("Error"));
    format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
         <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
}

/// A change of the response that only the provider can make. Records whether the provider made it.
#[derive(Debug, Default)]
pub(crate) struct ResponseOverride {
    kind: OverrideKind,
    applied: AtomicBool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum OverrideKind {
    #[default]
    None,
    Status(StatusCode),
    ShortPage,
    EmptyPage,
    ClockSkew(TimeDelta),
}

impl ResponseOverride {
    pub(crate) fn status(status: StatusCode) -> Self {
        Self::new(OverrideKind::Status(status))
    }

    pub(crate) fn short_page() -> Self {
        Self::new(OverrideKind::ShortPage)
    }

    pub(crate) fn empty_page() -> Self {
        Self::new(OverrideKind::EmptyPage)
    }

    pub(crate) fn skewed_clock(skew: TimeDelta) -> Self {
        Self::new(OverrideKind::ClockSkew(skew))
    }

    fn new(kind: OverrideKind) -> Self {
        Self { kind, applied: AtomicBool::new(false) }
    }

    /// Returns whether the provider has applied the override.
    pub(crate) fn is_applied(&self) -> bool {
        self.applied.load(Ordering::Relaxed)
    }

    /// Returns the error status to respond with, for any request.
    pub(crate) fn forced_status(&self) -> Option<StatusCode> {
        match self.kind {
            OverrideKind::Status(status) => Some(status),
            _ => None,
        }
    }

    /// Returns how far the clock that validates this request is ahead.
    pub(crate) fn clock_skew(&self) -> TimeDelta {
        match self.kind {
            OverrideKind::ClockSkew(skew) => {
                self.mark_applied();
                skew
            }
            _ => TimeDelta::zero(),
        }
    }

    /// Removes half or all of the rows from the end of a page. Returns whether it removed any.
    pub(crate) fn shorten<T>(&self, rows: &mut Vec<T>) -> bool {
        let kept = match self.kind {
            OverrideKind::ShortPage => rows.len().div_ceil(2),
            OverrideKind::EmptyPage => 0,
            _ => return false,
        };
        if kept >= rows.len() {
            return false;
        }
        rows.truncate(kept);
        self.mark_applied();
        true
    }

    fn mark_applied(&self) {
        self.applied.store(true, Ordering::Relaxed);
    }
}
