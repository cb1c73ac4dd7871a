//! Paging by `marker`, which the lists of Organizations have in common.

use serde::Deserialize;

use super::length::check_length;
use crate::{Error, Result, http::Call};

/// Rows on a page unless the caller says otherwise: the provider's own default has changed over time, so it
/// is always sent.
pub(super) const DEFAULT_LIMIT: u32 = 1000;
/// The most rows on a page.
pub(super) const MOST: u32 = 2000;

/// Where a list starts, and how much its pages hold, as far as the caller says.
#[derive(Clone, Debug, Default)]
pub(super) struct Paging {
    pub(super) limit: Option<u32>,
    pub(super) marker: Option<String>,
}

impl Paging {
    /// The rows that a page may hold.
    pub(super) fn size(&self) -> u32 {
        self.limit.unwrap_or(DEFAULT_LIMIT)
    }

    pub(super) fn check(&self) -> Result<()> {
        check_limit(self.size(), MOST, "")?;
        self.check_marker()
    }

    pub(super) fn check_marker(&self) -> Result<()> {
        match &self.marker {
            Some(marker) => check_length("marker", marker, 4, 400),
            None => Ok(()),
        }
    }

    /// `call` for the page at `at`, or where the list starts, with `size` rows.
    pub(super) fn query(&self, call: Call, size: u32, at: Option<&String>) -> Call {
        call.query("limit", Some(size)).query("marker", at.or(self.marker.as_ref()))
    }

    pub(super) fn start(&self) -> &str {
        self.marker.as_deref().unwrap_or_default()
    }
}

/// The setters of [`Paging`], for a list that has it in a field `paging`; what is given documents `limit`.
macro_rules! marker_setters {
    ($(#[$limit:meta])+) => {
        $(#[$limit])+
        pub fn limit(mut self, limit: u32) -> Self {
            self.paging.limit = Some(limit);
            self
        }

        /// Starts at the page of this marker, a `next_marker` of 4 to 400 characters.
        pub fn marker(mut self, marker: impl Into<String>) -> Self {
            self.paging.marker = Some(marker.into());
            self
        }
    };
}
pub(super) use marker_setters;

/// What the lists have in common as [`Paginator`](crate::Paginator)s: all but their scope.
macro_rules! pages_by_marker {
    ($item:ty, rows = $rows:literal, id = $id:ident) => {
        type Item = $item;
        type Cursor = String;

        async fn fetch(&self, at: Option<&String>) -> $crate::Result<$crate::Page<$item, String>> {
            #[derive(serde::Deserialize)]
            struct Envelope<'a> {
                #[serde(borrow, rename = $rows)]
                rows: $crate::http::RawRows<'a>,
                page_info: $crate::huawei::marker::PageInfo,
            }

            let read = |answer: &$crate::http::Answer| {
                let expected = concat!("an object with ", $rows, " and page_info");
                let envelope: Envelope<'_> = $crate::http::read_object(answer, expected)?;
                let rows = $crate::http::Rows::decode(&envelope.rows, |item: &$item| item.$id.clone())?;
                Ok(rows.into_page(envelope.page_info.next()))
            };
            self.client.send(self.call(at), read).await
        }

        fn item_id<'a>(&self, item: &'a $item) -> Option<std::borrow::Cow<'a, str>> {
            Some(std::borrow::Cow::Borrowed(&item.$id))
        }
    };
}
pub(super) use pages_by_marker;

/// `PageInfoDto` of the reference.
#[derive(Deserialize)]
pub(super) struct PageInfo {
    #[serde(default)]
    next_marker: Option<String>,
}

impl PageInfo {
    /// The marker of the following page. A list ends when it is null, absent or empty, and only then.
    pub(super) fn next(self) -> Option<String> {
        self.next_marker.filter(|marker| !marker.is_empty())
    }
}

pub(super) fn check_limit(limit: u32, most: u32, condition: &str) -> Result<()> {
    if (1..=most).contains(&limit) {
        return Ok(());
    }
    Err(Error::config(format!("limit is {limit}; expected 1 to {most}{condition}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_marker_with_something_in_it_leads_on() {
        let next = |json: &str| serde_json::from_str::<PageInfo>(json).unwrap().next();
        for end in [
            "{}",
            r#"{"next_marker":null}"#,
            r#"{"next_marker":"","current_count":3}"#,
            r#"{"current_count":0}"#,
        ] {
            assert_eq!(next(end), None, "{end}");
        }
        assert_eq!(next(r#"{"next_marker":"ou-x","current_count":0}"#).as_deref(), Some("ou-x"));
        assert!(serde_json::from_str::<PageInfo>(r#"{"next_marker":7}"#).is_err(), "no end either");
    }

    #[test]
    fn the_limit_is_always_sent_and_the_marker_only_if_there_is_one() {
        let query = |paging: Paging, at: Option<&str>| {
            paging.query(Call::get("/x"), paging.size(), at.map(str::to_owned).as_ref()).query
        };
        let given = Paging { limit: Some(7), marker: Some("here".into()) };
        assert_eq!(query(Paging::default(), None), [("limit", "1000".to_owned())]);
        assert_eq!(query(given.clone(), None), [("limit", "7".into()), ("marker", "here".into())]);
        assert_eq!(query(given, Some("next")), [("limit", "7".into()), ("marker", "next".into())]);
    }
}
