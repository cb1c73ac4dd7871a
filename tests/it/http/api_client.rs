//! A paginator that is not of this crate, on an [`ApiClient`].

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use headcount::{
    Error, ErrorKind, ListingId, Page, Paginator, Result,
    http::{
        AccessToken, ApiClient, ApiRequest, ApiResponse, BearerToken, ErrorResponse, HeaderName, HeaderValue,
        Method, RateLimit, ReqwestTransport, Transport, TransportError, TransportErrorKind, next_link,
    },
};
use headcount_sim::Conformance;
use serde::Deserialize;
use tokio::time::Instant;

use super::scripted_transport::{Outcome, ScriptedTransport, SentRequest, respond};

#[derive(Deserialize)]
struct Badge {
    id: String,
}

struct Badges {
    client: ApiClient,
    auth: BearerToken,
}

impl Badges {
    fn new(transport: &ScriptedTransport, auth: BearerToken) -> Self {
        Self { client: client(transport, None), auth }
    }

    fn request(cursor: Option<&String>) -> ApiRequest {
        ApiRequest::get("/badges").query("cursor", cursor)
    }
}

fn client(transport: &ScriptedTransport, limit: Option<RateLimit>) -> ApiClient {
    let builder = ApiClient::builder("doors").base_url("https://doors.example/api");
    builder.transport(transport.clone()).rate_limit(limit).build().unwrap()
}

impl Paginator for Badges {
    type Item = Badge;
    type Cursor = String;

    fn listing_id(&self) -> ListingId {
        self.client.listing_id("somebody", &Self::request(None))
    }

    async fn fetch(&self, at: Option<&String>) -> Result<Page<Badge, String>> {
        #[derive(Deserialize)]
        struct Envelope {
            next: Option<String>,
        }
        let read = |response: &ApiResponse| response.page::<Badge, Envelope>("badges", "id");
        let (rows, envelope) = self.client.send(&self.auth, Self::request(at), read).await?;
        Ok(rows.into_page(envelope.next))
    }

    fn item_id<'a>(&self, badge: &'a Badge) -> Option<Cow<'a, str>> {
        Some(badge.id.as_str().into())
    }
}

