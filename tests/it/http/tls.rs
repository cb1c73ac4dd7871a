//! Certificates, good and bad, over real TLS.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use futures::TryStreamExt;
use headcount::{
    Account, AnyPaginator, Error, ErrorKind, Paginator, Retryability, annature, http::RetryPolicy,
};
use headcount_sim as sim;

use super::tls_front::{Authority, Front, Identity};
use crate::kit::{self, Setup};

const HERE: &str = "127.0.0.1";
const SIZE: usize = 7;

/// A client as an application builds it that has an authority of its own.
fn trusting(authority: &Authority) -> reqwest::Client {
    let certificate = reqwest::Certificate::from_der(authority.certificate()).unwrap();
    let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    builder.tls_certs_only([certificate]).build().unwrap()
}

fn hasty() -> RetryPolicy {
    RetryPolicy::default().backoff(Duration::from_millis(1), Duration::from_millis(1))
}

/// A provider behind such a certificate, with a list and what must not be seen.
struct Case {
    list: AnyPaginator<Account>,
    front: Front,
    secret: String,
}

async fn cases(sims: &sim::Simulators, shown: Option<&Identity>, client: &reqwest::Client) -> Vec<Case> {
    let mut cases = Vec::new();
    for server in sims.iter() {
        let front = match shown {
            Some(identity) => Front::with_tls(server, identity).await,
            None => Front::without_tls(server).await,
        };
        let setup = Setup { url: Some(front.url.clone()), ..Setup::http(client.clone()).retry(hasty()) };
        let list = kit::client(server, &setup).list(100);
        cases.push(Case { list, front, secret: server.secrets().swap_remove(0) });
    }
    cases
}

/// Lists, and gives the error that must come of it.
async fn refusal(list: AnyPaginator<Account>) -> Error {
    list.items().try_collect::<Vec<_>>().await.expect_err("no account comes")
}

/// The client was refused the list by its own judgement of the certificate, and at once.
fn assert_refused(error: &Error, front: &Front, says: &str) {
    assert_eq!((error.kind(), error.retryability()), (ErrorKind::Transport, Retryability::Never), "{error}");
    assert!(error.message().starts_with("the server's certificate is refused"), "{error}");
    assert!(error.message().contains(says), "{says:?} is not in: {error}");
    let seen = front.seen();
    assert_eq!((error.attempts(), seen.connections), (1, 1), "another attempt changes no certificate");
    assert_eq!(String::from_utf8_lossy(&seen.read), "", "nothing was sent");
}

#[tokio::test]
async fn a_good_certificate_of_the_applications_own_authority_is_taken() {
    let sims = sim::Simulators::start(SIZE, 1).await.unwrap();
    let authority = Authority::new("ours");
    let good = authority.issue(HERE);
    for Case { list, front, secret } in cases(&sims, Some(&good), &trusting(&authority)).await {
        let accounts: Vec<_> = list.items().try_collect().await.unwrap();
        assert_eq!(accounts.len(), SIZE);
        // So that what the other tests do not find would be found.
        assert!(String::from_utf8_lossy(&front.seen().read).contains(&secret));
    }
}

#[tokio::test]
async fn a_bad_certificate_is_refused_before_any_credential_is_sent() {
    let sims = sim::Simulators::start(SIZE, 1).await.unwrap();
    let authority = Authority::new("ours");
    for (bad, says) in [
        (authority.issue("accounts.example"), "not valid for name \"127.0.0.1\""),
        (authority.issue("127.0.0.2"), "not valid for name \"127.0.0.1\""),
        (authority.issue_expired(HERE), "certificate expired"),
        (Authority::new("theirs").issue(HERE), "UnknownIssuer"),
        (Authority::new("ours").issue(HERE), "BadSignature"),
        (Identity::self_signed(HERE), "invalid peer certificate"),
    ] {
        for Case { list, front, .. } in cases(&sims, Some(&bad), &trusting(&authority)).await {
            assert_refused(&refusal(list).await, &front, says);
        }
    }
}

#[tokio::test]
async fn by_default_an_issuer_that_the_system_does_not_know_is_refused() {
    let server = sim::Annature::builder().accounts(SIZE).start().await.unwrap();
    for bad in [Authority::new("ours").issue(HERE), Identity::self_signed(HERE)] {
        let front = Front::with_tls(&server, &bad).await;
        let builder = annature::Client::builder(server.id(), server.key()).base_url(&front.url);
        let client = builder.retry(hasty()).build().unwrap();
        assert_refused(&refusal(client.list_accounts().into_accounts()).await, &front, "peer certificate");
    }
}

#[tokio::test]
async fn a_server_without_tls_is_sent_no_credential() {
    let sims = sim::Simulators::start(SIZE, 1).await.unwrap();
    for Case { list, front, secret } in cases(&sims, None, &trusting(&Authority::new("ours"))).await {
        let error = refusal(list).await;
        // Whatever answers there may be in the way for a while: it is tried again.
        assert_eq!(
            (error.kind(), error.retryability()),
            (ErrorKind::Transport, Retryability::Exhausted),
            "{error}"
        );
        let seen = front.seen();
        assert_eq!((error.attempts(), seen.connections), (4, 4));
        assert!(
            !seen.read.is_empty() && !seen.read.windows(5).any(|bytes| bytes == b"HTTP/"),
            "only TLS is spoken"
        );
        assert!(!String::from_utf8_lossy(&seen.read).contains(&secret));
    }
}

/// The transport that applications have by default, in the program as its users run it.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_authority_in_ssl_cert_file_is_trusted_and_judged_as_strictly() {
    use crate::program::{program, run};

    let server = sim::Annature::builder().accounts(SIZE).start().await.unwrap();
    let authority = Authority::new("ours");
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("authority.pem");
    let text = BASE64_STANDARD.encode(authority.certificate());
    std::fs::write(&file, format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"))
        .unwrap();
    for (shown, refused) in [
        (authority.issue(HERE), None),
        (authority.issue("accounts.example"), Some("not valid for name")),
        (authority.issue_expired(HERE), Some("certificate expired")),
        (Authority::new("theirs").issue(HERE), Some("UnknownIssuer")),
    ] {
        let front = Front::with_tls(&server, &shown).await;
        let mut list = program("list_accounts");
        list.args(["--format", "ndjson"]).env("SSL_CERT_FILE", &file).env_remove("SSL_CERT_DIR");
        list.envs(server.env()).env("ANNATURE_BASE_URL", &front.url);
        let (code, out, err) = tokio::task::spawn_blocking(move || run(&mut list)).await.unwrap();
        let Some(says) = refused else {
            assert_eq!((code, out.lines().count()), (Some(0), SIZE), "{err}");
            continue;
        };
        assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
        assert!(err.contains("certificate is refused") && err.contains(says), "{err}");
        let seen = front.seen();
        assert_eq!((seen.connections, seen.read.len()), (1, 0), "nothing was sent, and once");
    }
}
