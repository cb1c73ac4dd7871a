//! Spans and events, as a subscriber receives them.

use std::{
    io,
    sync::{Arc, Mutex},
};

use futures::StreamExt;
use tracing::{Level, subscriber::DefaultGuard};
use tracing_subscriber::fmt::format::FmtSpan;

use super::scripted_transport::{ScriptedTransport, respond};

/// Captures the text of everything that is traced or logged on this thread.
#[derive(Clone, Default)]
pub(super) struct TraceCapture(Arc<Mutex<Vec<u8>>>);

impl TraceCapture {
    /// Starts capturing, until the guard is dropped.
    pub(super) fn start(&self, level: Level) -> DefaultGuard {
        // Also captures records of the crate `log`, which reqwest and rustls use. Set once for all tests.
        let _ = tracing_log::LogTracer::init();
        let writer = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_span_events(FmtSpan::CLOSE)
            .with_ansi(false)
            .with_target(false)
            .without_time()
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for TraceCapture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Responds with a page with an invalid row, a 503, and a last page.
fn three_responses() -> ScriptedTransport {
    ScriptedTransport::new(|sent| match sent.number {
        1 => respond(
            200,
            &[("x-request-id", "Fay")],
            r#"{"accounts":[{"id":"Ada"},{"id":"Bob","active":7}],"cursor":"Cleo","has_more":true}"#,
        ),
        2 => respond(503, &[], "Dan is busy"),
        _ => respond(200, &[], r#"{"accounts":[{"id":"Eve"}],"has_more":false}"#),
    })
}

#[tokio::test(start_paused = true)]
async fn spans_have_opentelemetry_names() {
    let trace = TraceCapture::default();
    let guard = trace.start(Level::DEBUG);
    let list = three_responses().annature().build().unwrap().list_accounts().name("Gus");
    assert_eq!(list.items().count().await, 3);
    drop(guard);
    let text = trace.text();
    let lines: Vec<_> = text.lines().filter(|line| !line.contains("retrying request")).collect();
    let request =
        r#"request{otel.kind="client" otel.name="GET" provider="annature" http.request.method="GET""#;
    let server = r#"server.address="api.annature.com.au" server.port=443"#;
    let resend_field = format!("http.request.resend_count=1 {server}");
    let (listing, page) = (r#"listing{provider="annature"}"#, r#"page{provider="annature" page"#);
    assert_eq!(
        lines,
        [
            format!(
                "DEBUG {listing}:{page}=1}}:{request} {server} http.response.status_code=200 body_bytes=83}}: close"
            ),
            format!("DEBUG {listing}:{page}=1 rows=2}}: close"),
            format!(
                "DEBUG {listing}:{page}=2}}:{request} {server} http.response.status_code=503 body_bytes=11 error.type=503}}: close"
            ),
            format!(
                "DEBUG {listing}:{page}=2}}:{request} {resend_field} http.response.status_code=200 body_bytes=44}}: close"
            ),
            format!("DEBUG {listing}:{page}=2 rows=1}}: close"),
            r#" INFO listing{provider="annature" pages=2 rows=3}: close"#.to_owned(),
        ],
        "{text}"
    );
    let retries: Vec<_> = text.lines().filter(|line| line.contains("retrying request")).collect();
    let [retry] = retries[..] else { panic!("{text}") };
    assert!(
        retry.contains(
            r#"retrying request provider="annature" attempt=1 kind=Api http.response.status_code=503"#
        ),
        "{retry}"
    );
}

#[tokio::test(start_paused = true)]
async fn traces_contain_no_personal_data() {
    for depth in [0, 2] {
        let trace = TraceCapture::default();
        let guard = trace.start(Level::TRACE);
        let pages = three_responses().annature().build().unwrap().list_accounts().name("Gus").pages();
        let pages = if depth == 0 { pages } else { pages.ahead(depth) };
        assert_eq!(pages.items().count().await, 3);
        drop(guard);
        let text = trace.text();
        assert!(text.contains("page=2 rows=1}: close"), "{text}");
        for word in ["Ada", "Bob", "Cleo", "Dan", "Eve", "Fay", "Gus", "/v2", "active"] {
            assert!(!text.contains(word), "{word} is in\n{text}");
        }
    }
}
