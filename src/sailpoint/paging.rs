//! What the listings by offset have in common.

use std::{borrow::Cow, collections::BTreeMap, future::Future};

use serde_json::value::RawValue;

use super::{Cursor, Field, NAME};
use crate::{
    Error, Result,
    digest::Digest,
    http::{Answer, Rows, header, read_array},
    record::FromRow,
};

/// Rows on a page at most.
const MOST: u32 = 250;

/// What one request gave.
pub(super) struct Answered<T> {
    pub(super) rows: Rows<T>,
    /// What each row is sorted by, as a digest. None in an order in which rows do not move, or that is not known.
    pub(super) marks: Vec<Digest>,
    /// The provider's count of the listing, if it was asked for.
    pub(super) total: Option<u64>,
}

/// A listing by offset, as the walk along it wants it.
pub(super) trait OffsetList: Sync {
    /// What is listed.
    type Row: FromRow + Send;

    fn paging(&self) -> &Paging;

    fn order(&self) -> Order;

    /// `limit` rows from `offset` on.
    fn request(
        &self,
        offset: u64,
        limit: u64,
        count: bool,
    ) -> impl Future<Output = Result<Answered<Self::Row>>> + Send;
}

/// In which order the rows come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// By id, ascending.
    ById,
    /// In another one that was asked for, by what never changes.
    Lasting,
    /// In one that was asked for, by what can change: rows move.
    Asked,
    /// In one that the provider does not document.
    Unknown,
}

/// Where a listing starts, and how it is cut into pages.
#[derive(Clone, Debug)]
pub(super) struct Paging {
    pub(super) limit: u32,
    pub(super) offset: u64,
    pub(super) count: Option<bool>,
    pub(super) overlap: bool,
}

impl Default for Paging {
    fn default() -> Self {
        Self { limit: MOST, offset: 0, count: None, overlap: true }
    }
}

impl Paging {
    pub(super) fn page_size(&self) -> u64 {
        u64::from(self.limit)
    }

    /// Whether asking for a count is allowed at all.
    pub(super) fn may_count(&self) -> bool {
        self.count != Some(false)
    }

    /// Whether the page at `at` asks for a count: the first, and the last as far as is known.
    pub(super) fn counts(&self, at: Option<&Cursor>) -> bool {
        self.count.unwrap_or_else(|| match at {
            None => true,
            Some(at) => {
                let end = at.offset.saturating_add(self.page_size()) - u64::from(self.overlap);
                at.total.is_some_and(|total| end >= total)
            }
        })
    }

    pub(super) fn check(&self) -> Result<()> {
        let refuse = |message: String| Err(Error::config(message));
        let least = if self.overlap { 2 } else { 1 };
        if !(least..=MOST).contains(&self.limit) {
            let why = if self.overlap { ", or 1 with overlap(false)" } else { "" };
            return refuse(format!("limit is {}; expected {least} to {MOST}{why}", self.limit));
        }
        if i32::try_from(self.offset).is_err() {
            return refuse(format!("offset is {}; expected at most {}", self.offset, i32::MAX));
        }
        Ok(())
    }

    /// The cursor that the page behind `at` is expected to have.
    pub(super) fn guess(&self, at: Option<&Cursor>, total: u64) -> Option<Cursor> {
        let here = at.map_or(self.offset, |at| at.offset);
        let overlap = u64::from(self.overlap && at.is_some());
        let next = here.saturating_add(self.page_size() - overlap);
        let total = self.offset.saturating_add(total);
        (next < total).then(|| Cursor::guess(next, total))
    }

    /// How many rows to drop from what was fetched at `guessed`, if it is what follows at `next`, in an order in
    /// which rows that stay stand to each other as they stood.
    pub(super) fn continues(
        &self,
        order: Order,
        next: &Cursor,
        guessed: &Cursor,
        head: Option<&str>,
    ) -> Option<usize> {
        let joins = match (self.overlap, next.tail.last().map(String::as_str), head) {
            (true, Some(last), Some(head)) => last == head && next.after == 0,
            (false, Some(last), Some(head)) if order == Order::ById => last < head,
            (false, _, Some(head)) => !next.tail.iter().any(|id| id == head),
            _ => false,
        };
        (joins && next.offset == guessed.offset).then_some(usize::from(self.overlap))
    }
}

