//! Answers that take the place of the provider's.

use chrono::TimeDelta;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};

use super::{ErrorBody, Fault, RetryAfter, Tweak};
use crate::clock;
use crate::exchange::{Incoming, Reply};
use crate::gate::Vendor;

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
