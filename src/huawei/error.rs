//! Error responses: their code and message, and how the code affects classification and retries.

use serde_json::Value;

use crate::{
    Error, ErrorKind, Retryability,
    http::{ApiResponse, ErrorResponse, header_text},
};

/// Codes for which the reference recommends trying again later: a concurrent modification, and two that the
/// service returns while it obtains permission to act. That the request was not applied is an assumption.
const TRANSIENT_CODES: [&str; 3] = ["Organizations.1003", "Organizations.1004", "Organizations.1006"];

/// Marks the error as [`Retryability::Retryable`] if its code is transient. The status alone does not
/// indicate it.
pub(super) fn mark_retryable(error: Error) -> Error {
    let transient = error.code().is_some_and(|code| TRANSIENT_CODES.contains(&code));
    if transient && error.retryability() == Retryability::Never {
        error.with_retryability(Retryability::Retryable)
    } else {
        error
    }
}

/// Parses an error response: `{error_code, error_msg}`, the other spellings of both, and both nested in an
/// object, as IAM returns them.
///
/// A 401 does not always mean invalid credentials, so it is classified by the prefix of the code: `APIGW.`
/// and `APIG.` are returned by the gateway, `Organizations.` by the service.
pub(super) fn parse(response: &ApiResponse, local_time: &str) -> ErrorResponse {
    let body = response.body.json::<Value>();
    let (code, message) = body.as_ref().and_then(find_code_and_message).unwrap_or_default();
    let mut message = message.or_else(|| response.body.plain_text());
    let status = response.status.as_u16();
    let kind = match (status, code.as_deref()) {
        (401, Some("Organizations.1015")) => Some(ErrorKind::NotFound),
        (401, Some(code)) if code.starts_with("Organizations.") => Some(ErrorKind::PermissionDenied),
        _ => None,
    };
    if let Some(text) = message.as_mut().filter(|text| text.contains("signature expired")) {
        let server_time = header_text(&response.headers, &["date"]).unwrap_or_else(|| "unknown".into());
        *text = format!(
            "{text}; the request's date must be within 15 minutes of the server's: this machine's clock says \
             {local_time}, the server's {server_time}"
        );
    }
    let request_id = header_text(&response.headers, &["x-request-id"])
        .or_else(|| Some(body.as_ref()?.get("request_id")?.as_str()?.to_owned()));
    ErrorResponse { kind, code, message, request_id, ..ErrorResponse::default() }
}

type CodeAndMessage = (Option<String>, Option<String>);

/// Returns the code and message in `body`, at the top level or in a member that is an object.
fn find_code_and_message(body: &Value) -> Option<CodeAndMessage> {
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
    members.values().filter(|value| value.is_object()).find_map(find_code_and_message)
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
        parse(&response, "20260102T030405Z")
    }

    #[test]
    fn all_body_formats_are_parsed() {
        for (body, code, message) in [
            (r#"{"error_code":"Organizations.1008","error_msg":"bad"}"#, Some("Organizations.1008"), "bad"),
            (r#"{"errorCode":"X.1","errorMsg":"bad"}"#, Some("X.1"), "bad"),
            (r#"{"error":{"code":403,"message":"bad","title":"Forbidden"}}"#, Some("403"), "bad"),
            ("bad", None, "bad"),
        ] {
            let error = parse_error(400, body);
            assert_eq!((error.code.as_deref(), error.message.as_deref()), (code, Some(message)), "{body}");
        }
        assert!(parse_error(502, "<html>Bad Gateway</html>").message.is_none());
    }

    #[test]
    fn transient_codes_are_retryable() {
        let retryability = |code: &str, initial| {
            let error =
                Error::new(ErrorKind::Api, "x").with_code(Some(code.to_owned())).with_retryability(initial);
            mark_retryable(error).retryability()
        };
        for code in TRANSIENT_CODES {
            assert_eq!(retryability(code, Retryability::Never), Retryability::Retryable, "{code}");
            assert_eq!(retryability(code, Retryability::MaybeApplied), Retryability::MaybeApplied, "{code}");
        }
        assert_eq!(retryability("Organizations.1005", Retryability::Never), Retryability::Never);
    }

    #[test]
    fn status_401_is_classified_by_code() {
        let kind =
            |code: &str| parse_error(401, &format!(r#"{{"error_code":"{code}","error_msg":"x"}}"#)).kind;
        assert_eq!(kind("Organizations.1002"), Some(ErrorKind::PermissionDenied));
        assert_eq!(kind("Organizations.1015"), Some(ErrorKind::NotFound));
        assert_eq!(kind("APIGW.0301"), None);
    }
}