/// The setters of [`Paging`], for a list that has it in a field `paging`, and its count; what is given documents
/// `limit`.
macro_rules! offset_setters {
    ($(#[$limit:meta])+ rows = $rows:literal) => {
        $(#[$limit])+
        pub fn limit(mut self, limit: u32) -> Self {
            self.paging.limit = limit;
            self
        }

        #[doc = concat!("Leaves out the first `offset` ", $rows, ". At most 2147483647, as the provider reads 32 bits.")]
        pub fn offset(mut self, offset: u64) -> Self {
            self.paging.offset = offset;
            self
        }

        /// Whether every page asks the provider for its count of the listing, or none does. Counting costs the
        /// provider time; by default the first page asks, and those near the end.
        pub fn count(mut self, count: bool) -> Self {
            self.paging.count = Some(count);
            self
        }

        /// Whether each page is checked to join the one before, by fetching the last row again. Default: yes.
        /// See [what is certain to be listed](Self#what-is-certain-to-be-listed).
        ///
        /// Without it and without [`count`](Self::count) too, the end is known only by asking beyond it: should
        /// the provider answer that with a 400, which is not documented, so does the list.
        pub fn overlap(mut self, overlap: bool) -> Self {
            self.paging.overlap = overlap;
            self
        }

        /// The provider's count of the listing, without listing it.
        ///
        /// # Errors
        /// [`Decode`](crate::ErrorKind::Decode) if the answer has no count, and those of every request.
        pub async fn total(&self) -> Result<u64> {
            self.check()?;
            paging::total(self).await
        }
    };
}
pub(super) use offset_setters;

/// The provider's count of a listing, without listing it.
pub(super) async fn total(list: &impl OffsetList) -> Result<u64> {
    let answered = list.request(0, 0, true).await?;
    answered.total.ok_or_else(|| Error::decode("the answer has no X-Total-Count").with_provider(NAME))
}

/// Reads a page: a bare array, and the count in a header. `movable`: the fields that it is sorted by, if their
/// values can change.
pub(super) fn read<T: FromRow>(
    answer: &Answer,
    expected: &str,
    id: impl Fn(&T) -> String,
    movable: &[Field],
) -> Result<Answered<T>> {
    let rows = read_array(answer, expected)?;
    let total = header(&answer.headers, &["x-total-count"]).and_then(|text| text.trim().parse().ok());
    let marked = if movable.is_empty() { &[][..] } else { &rows };
    let marks = marked.iter().map(|row| mark(row, movable)).collect();
    Ok(Answered { rows: Rows::decode(&rows, id)?, marks, total })
}

/// A digest of the values of `fields`: as long as it stays, the row has moved past no other that stayed.
///
/// Where the record does not tell a field by its name, as `identity.name`, it is one of the whole record.
fn mark(row: &RawValue, fields: &[Field]) -> Digest {
    let members: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(row.get()).unwrap_or_default();
    let told = fields.iter().map(|field| members.get(field.as_str()).map_or(row.get(), |value| value.get()));
    Digest::of(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_stays_while_the_values_that_are_sorted_by_do() {
        let mark =
            |json: &str, fields: &[Field]| mark(&RawValue::from_string(json.to_owned()).unwrap(), fields);
        let both = [Field::Name, Field::Modified];
        let first = mark(r#"{"id":"a","name":"x","modified":null,"locked":true}"#, &both);
        assert_eq!(mark(r#"{"name":"x", "modified":null, "later":1}"#, &both), first);
        assert_ne!(mark(r#"{"name":"x","modified":"2035-01-01T00:00:00Z"}"#, &both), first);
        assert_ne!(mark(r#"{"name":null,"modified":"x"}"#, &both), first);
        // Not told by its name: then all counts.
        let identity = [Field::IdentityName];
        let first = mark(r#"{"id":"a","identity":{"name":"x"}}"#, &identity);
        assert_eq!(mark(r#"{"id":"a","identity":{"name":"x"}}"#, &identity), first);
        assert_ne!(mark(r#"{"id":"a","identity":{"name":"y"}}"#, &identity), first);
        assert_ne!(mark("7", &identity), mark("[]", &identity));
    }
}
