//! Valid and invalid server certificates, over real TLS.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use futures::TryStreamExt;
use headcount::{Account, AnyPaginator, Error, ErrorKind, Retryability, annature, http::RetryPolicy};
use headcount_sim as sim;

use super::tls_server::{Authority, ServerCertificate, TlsProxy};
use crate::kit::{self, Setup};

const HOST: &str = "127.0.0.1";
const SIZE: usize = 7;

/// Returns a client that trusts only this authority, as an application may build it.
fn trusting(authority: &Authority) -> reqwest::Client {
    let certificate = reqwest::Certificate::from_der(authority.certificate()).unwrap();
    let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    builder.tls_certs_only([certificate]).build().unwrap()
}

fn short_delays() -> RetryPolicy {
    RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(1))
}

/// A listing at a provider through a TLS proxy, and a secret that must not be sent.
struct Case {
    list: AnyPaginator<Account>,
    proxy: TlsProxy,
    secret: String,
}

async fn cases(
    sims: &sim::Simulators,
    certificate: Option<&ServerCertificate>,
    client: &reqwest::Client,
) -> Vec<Case> {
    let mut cases = Vec::new();
    for server in sims.iter() {
        let proxy = match certificate {
            Some(certificate) => TlsProxy::with_tls(server, certificate).await,
            None => TlsProxy::without_tls(server).await,
        };
        let setup =
            Setup { url: Some(proxy.url.clone()), ..Setup::http(client.clone()).retry(short_delays()) };
        let list = kit::client(server, &setup).list(100);
        cases.push(Case { list, proxy, secret: server.secrets().swap_remove(0) });
    }
    cases
}

/// Lists, and returns the expected error.
async fn list_error(list: AnyPaginator<Account>) -> Error {
    list.items().try_collect::<Vec<_>>().await.expect_err("an error")
}

/// Asserts that the client rejected the certificate in its first attempt and sent nothing.
fn assert_rejected(error: &Error, proxy: &TlsProxy, reason: &str) {
    assert_eq!((error.kind(), error.retryability()), (ErrorKind::Transport, Retryability::Never), "{error}");
    assert!(error.message().starts_with("invalid server certificate"), "{error}");
    assert!(error.message().contains(reason), "{reason:?} is not in: {error}");
    let received = proxy.received();
    assert_eq!((error.attempts(), received.connections), (1, 1), "it is not retried");
    assert_eq!(String::from_utf8_lossy(&received.bytes), "", "nothing was sent");
}

#[tokio::test]
async fn custom_authority_is_accepted() {
    let sims = sim::Simulators::start(SIZE, 1).await.unwrap();
    let authority = Authority::new("ours");
    let valid = authority.issue(HOST);
    for Case { list, proxy, secret } in cases(&sims, Some(&valid), &trusting(&authority)).await {
        let accounts: Vec<_> = list.items().try_collect().await.unwrap();
        assert_eq!(accounts.len(), SIZE);
        // Shows that the other tests would find a secret that was sent.
        assert!(String::from_utf8_lossy(&proxy.received().bytes).contains(&secret));
    }
}

#[tokio::test]
async fn invalid_certificate_is_rejected_unsent() {
    let sims = sim::Simulators::start(SIZE, 1).await.unwrap();
    let authority = Authority::new("ours");
    for (invalid, reason) in [
        (authority.issue("accounts.example"), "not valid for name \"127.0.0.1\""),
        (authority.issue("127.0.0.2"), "not valid for name \"127.0.0.1\""),
        (authority.issue_expired(HOST), "certificate expired"),
        (Authority::new("theirs").issue(HOST), "UnknownIssuer"),
        (Authority::new("ours").issue(HOST), "BadSignature"),
        (ServerCertificate::self_signed(HOST), "invalid peer certificate"),
    ] {
        for Case { list, proxy, .. } in cases(&sims, Some(&invalid), &trusting(&authority)).await {
            assert_rejected(&list_error(list).await, &proxy, reason);
        }
    }
}

#[tokio::test]
async fn unknown_issuer_is_rejected_by_default() {
    let server = sim::Annature::builder().accounts(SIZE).start().await.unwrap();
    for invalid in [Authority::new("ours").issue(HOST), ServerCertificate::self_signed(HOST)] {
        let proxy = TlsProxy::with_tls(&server, &invalid).await;
        let builder = annature::Client::builder().id(server.id()).key(server.key()).base_url(&proxy.url);
        let client = builder.retry(short_delays()).build().unwrap();
        assert_rejected(
            &list_error(client.list_accounts().into_accounts()).await,
            &proxy,
            "peer certificate",
        );
    }
}

#[tokio::test]
async fn server_without_tls_gets_no_credential() {
    let sims = sim::Simulators::start(SIZE, 1).await.unwrap();
    for Case { list, proxy, secret } in cases(&sims, None, &trusting(&Authority::new("ours"))).await {
        let error = list_error(list).await;
        // Retried, because it may be a temporary intermediary.
        assert_eq!(
            (error.kind(), error.retryability()),
            (ErrorKind::Transport, Retryability::Exhausted),
            "{error}"
        );
        let received = proxy.received();
        assert_eq!((error.attempts(), received.connections), (4, 4));
        assert!(
            !received.bytes.is_empty() && !received.bytes.windows(5).any(|bytes| bytes == b"HTTP/"),
            "only TLS is sent"
        );
        assert!(!String::from_utf8_lossy(&received.bytes).contains(&secret));
    }
}

/// The default transport, in the example program as users run it.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn issuer_in_ssl_cert_file_is_trusted() {
    use crate::examples::{example, run};

    let server = sim::Annature::builder().accounts(SIZE).start().await.unwrap();
    let authority = Authority::new("ours");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("authority.pem");
    let text = BASE64_STANDARD.encode(authority.certificate());
    std::fs::write(&file, format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"))
        .unwrap();
    for (certificate, rejected) in [
        (authority.issue(HOST), None),
        (authority.issue("accounts.example"), Some("not valid for name")),
        (authority.issue_expired(HOST), Some("certificate expired")),
        (Authority::new("theirs").issue(HOST), Some("UnknownIssuer")),
    ] {
        let proxy = TlsProxy::with_tls(&server, &certificate).await;
        let mut list = example("list_accounts");
        list.args(["--format", "ndjson"]).env("SSL_CERT_FILE", &file).env_remove("SSL_CERT_DIR");
        list.envs(server.env()).env("ANNATURE_BASE_URL", &proxy.url);
        let (code, out, err) = tokio::task::spawn_blocking(move || run(&mut list)).await.unwrap();
        let Some(reason) = rejected else {
            assert_eq!((code, out.lines().count()), (Some(0), SIZE), "{err}");
            continue;
        };
        assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
        assert!(err.contains("invalid server certificate") && err.contains(reason), "{err}");
        let received = proxy.received();
        assert_eq!((received.connections, received.bytes.len()), (1, 0), "one attempt, and nothing was sent");
    }
}
