use futures::{FutureExt, future::BoxFuture, future::join_all};
use http::Response;

use super::{
    script::{Script, Scripted},
    *,
};
use crate::{
    Retry,
    http::{Transport, TransportError},
};

#[expect(clippy::unnecessary_wraps, reason = "a script")]
fn well(service: &Scripted, asked: &str) -> Option<(u16, String)> {
    Some(if asked.starts_with("PUT") { (200, "canary-t".into()) } else { service.key() })
}

#[expect(clippy::unnecessary_wraps, reason = "a script")]
fn old_service(service: &Scripted, asked: &str) -> Option<(u16, String)> {
    if asked.starts_with("PUT") {
        return Some((404, "<html>not here</html>".into()));
    }
    Some(service.key())
}

async fn name(metadata: &Metadata) -> String {
    metadata.key().await.unwrap().value.access_key.clone()
}

/// All that an error shows, with its sources; it must hold no secret.
fn shown(error: &Error) -> String {
    let text = format!("{error} {error:?} {error:#?}");
    assert!(!text.contains("canary"), "{text}");
    error.to_string()
}

#[tokio::test(start_paused = true)]
async fn a_key_is_asked_for_with_a_token_once_for_all_who_wait() {
    let service = Scripted::new(86_400, well);
    let metadata = service.open();
    assert!(service.asked().is_empty(), "not before a request is made");
    let keys = join_all((0..100).map(|_| metadata.key())).await;
    assert!(keys.into_iter().all(|key| key.unwrap().value.access_key == "AK2"));
    assert_eq!(
        service.asked(),
        ["PUT /meta-data/latest/api/token -", "GET /openstack/latest/securitykey canary-t"]
    );
    let key = metadata.key().await.unwrap();
    assert_eq!(key.value.domain_id.as_deref(), Some("domain"));
    assert_eq!(key.value.security_token.as_ref().unwrap().expose_secret(), "canary-token");
}

