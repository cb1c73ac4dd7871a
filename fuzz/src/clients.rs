//! A client of each provider, with secrets that nothing may show and as few retries as there can be.

use std::time::Duration;

use headcount::{annature, fortanix, http::RetryPolicy, huawei, sailpoint};

use crate::server::Server;

/// Stands in every secret that [`fortanix`], [`huawei`], [`annature`] and [`sailpoint`] give, and in the values of
/// bad rows: nothing may ever show it.
pub const CANARY: &str = "hunter2";

/// One more attempt than none, soon after the first.
pub fn policy() -> RetryPolicy {
    RetryPolicy::default().attempts(2).backoff(Duration::from_millis(1), Duration::from_millis(1))
}

pub fn fortanix(server: &Server) -> fortanix::Client {
    let builder = fortanix::Client::builder().token("token-hunter2").transport(server.clone());
    builder.retry(policy()).build().expect("a token and a URL are all it needs")
}

pub fn huawei(server: &Server) -> huawei::Client {
    let builder = huawei::Client::builder("access", "secret-hunter2").security_token("temporary-hunter2");
    builder.transport(server.clone()).retry(policy()).build().expect("a key and a URL are all it needs")
}

pub fn annature(server: &Server) -> annature::Client {
    let builder = annature::Client::builder("id", "key-hunter2").partner_key("partner-hunter2");
    builder.transport(server.clone()).retry(policy()).build().expect("a key and a URL are all it needs")
}

pub fn sailpoint(server: &Server) -> sailpoint::Client {
    let builder = sailpoint::Client::builder("https://acme.example").token("token-hunter2");
    let builder = builder.transport(server.clone()).rate_limit(None).retry(policy());
    builder.build().expect("a token and a URL are all it needs")
}
