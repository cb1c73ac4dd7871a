//! Error responses of the gateway and of the service.

use http::StatusCode;
use serde_json::json;

use crate::message::SimResponse;

/// The reason why a request is rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ApiError {
    /// There is no such API or method.
    NoSuchApi,
    /// Authentication failed. The detail is documented for some cases.
    Authentication(String),
    NoDomainId,
    NotManagementAccount,
    NeitherManagementAccountNorDelegate,
    ConcurrentModification,
    /// With the denied IAM action.
    PolicyDenies(&'static str),
    BadParameter(String),
    NoSuchParent,
    NoSuchAccount,
    NoSuchCreation,
    /// With the name of the quota.
    QuotaExceeded(String),
    NotPossible(String),
    BeingClosed,
    /// Injected by a fault. 429 is the throttle, whose text is documented.
    Injected(StatusCode),
}

impl ApiError {
    pub(crate) fn response(&self, request_id: &str) -> SimResponse {
        let (status, code, message) = match self {
            Self::NoSuchApi => (
                StatusCode::NOT_FOUND,
                "APIGW.0101",
                "The API does not exist or has not been published in the environment".to_owned(),
            ),
            Self::Authentication(detail) => (
                StatusCode::UNAUTHORIZED,
                "APIGW.0301",
                format!("Incorrect IAM authentication information: {detail}"),
            ),
            Self::NoDomainId => (
                StatusCode::NOT_FOUND,
                "Organizations.1010",
                "required HTTP header not found: X-Domain-Id".to_owned(),
            ),
            Self::NotManagementAccount => (
                StatusCode::UNAUTHORIZED,
                "Organizations.1001",
                "can be called only from the management account".to_owned(),
            ),
            Self::NeitherManagementAccountNorDelegate => (
                StatusCode::UNAUTHORIZED,
                "Organizations.1002",
                "can be called only from the management account or a delegated administrator".to_owned(),
            ),
            Self::ConcurrentModification => (
                StatusCode::CONFLICT,
                "Organizations.1003",
                "Concurrent modification.".to_owned(),
            ),
            Self::PolicyDenies(action) => (
                StatusCode::FORBIDDEN,
                "Organizations.1007",
                format!("Policy does not allow '{action}' to be performed."),
            ),
            Self::BadParameter(message) => (StatusCode::BAD_REQUEST, "Organizations.1014", message.clone()),
            Self::NoSuchParent => (
                StatusCode::NOT_FOUND,
                "Organizations.1201",
                "parent not found".to_owned(),
            ),
            Self::NoSuchAccount => (
                StatusCode::NOT_FOUND,
                "Organizations.1301",
                "account not found".to_owned(),
            ),
            Self::NoSuchCreation => (
                StatusCode::NOT_FOUND,
                "Organizations.1304",
                "create account status not found".to_owned(),
            ),
            Self::QuotaExceeded(quota) => (
                StatusCode::BAD_REQUEST,
                "Organizations.1302",
                format!("quota exceeded: {quota}"),
            ),
            Self::NotPossible(message) => (StatusCode::BAD_REQUEST, "Organizations.1303", message.clone()),
            Self::BeingClosed => (
                StatusCode::BAD_REQUEST,
                "Organizations.1325",
                "the account is being closed".to_owned(),
            ),
            Self::Injected(StatusCode::TOO_MANY_REQUESTS) => (
                StatusCode::TOO_MANY_REQUESTS,
                "APIGW.0308",
                "The throttling threshold has been reached: policy user over ratelimit,limit:200,time:1 second"
                    .to_owned(),
            ),
            Self::Injected(status) => (
                *status,
                match *status {
                    StatusCode::INTERNAL_SERVER_ERROR => "APIGW.0601",
                    _ => "APIGW.0201",
                },
                status.canonical_reason().unwrap_or("Error").to_owned(),
            ),
        };
        let mut body = json!({"error_msg": message, "error_code": code});
        // Only the gateway includes the request id in the body.
        if code.starts_with("APIGW.")
            && let Some(body) = body.as_object_mut()
        {
            body.insert("request_id".to_owned(), json!(request_id));
        }
        SimResponse::json(status, &body)
    }
}