#[tokio::test(start_paused = true)]
async fn the_next_key_is_asked_for_forty_minutes_before_the_end_or_at_half_life() {
    for (life, renewed) in [(86_400, 84_000), (4800, 2400), (900, 450)] {
        let service = Scripted::new(life, well);
        let metadata = service.open();
        let began = Instant::now();
        name(&metadata).await;
        tokio::time::sleep_until(began + Duration::from_secs(renewed - 1)).await;
        name(&metadata).await;
        assert_eq!(service.keys_asked(), 1, "{life}: not before it is time");
        tokio::time::sleep_until(began + Duration::from_secs(renewed + 1)).await;
        name(&metadata).await;
        assert_eq!(service.keys_asked(), 2, "{life}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_service_is_asked_without_a_token_and_for_a_day_not_for_one() {
    for script in [
        old_service as Script,
        |service, asked| Some(if asked.starts_with("PUT") { (405, String::new()) } else { service.key() }),
        |service, asked| Some(if asked.starts_with("PUT") { (503, String::new()) } else { service.key() }),
    ] {
        let service = Scripted::new(40_000, script);
        let metadata = service.open();
        let tokens = || service.asked().iter().filter(|asked| asked.starts_with("PUT")).count();
        for (hours, asked) in [(0, 1), (11, 1), (22, 1), (33, 2)] {
            tokio::time::sleep(Duration::from_secs(hours * 3600).saturating_sub(service.age())).await;
            name(&metadata).await;
            assert_eq!(tokens(), asked, "after {hours} h");
        }
        assert_eq!(service.keys_asked(), 4);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_replaced_once() {
    let service = Scripted::new(86_400, |service, asked| {
        Some(if asked.starts_with("PUT") {
            (200, format!("canary-t{}", service.asked().len()))
        } else if asked.ends_with("canary-t1") {
            (401, "token expired".into())
        } else {
            service.key()
        })
    });
    assert_eq!(name(&service.open()).await, "AK4");

    let service = Scripted::new(86_400, |_, asked| {
        Some(if asked.starts_with("PUT") { (200, "canary-t".into()) } else { (401, "no canary-t".into()) })
    });
    let error = service.open().key().await.err().unwrap();
    assert!(shown(&error).contains("401"), "{error}");
    assert_eq!(service.asked().len(), 4, "two tokens, two tries");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_begins_to_want_tokens_is_given_one() {
    let service = Scripted::new(4000, |service, asked| {
        let wants = service.age() > Duration::from_secs(60);
        Some(match (asked.starts_with("PUT"), wants) {
            (true, true) => (200, "canary-t".into()),
            (true, false) => (404, String::new()),
            (false, true) if asked.ends_with('-') => (401, String::new()),
            (false, _) => service.key(),
        })
    });
    let metadata = service.open();
    name(&metadata).await;
    tokio::time::sleep(Duration::from_secs(2500)).await;
    assert_eq!(name(&metadata).await, "AK5");
}

#[tokio::test(start_paused = true)]
async fn without_an_agency_it_is_said_at_once() {
    let service = Scripted::new(86_400, |_, asked| {
        let body = r#"<html>{"message": "Please configure Cloud Service Agency first."}</html>"#;
        Some(if asked.starts_with("PUT") { (200, "canary-t".into()) } else { (401, body.into()) })
    });
    let error = service.open().key().await.err().unwrap();
    assert!(shown(&error).contains("has no agency"), "{error}");
    assert_eq!(service.asked().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn while_the_old_key_lives_a_service_that_is_down_does_no_harm() {
    let service = Scripted::new(86_400, |service, asked| {
        (service.age() < Duration::from_secs(60)).then(|| well(service, asked))?
    });
    let metadata = service.open();
    name(&metadata).await;
    tokio::time::sleep(Duration::from_secs(84_100)).await;
    assert_eq!(name(&metadata).await, "AK2");
    tokio::time::sleep(Duration::from_secs(2200)).await;
    assert_eq!(name(&metadata).await, "AK2");
    tokio::time::sleep(Duration::from_secs(200)).await;
    let error = metadata.key().await.err().unwrap();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, Retry::Safe));
    let text = shown(&error);
    for part in
        ["the environment: not set; the metadata service: PUT http://169.254.169.254/", "no route to host"]
    {
        assert!(text.contains(part), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_key_is_an_error_that_quotes_no_secret() {
    let service = Scripted::new(0, well);
    assert!(shown(&service.open().key().await.err().unwrap()).contains("this machine's clock says"));
    let bodies: [Script; 5] = [
        |_, _| Some((200, "<html>canary</html>".into())),
        |_, asked| Some((200, if asked.starts_with("PUT") { "canary-t".into() } else { String::new() })),
        |_, _| Some((200, r#"{"credential":{"access":"canary","secret":"canary"}}"#.into())),
        |_, _| {
            Some((200, r#"{"credential":{"access":"A","secret":["canary"],"securitytoken":"canary","expires_at":"2030-01-01T00:00:00Z"}}"#.into()))
        },
        |_, _| {
            Some((200, r#"{"credential":{"access":"A","secret":" ","securitytoken":"canary","expires_at":"2030-01-01T00:00:00Z"}}"#.into()))
        },
    ];
    for script in bodies {
        let error = Scripted::new(900, script).open().key().await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Auth);
        shown(&error);
    }
}

#[tokio::test(start_paused = true)]
async fn it_has_three_seconds() {
    #[derive(Clone)]
    struct Silent;
    impl Transport for Silent {
        fn send(
            &self,
            _: Request<Bytes>,
            _: usize,
        ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
            std::future::pending().boxed()
        }
    }
    let mut settings = Settings::new(ENDPOINT);
    settings.transport = Some(Arc::new(Silent));
    let metadata = Metadata::with(settings, None, InVain::default()).unwrap();
    let began = Instant::now();
    let error = metadata.key().await.err().unwrap();
    assert_eq!(began.elapsed(), Duration::from_secs(3));
    assert_eq!(error.retry(), Retry::Safe);
}

#[test]
fn http_leads_no_farther_than_the_link() {
    let open = |endpoint: &str| {
        Metadata::open(endpoint, &Settings::new("https://x"), None, InVain::default()).map(|_| ())
    };
    for good in [ENDPOINT, "http://169.254.1.1:8080/x", "http://127.0.0.1:1", "https://meta.example"] {
        assert!(open(good).is_ok(), "{good}");
    }
    for bad in ["http://meta.example", "http://10.0.0.1", "http://169.254.169.254.example", "ftp://x", ""] {
        let error = open(bad).unwrap_err();
        assert!(error.message().starts_with("the metadata endpoint:"), "{error}");
    }
}
