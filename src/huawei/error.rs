use serde_json::Value;

use crate::{
    Error, ErrorKind, Retryability,
    http::{ApiResponse, ErrorResponse, header},
};

/// Codes of which the reference says to try again later: a concurrent modification, and two that the service
/// has while it obtains the right to act. That nothing was done then is an assumption.
const PASSING: [&str; 3] = ["Organizations.1003", "Organizations.1004", "Organizations.1006"];

/// The error, with [`Retryability::Retryable`] if its code says that another try may help: the status alone does not.
pub(super) fn passing(error: Error) -> Error {
    let passing = error.code().is_some_and(|code| PASSING.contains(&code));
    if passing && error.retryability() == Retryability::Never {
        error.with_retryability(Retryability::Retryable)
    } else {
        error
    }
}

/// Reads a failure: `{error_code, error_msg}`, its other spellings, and the same nested, as IAM does.
///
/// A 401 here is often none of the credentials' fault, so the code's prefix tells what it is about:
/// `APIGW.` and `APIG.` come from the gateway, `Organizations.` from the service.
pub(super) fn read(response: &ApiResponse, own_clock: &str) -> ErrorResponse {
    let body = response.body.json::<Value>();
    let (code, message) = body.as_ref().and_then(find).unwrap_or_default();
    let mut message = message.or_else(|| response.body.plain_text());
    let status = response.status.as_u16();
    let kind = match (status, code.as_deref()) {
        (401, Some("Organizations.1015")) => Some(ErrorKind::NotFound),
        (401, Some(code)) if code.starts_with("Organizations.") => Some(ErrorKind::PermissionDenied),
        _ => None,
    };
    if let Some(text) = message.as_mut().filter(|text| text.contains("signature expired")) {
        let theirs = header(&response.headers, &["date"]).unwrap_or_else(|| "not told".into());
        *text = format!(
            "{text}; the date of the request must be within 15 minutes of the server's: this machine's \
             clock says {own_clock}, the server's {theirs}"
        );
    }
    let request_id = header(&response.headers, &["x-request-id"])
        .or_else(|| Some(body.as_ref()?.get("request_id")?.as_str()?.to_owned()));
    ErrorResponse { kind, code, message, request_id, ..ErrorResponse::default() }
}

type Found = (Option<String>, Option<String>);

/// The code and message in `body`, at the top or in a member that is an object.
fn find(body: &Value) -> Option<Found> {
    let members = body.as_object()?;
    for (code, message) in [("error_code", "error_msg"), ("errorCode", "errorMsg"), ("code", "message")] {
        let text = |name: &str| match members.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let found = (text(code), text(message));
        if found.0.is_some() || found.1.is_some() {
            return Some(found);
        }
    }
    members.values().filter(|value| value.is_object()).find_map(find)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};

    use super::*;

    fn parse_error(status: u16, body: &str) -> ErrorResponse {
        let response = ApiResponse {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: bytes::Bytes::from(body.to_owned()).into(),
        };
        read(&response, "20260102T030405Z")
    }

    #[test]
    fn every_shape_of_error_is_read() {
        for (body, code, message) in [
            (r#"{"error_code":"Organizations.1008","error_msg":"bad"}"#, Some("Organizations.1008"), "bad"),
            (r#"{"errorCode":"X.1","errorMsg":"bad"}"#, Some("X.1"), "bad"),
            (r#"{"error":{"code":403,"message":"bad","title":"Forbidden"}}"#, Some("403"), "bad"),
            ("bad", None, "bad"),
        ] {
            let problem = parse_error(400, body);
            assert_eq!(
                (problem.code.as_deref(), problem.message.as_deref()),
                (code, Some(message)),
                "{body}"
            );
        }
        assert!(parse_error(502, "<html>Bad Gateway</html>").message.is_none());
    }

    #[test]
    fn what_the_reference_says_to_try_again_is_safe_to_try_again() {
        let retry = |code: &str, retry| {
            let error =
                Error::new(ErrorKind::Api, "x").with_code(Some(code.to_owned())).with_retryability(retry);
            passing(error).retryability()
        };
        for code in PASSING {
            assert_eq!(retry(code, Retryability::Never), Retryability::Retryable, "{code}");
            assert_eq!(retry(code, Retryability::MaybeApplied), Retryability::MaybeApplied, "{code}");
        }
        assert_eq!(retry("Organizations.1005", Retryability::Never), Retryability::Never);
    }

    #[test]
    fn a_401_is_classified_by_its_code() {
        let kind =
            |code: &str| parse_error(401, &format!(r#"{{"error_code":"{code}","error_msg":"x"}}"#)).kind;
        assert_eq!(kind("Organizations.1002"), Some(ErrorKind::PermissionDenied));
        assert_eq!(kind("Organizations.1015"), Some(ErrorKind::NotFound));
        assert_eq!(kind("APIGW.0301"), None);
    }
}
