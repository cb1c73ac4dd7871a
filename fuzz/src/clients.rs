//! A client of each provider, with recognisable secrets and a single retry.

use std::time::Duration;

use headcount::{annature, fortanix, http::RetryPolicy, huawei, sailpoint};

use crate::server::Server;

/// Part of every secret of the clients below, and of the values of bad rows. It must never appear in output.
pub const CANARY: &str = "hunter2";

/// Returns a policy with two attempts and a minimal backoff.
pub fn policy() -> RetryPolicy {
    RetryPolicy::default().attempts(2).backoff(Duration::from_millis(1), Duration::from_millis(1))
}

pub fn fortanix(server: &Server) -> fortanix::Client {
    let builder = fortanix::Client::builder().token("token-hunter2").transport(server.clone());
    builder.retry(policy()).build().expect("a token and a URL suffice")
}

pub fn huawei(server: &Server) -> huawei::Client {
    let builder = huawei::Client::builder()
        .access_key("access")
        .secret_key("secret-hunter2")
        .security_token("temporary-hunter2");
    builder.transport(server.clone()).retry(policy()).build().expect("a key and a URL suffice")
}

pub fn annature(server: &Server) -> annature::Client {
    let builder = annature::Client::builder().id("id").key("key-hunter2").partner_key("partner-hunter2");
    builder.transport(server.clone()).retry(policy()).build().expect("a key and a URL suffice")
}

pub fn sailpoint(server: &Server) -> sailpoint::Client {
    let builder = sailpoint::Client::builder().base_url("https://acme.example").token("token-hunter2");
    let builder = builder.transport(server.clone()).rate_limit(None).retry(policy());
    builder.build().expect("a token and a URL suffice")
}
