//! What is traced, as a subscriber sees it.

use std::{
    io,
    sync::{Arc, Mutex},
};

use futures::StreamExt;
use headcount::Paginator;
use tracing::{Level, subscriber::DefaultGuard};
use tracing_subscriber::fmt::format::FmtSpan;

use super::answers::{Scripted, answer};

/// The text of everything that is traced and logged on this thread.
#[derive(Clone, Default)]
pub(super) struct Traced(Arc<Mutex<Vec<u8>>>);

impl Traced {
    /// Listens until the guard is dropped.
    pub(super) fn listen(&self, level: Level) -> DefaultGuard {
        // What is written to `log`, as reqwest and rustls do, comes too. Set once for all tests.
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

impl io::Write for Traced {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A page with a bad row, a 503, and a last page.
fn three_answers() -> Scripted {
    Scripted::new(|sent| match sent.number {
        1 => answer(
            200,
            &[("x-request-id", "Fay")],
            r#"{"accounts":[{"id":"Ada"},{"id":"Bob","active":7}],"cursor":"Cleo","has_more":true}"#,
        ),
        2 => answer(503, &[], "Dan is busy"),
        _ => answer(200, &[], r#"{"accounts":[{"id":"Eve"}],"has_more":false}"#),
    })
}

#[tokio::test(start_paused = true)]
async fn a_listing_its_pages_and_their_attempts_are_traced_in_opentelemetrys_names() {
    let traced = Traced::default();
    let listening = traced.listen(Level::DEBUG);
    let list = three_answers().annature().build().unwrap().list_accounts().name("Gus");
    assert_eq!(list.items().count().await, 3);
    drop(listening);
    let text = traced.text();
    let lines: Vec<_> = text.lines().filter(|line| !line.contains("to be sent again")).collect();
    let request =
        r#"request{otel.kind="client" otel.name="GET" provider="annature" http.request.method="GET""#;
    let server = r#"server.address="api.annature.com.au" server.port=443"#;
    let resent = format!("http.request.resend_count=1 {server}");
    let (listing, page) = (r#"listing{provider="annature"}"#, r#"page{provider="annature" page"#);
    assert_eq!(
        lines,
        [
            format!("DEBUG {listing}:{page}=1}}:{request} {server} http.response.status_code=200}}: close"),
            format!("DEBUG {listing}:{page}=1 rows=2}}: close"),
            format!(
                "DEBUG {listing}:{page}=2}}:{request} {server} http.response.status_code=503 error.type=503}}: close"
            ),
            format!("DEBUG {listing}:{page}=2}}:{request} {resent} http.response.status_code=200}}: close"),
            format!("DEBUG {listing}:{page}=2 rows=1}}: close"),
            r#" INFO listing{provider="annature" pages=2 rows=3}: close"#.to_owned(),
        ],
        "{text}"
    );
    let again: Vec<_> = text.lines().filter(|line| line.contains("to be sent again")).collect();
    let [again] = again[..] else { panic!("{text}") };
    assert!(again.contains(r#"to be sent again provider="annature" attempt=1 kind=Api wait="#), "{again}");
}

#[tokio::test(start_paused = true)]
async fn no_id_name_filter_cursor_or_text_of_an_error_is_traced() {
    for depth in [0, 2] {
        let traced = Traced::default();
        let listening = traced.listen(Level::TRACE);
        let pages = three_answers().annature().build().unwrap().list_accounts().name("Gus").pages();
        let pages = if depth == 0 { pages } else { pages.ahead(depth) };
        assert_eq!(pages.items().count().await, 3);
        drop(listening);
        let text = traced.text();
        assert!(text.contains("page=2 rows=1}: close"), "{text}");
        for word in ["Ada", "Bob", "Cleo", "Dan", "Eve", "Fay", "Gus", "/v2", "active"] {
            assert!(!text.contains(word), "{word} is in\n{text}");
        }
    }
}