/// Two pages of two badges.
fn pages(sent: &SentRequest) -> Outcome {
    match sent.uri.query() {
        None => respond(200, &[], r#"{"badges":[{"id":"a"},{"id":"b"}],"next":"2"}"#),
        Some("cursor=2") => respond(200, &[], r#"{"badges":[{"id":"c"},{"id":"d"}],"next":null}"#),
        other => panic!("unexpected query {other:?}"),
    }
}

fn ids(badges: &[Badge]) -> Vec<&str> {
    badges.iter().map(|badge| badge.id.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn listing_is_retried() {
    let transport = ScriptedTransport::new(|sent| match sent.number {
        1 => Outcome::Fail(TransportErrorKind::Connection),
        2 => respond(503, &[("retry-after", "7")], ""),
        3 => respond(200, &[], "<html>please log in</html>"),
        _ => pages(sent),
    });
    let badges = Badges::new(&transport, BearerToken::new("token"));
    assert_eq!(ids(&badges.items().collect_complete().await.unwrap()), ["a", "b", "c", "d"]);
    let sent = transport.sent();
    assert_eq!(sent.len(), 5);
    assert!(sent[2].at - sent[1].at >= Duration::from_secs(7));
    assert!(sent.iter().all(|sent| sent.headers["authorization"] == "Bearer token"));
    assert_eq!(sent[0].uri, "https://doors.example/api/badges");
}

#[tokio::test(start_paused = true)]
async fn listing_conforms() {
    let transport = ScriptedTransport::new(pages);
    let badges = || Badges::new(&transport, BearerToken::new("token"));
    let expected = ["a", "b", "c", "d"].map(str::to_owned);
    Conformance::new(badges).expected_ids(expected).run().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn token_is_fetched_once_and_replaced_when_rejected() {
    let transport = ScriptedTransport::new(|sent| match sent.headers["authorization"].to_str().unwrap() {
        "Bearer token-1" if sent.number > 1 => respond(401, &[], ""),
        _ => pages(sent),
    });
    let fetched = Arc::new(AtomicUsize::new(0));
    let auth = BearerToken::refreshed_by({
        let fetched = Arc::clone(&fetched);
        move || {
            let number = fetched.fetch_add(1, Ordering::SeqCst) + 1;
            async move { Ok(AccessToken::new(format!("token-{number}"))) }
        }
    });
    let badges = Badges::new(&transport, auth).items().collect_complete().await.unwrap();
    assert_eq!(ids(&badges), ["a", "b", "c", "d"]);
    assert_eq!((fetched.load(Ordering::SeqCst), transport.sent().len()), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn fixed_token_is_not_replayed() {
    let transport = ScriptedTransport::new(|_| respond(401, &[], ""));
    let badges = Badges::new(&transport, BearerToken::new("token"));
    let error = badges.items().collect_complete().await.err().unwrap();
    assert_eq!((error.kind(), transport.sent().len()), (ErrorKind::Auth, 1));
}

#[tokio::test(start_paused = true)]
async fn error_has_context_and_no_secrets() {
    let transport = ScriptedTransport::new(|_| respond(403, &[], ""));
    let auth = BearerToken::new("hunter2-token");
    assert!(!format!("{auth:?}").contains("hunter2"));
    let error = Badges::new(&transport, auth).items().collect_complete().await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert_eq!(error.provider(), Some("doors".into()));
    assert_eq!(error.request(), Some("GET https://doors.example/api/badges"));

    // A failure of the application's own parser is redacted, too.
    let transport =
        ScriptedTransport::new(|_| respond(400, &[], "no such badge: hunter2-secret hunter2-token"));
    let request = ApiRequest::new(Method::POST, "/badges").body("hunter2-secret").secret("hunter2-secret");
    let parse = |response: &ApiResponse| ErrorResponse {
        message: response.text().map(str::to_owned),
        ..ErrorResponse::default()
    };
    let auth = BearerToken::new("hunter2-token").with_parse_error(parse);
    let sent = client(&transport, None).send(&auth, request, |_| Ok(())).await;
    let text = format!("{:?}", sent.unwrap_err());
    assert!(!text.contains("hunter2") && text.contains("no such badge"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn invalid_record_is_isolated() {
    let transport =
        ScriptedTransport::new(|_| respond(200, &[], r#"{"badges":[{"id":"a"},{"id":7},{"id":"c"}]}"#));
    let badges = Badges::new(&transport, BearerToken::new("token"));
    let collected = badges.items().collect_with_summary().await.unwrap();
    assert_eq!(ids(&collected.items), ["a", "c"]);
    let error = &collected.rejected[0];
    assert!(error.message().contains("member \"id\" (number)"), "{error}");
    assert_eq!(error.provider(), Some("doors".into()));
    assert!(error.message().starts_with("failed to decode row 1 of page 1: invalid data"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn rate_limit_is_shared_by_clones() {
    let transport = ScriptedTransport::new(|_| respond(200, &[], "{}"));
    let one = client(&transport, Some(RateLimit::new(2, Duration::from_secs(10))));
    let other = one.clone();
    let start = Instant::now();
    for client in [&one, &other, &one] {
        client.send(&BearerToken::new("t"), ApiRequest::get("/"), |_| Ok(())).await.unwrap();
    }
    assert!(start.elapsed() >= Duration::from_secs(10));
    other.send(&BearerToken::new("t"), ApiRequest::get("/").without_rate_limit(), |_| Ok(())).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[tokio::test(start_paused = true)]
async fn mutation_is_sent_once_and_idempotent_request_is_retried() {
    let transport = ScriptedTransport::new(|_| Outcome::Fail(TransportErrorKind::Connection));
    let client = client(&transport, None);
    let auth = BearerToken::new("t");
    let mutation = || ApiRequest::new(Method::POST, "/badges");
    let error = client.send(&auth, mutation(), |_| Ok(())).await.unwrap_err();
    assert_eq!((error.retryability(), transport.sent().len()), (headcount::Retryability::MaybeApplied, 1));
    let error = client.send(&auth, mutation().idempotent(), |_| Ok(())).await.unwrap_err();
    assert_eq!((error.retryability(), transport.sent().len()), (headcount::Retryability::Exhausted, 5));
}

#[test]
fn listing_id_covers_base_url_principal_and_request() {
    let transport = ScriptedTransport::new(pages);
    let client = client(&transport, None);
    let with_header = |value: &'static str, sensitive| {
        let mut value = HeaderValue::from_static(value);
        value.set_sensitive(sensitive);
        let request = ApiRequest::get("/x").query("filter", Some("y"));
        request.header(HeaderName::from_static("x-tenant"), value)
    };
    let id = client.listing_id("a", &ApiRequest::get("/x").query("filter", Some("y")));
    assert_eq!(id, client.listing_id("a", &ApiRequest::get("/x").query("filter", Some("y"))));
    for other in [
        client.listing_id("b", &ApiRequest::get("/x").query("filter", Some("y"))),
        client.listing_id("a", &ApiRequest::get("/z").query("filter", Some("y"))),
        client.listing_id("a", &ApiRequest::get("/x").query("filter", Some("z"))),
        client.listing_id("a", &with_header("tenant", false)),
    ] {
        assert_ne!(id, other);
    }
    let bytes = |bytes: &'static [u8]| {
        let request = ApiRequest::get("/x");
        let header = HeaderValue::from_bytes(bytes).unwrap();
        client.listing_id("a", &request.header(HeaderName::from_static("x-tenant"), header))
    };
    assert_ne!(bytes("Zürich".as_bytes()), bytes("Genève".as_bytes()));
    let sensitive = client.listing_id("a", &with_header("hunter2", true));
    assert_eq!(id, sensitive, "no credential is part of it");
    let error: Error = ApiClient::builder("doors").build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.message().starts_with("invalid base URL"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn next_link_is_requested_under_the_base_url() {
    let transport = ScriptedTransport::new(|sent| match sent.uri.query() {
        None => respond(
            200,
            &[("link", r#"</api/users%20x?after=a%2Bb+c/==&q=%26&%FF&flag&&>; rel="next""#)],
            "[]",
        ),
        Some(query) => respond(200, &[], &format!(r#"["{} {query}"]"#, sent.uri.path())),
    });
    let client = client(&transport, None);
    let auth = BearerToken::new("t");
    let first = ApiRequest::get("/users");
    let base = client.url(&first).unwrap();
    let read = |response: &ApiResponse| next_link(response.headers(), &base);
    let next = client.send(&auth, first, read).await.unwrap().expect("a next link");
    let read = |response: &ApiResponse| response.rows::<String>("id");
    let rows = client.send(&auth, client.get(&next).unwrap(), read).await.unwrap();
    assert_eq!(rows.rejected.len(), 1, "a row is an object");
    assert_eq!(
        transport.sent()[1].uri,
        "https://doors.example/api/users%20x?after=a%2Bb+c/==&q=%26&%FF&flag&&"
    );
    for elsewhere in [
        "https://other.example/api/users",
        "https://doors.example/users",
        "https://doors.example/apis",
        "https://u:p@doors.example/api/users",
        "http://doors.example/api/users",
    ] {
        let error = client.get(&elsewhere.parse().unwrap()).unwrap_err();
        assert_eq!(
            (error.kind(), error.provider()),
            (ErrorKind::Decode, Some("doors".into())),
            "{elsewhere}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn empty_tokens_are_rejected() {
    let transport = ScriptedTransport::new(pages);
    let fetched = BearerToken::refreshed_by(|| async { Ok(AccessToken::new("")) });
    for (auth, kind) in [(BearerToken::new(" "), ErrorKind::Config), (fetched, ErrorKind::Decode)] {
        let error = Badges::new(&transport, auth).items().collect_complete().await.err().unwrap();
        assert_eq!(error.kind(), kind);
    }
    assert!(transport.sent().is_empty());
}

/// Counts requests on their way to the network.
struct Counting(ReqwestTransport, Arc<AtomicUsize>);

impl Transport for Counting {
    fn send(
        &self,
        request: http::Request<bytes::Bytes>,
        body_limit: usize,
    ) -> futures::future::BoxFuture<'_, Result<http::Response<bytes::Bytes>, TransportError>> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.send(request, body_limit)
    }
}

#[tokio::test]
async fn reqwest_transport_can_be_wrapped() {
    let server = headcount_sim::Annature::builder().accounts(120).start().await.unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let transport = Counting(ReqwestTransport::new(server.base_url()).unwrap(), Arc::clone(&count));
    let builder = headcount::annature::Client::builder().id(server.id()).key(server.key());
    let client = builder.base_url(server.base_url()).transport(transport).build().unwrap();
    assert_eq!(client.list_accounts().items().collect_complete().await.unwrap().len(), 120);
    assert!(count.load(Ordering::SeqCst) > 1);
    assert_eq!(ReqwestTransport::new("ftp://x").unwrap_err().kind(), ErrorKind::Config);
}
