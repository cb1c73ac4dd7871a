//! A listing of one source as record batches, and its report.

use datafusion::{
    arrow::{array::RecordBatch, datatypes::SchemaRef},
    error::{DataFusionError, Result},
};
use headcount::{Account, AnyPaginator, Error, ErrorKind, ListingReport, Pages, Source};

use crate::{ListRequest, schema::accounts_batch, tenants::SharedTenants};

/// A listing of one source, a page at a time.
pub(crate) struct SourceListing {
    pages: Option<Pages<AnyPaginator<Account>>>,
    schema: SchemaRef,
    report: ListingReport,
    /// The error that ended the listing.
    error: Option<Error>,
}

impl SourceListing {
    /// Opens the listing. If that fails, it has no pages and a report of the failure.
    pub(crate) fn open(
        tenants: &SharedTenants,
        source: Source,
        request: &ListRequest,
        schema: SchemaRef,
    ) -> Self {
        let mut report = ListingReport::start(source);
        match tenants.open(&report.source, request) {
            Ok(listing) => {
                report.endpoint = Some(listing.endpoint);
                report.filter = listing.filter;
                Self { pages: Some(listing.accounts.pages()), schema, report, error: None }
            }
            Err(error) => {
                let mut failed = Self { pages: None, schema, report, error: None };
                failed.fail(error);
                failed
            }
        }
    }

    /// Returns the accounts of the next page that has any, or `None` after the last page or an error.
    pub(crate) async fn next(&mut self) -> Option<Vec<Account>> {
        loop {
            let pages = self.pages.as_mut()?;
            let page = pages.next().await;
            self.report.summary = pages.summary();
            if self.report.has_ended() {
                self.report.end(pages.summary(), None);
            }
            match page {
                Some(Ok(page)) if page.items.is_empty() => {}
                Some(Ok(page)) => return Some(page.items),
                Some(Err(error)) => {
                    self.fail(error);
                    return None;
                }
                None => {
                    self.pages = None;
                    return None;
                }
            }
        }
    }

    /// Converts accounts of this source.
    pub(crate) fn batch(&self, accounts: &[Account]) -> Result<RecordBatch> {
        accounts_batch(&self.report.source, accounts, &self.schema)
    }

    fn fail(&mut self, error: Error) {
        self.pages = None;
        self.report.end(self.report.summary.clone(), Some(&error));
        self.error = Some(error);
    }

    pub(crate) fn report(&self) -> &ListingReport {
        &self.report
    }

    /// Returns the error that ended the listing, or that of a listing that is not complete.
    pub(crate) fn incomplete(&self) -> Option<Error> {
        if let Some(error) = &self.error {
            return Some(error.clone());
        }
        let completeness = &self.report.summary.completeness;
        (!completeness.is_complete())
            .then(|| Error::new(ErrorKind::Incomplete, format!("the listing is {completeness}")))
    }

    /// Returns the error that ended the listing before its end.
    pub(crate) fn failed(&self) -> Option<&Error> {
        self.error.as_ref()
    }
}

/// Adds the source to an error.
pub(crate) fn source_error(source: &Source, error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error)).context(format!("source {source}"))
}
