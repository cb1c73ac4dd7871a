use std::sync::Arc;

use tracing::{Instrument, Span, field};

use super::{Paginator, pages::Fetched};

/// A paginator whose pages are fetched each within a span of its own, which is within the listing's.
///
/// The spans tell the provider, and counts; never what was listed, nor a cursor.
pub(super) struct Traced<P> {
    paginator: Arc<P>,
    listing: Span,
}

impl<P: Paginator> Traced<P> {
    pub(super) fn new(paginator: P) -> Self {
        let listing = tracing::info_span!(
            "listing",
            provider = paginator.scope().provider(),
            pages = field::Empty,
            rows = field::Empty
        );
        Self { paginator: Arc::new(paginator), listing }
    }

    pub(super) fn paginator(&self) -> &P {
        &self.paginator
    }

    /// The page at `at`, the `number`th of its listing, counted from 1.
    pub(super) async fn fetch(self, at: Option<P::Cursor>, number: u64) -> Fetched<P> {
        let span = self.listing.in_scope(|| {
            tracing::debug_span!(
                "page",
                provider = self.paginator.scope().provider(),
                page = number,
                rows = field::Empty,
                error.r#type = field::Empty
            )
        });
        let fetched = self.paginator.fetch(at.as_ref()).instrument(span.clone()).await;
        match &fetched {
            Ok(page) => span.record("rows", page.rows()),
            Err(error) => span.record("error.type", field::debug(error.kind())),
        };
        fetched
    }

    /// Tells what came of the listing in all.
    pub(super) fn ended(&self, pages: u64, rows: u64) {
        self.listing.record("pages", pages).record("rows", rows);
    }
}

impl<P> Clone for Traced<P> {
    fn clone(&self) -> Self {
        Self { paginator: Arc::clone(&self.paginator), listing: self.listing.clone() }
    }
}
