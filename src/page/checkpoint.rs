use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Rejected, cycle::CycleDetector, digest::Fnv1a, summary::Counters};
use crate::{Error, ErrorKind, Result, error::one_line};

/// The format that this version of the crate writes and reads.
const VERSION: u16 = 1;

/// The identity of a listing. A checkpoint can be resumed only on a listing with the same id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ListingId {
    provider: String,
    listing: String,
}

impl ListingId {
    /// Creates an id from what distinguishes this listing from the others of `provider`.
    ///
    /// `parts` are pairs of a name and a value: base URL, principal, endpoint, filters, page size. Only their
    /// SHA-256 digest is kept.
    pub fn new<'a>(provider: &str, parts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut digest = Sha256::new();
        for (name, value) in parts {
            for part in [name, value] {
                // With the length, or ("a", "bc") and ("ab", "c") would be equal.
                digest.update((part.len() as u64).to_be_bytes());
                digest.update(part);
            }
        }
        Self { provider: provider.to_owned(), listing: hex::encode(&digest.finalize()[..16]) }
    }

    /// Returns the provider's name.
    pub fn provider(&self) -> &str {
        &self.provider
    }
}

/// A position within a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Position {
    /// Before the first page.
    #[default]
    Start,
    /// At a page that is next or partly yielded.
    At {
        /// The page's cursor.
        cursor: Value,
    },
    /// After the last page.
    Done,
}

/// A saved position in a listing.
///
/// It is small, versioned, bound to its listing and free of credentials.
/// [`Items::checkpoint`](super::Items::checkpoint) and [`Pages::checkpoint`](super::Pages::checkpoint) create
/// it at any time, serde stores it, and
/// [`Paginator::resume`](super::Paginator::resume) continues from it, in another process too.
///
/// ```
/// use headcount::{Checkpoint, Completeness, Paginator};
/// # use headcount::{ListingId, Page, Result};
/// #
/// # /// The numbers below 10, three to a page.
/// # struct Digits;
/// #
/// # impl Paginator for Digits {
/// #     type Item = u32;
/// #     type Cursor = u32;
/// #
/// #     fn listing_id(&self) -> ListingId {
/// #         ListingId::new("digits", [("below", "10")])
/// #     }
/// #
/// #     async fn fetch(&self, at: Option<&u32>) -> Result<Page<u32, u32>> {
/// #         let from = at.copied().unwrap_or(0);
/// #         let to = (from + 3).min(10);
/// #         Ok(Page::new((from..to).collect(), (to < 10).then_some(to)))
/// #     }
/// # }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // `Digits` lists the numbers below 10, three to a page.
/// // This process stops after four of them.
/// let mut items = Digits.items();
/// for expected in 0..4 {
///     assert_eq!(items.try_next().await?, Some(expected));
/// }
/// assert_eq!(items.summary().completeness, Completeness::InProgress);
/// let saved: String = serde_json::to_string(&items.checkpoint())?;
///
/// // Another process continues after the last item.
/// let checkpoint: Checkpoint = serde_json::from_str(&saved)?;
/// let mut items = Digits.resume(&checkpoint)?;
/// for expected in 4..10 {
///     assert_eq!(items.try_next().await?, Some(expected));
/// }
/// assert_eq!(items.try_next().await?, None);
/// assert_eq!(items.summary().items, 10);
/// assert_eq!(items.summary().completeness, Completeness::Complete);
/// # Ok(()) }
/// ```
///
/// # Errors
/// Deserialising fails if the checkpoint has another version of the format; the error names both versions.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "AnyVersion")]
pub struct Checkpoint {
    v: u16,
    #[serde(flatten)]
    state: Box<State>,
}

/// A checkpoint of any version of the format.
#[derive(Deserialize)]
struct AnyVersion {
    v: u64,
    #[serde(flatten)]
    members: serde_json::Map<String, Value>,
}

impl TryFrom<AnyVersion> for Checkpoint {
    type Error = String;

    fn try_from(AnyVersion { v, members }: AnyVersion) -> Result<Self, String> {
        if v != u64::from(VERSION) {
            return Err(format!("unsupported checkpoint version: expected {VERSION}, got {v}"));
        }
        match State::deserialize(Value::Object(members)) {
            Ok(state) => Ok(Self::new(state)),
            Err(error) => {
                Err(format!("malformed checkpoint (version {VERSION}): {}", one_line(&error.to_string())))
            }
        }
    }
}

/// The content of version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) listing: ListingId,
    pub(super) position: Position,
    /// The rows yielded of the page at `position`, unless the position includes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) yielded: Option<Yielded>,
    pub(super) counters: Counters,
    pub(super) cycles: CycleDetector,
}

/// The number and a digest of the first rows of a page, to recognise them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Yielded {
    pub(super) rows: usize,
    pub(super) digest: Fnv1a,
}

impl Yielded {
    pub(super) const NONE: Self = Self { rows: 0, digest: Fnv1a::EMPTY };

    pub(super) fn item(&mut self, id: Option<&str>) {
        self.rows += 1;
        self.digest = self.digest.update(id.unwrap_or_default());
    }

    pub(super) fn rejected(&mut self, row: &Rejected) {
        self.rows += 1;
        self.digest = match &row.id {
            Some(id) => self.digest.update(id),
            None => self.digest.update(&format!("{:?}", row.digest)),
        };
    }
}

impl Checkpoint {
    pub(super) fn new(state: State) -> Self {
        Self { v: VERSION, state: Box::new(state) }
    }

    /// Returns `true` if the listing was read to its end.
    pub fn is_done(&self) -> bool {
        self.state.position == Position::Done
    }

    /// Returns the position of the page that is next or partly yielded.
    pub fn position(&self) -> &Position {
        &self.state.position
    }

    /// Returns how many items were yielded.
    pub fn items(&self) -> u64 {
        self.state.counters.items
    }

    /// Returns the state if the checkpoint belongs to `listing`.
    pub(super) fn validate(&self, listing: &ListingId) -> Result<&State> {
        let state = &*self.state;
        let mismatch = |message: String| Err(Error::new(ErrorKind::Checkpoint, message));
        if state.listing.provider != listing.provider {
            return mismatch(format!(
                "the checkpoint belongs to a listing of {}; expected {}",
                one_line(&state.listing.provider),
                listing.provider
            ));
        }
        if state.listing != *listing {
            return mismatch(
                "the checkpoint belongs to another listing: expected the same base URL, credentials, endpoint, \
                 filters, order and page size"
                    .into(),
            );
        }
        Ok(state)
    }
}

/// Prints the provider, the position and the number of items.
impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checkpoint")
            .field("provider", &self.state.listing.provider)
            .field("position", &self.state.position)
            .field("items", &self.state.counters.items)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_is_short() {
        let mut counters = Counters::default();
        counters.record_item();
        let state = State {
            listing: ListingId::new("doors", [("base_url", "https://doors.example")]),
            position: Position::At { cursor: "b7".into() },
            yielded: None,
            counters,
            cycles: CycleDetector::new(),
        };
        assert_eq!(
            format!("{:?}", Checkpoint::new(state)),
            r#"Checkpoint { provider: "doors", position: At { cursor: String("b7") }, items: 1, .. }"#
        );
    }
}
