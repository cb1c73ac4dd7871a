use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{cycle::CycleGuard, summary::Tally};
use crate::{Error, ErrorKind, Result, digest::Digest};

/// The format that this version writes, and the newest that it reads.
const VERSION: u16 = 1;

/// Names one listing: two have the same scope if a checkpoint of one is good for the other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Scope {
    provider: String,
    listing: String,
}

impl Scope {
    /// The scope of `provider`'s listing that `facts` tell from its others: base URL, endpoint, filters,
    /// page size, and whose listing it is. Only a digest of the facts is kept.
    pub fn new<'a>(provider: &str, facts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut digest = Sha256::new();
        for (name, value) in facts {
            for part in [name, value] {
                // The length first, or ("a", "bc") and ("ab", "c") were one.
                digest.update((part.len() as u64).to_be_bytes());
                digest.update(part);
            }
        }
        Self { provider: provider.to_owned(), listing: hex::encode(&digest.finalize()[..16]) }
    }

    /// The provider's name.
    pub fn provider(&self) -> &str {
        &self.provider
    }
}

/// Where a listing stands. *Done* is not *start*, and neither is a cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Position {
    /// Nothing was fetched yet.
    #[default]
    Start,
    /// The page at this cursor comes next, or is in use.
    At {
        /// The provider's cursor.
        cursor: Value,
    },
    /// Everything was listed.
    Done,
}

/// A saved place in a listing: small, versioned, free of secrets, bound to its listing.
///
/// Made by [`Items::checkpoint`](super::Items::checkpoint) and
/// [`Pages::checkpoint`](super::Pages::checkpoint), at any moment; taken by
/// [`Paginator::resume`](super::Paginator::resume). Save it with serde.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    v: u16,
    #[serde(flatten)]
    content: Content,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Content {
    Known(Box<Place>),
    /// Of a newer version: read, so that resuming can say so, and written back as it was.
    Other(serde_json::Map<String, Value>),
}

/// What version 1 holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) scope: Scope,
    pub(super) position: Position,
    /// Rows of the page at `position` that were handed out.
    #[serde(default)]
    pub(super) skip: usize,
    /// The ids of the last of them.
    #[serde(default)]
    pub(super) tail: Vec<String>,
    /// A digest of the ids of all of them, where items do not keep their order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) digest: Option<Digest>,
    /// Rows that could not be read and were told of behind the last of `tail`.
    #[serde(default)]
    pub(super) behind: usize,
    pub(super) tally: Tally,
    pub(super) guard: CycleGuard,
}

impl Checkpoint {
    pub(super) fn new(place: Place) -> Self {
        Self { v: VERSION, content: Content::Known(Box::new(place)) }
    }

    /// Whether the listing was walked to its end.
    pub fn is_done(&self) -> bool {
        self.place().is_some_and(|place| place.position == Position::Done)
    }

    /// The place, unless it is one that a newer version of this crate wrote.
    pub fn position(&self) -> Option<&Position> {
        self.place().map(|place| &place.position)
    }

    /// How many items had been handed out.
    pub fn yielded(&self) -> u64 {
        self.place().map_or(0, |place| place.tally.yielded)
    }

    fn place(&self) -> Option<&Place> {
        match &self.content {
            Content::Known(place) if self.v == VERSION => Some(place),
            _ => None,
        }
    }

    /// The place, if it is one in the listing `scope`.
    pub(super) fn open(&self, scope: &Scope) -> Result<&Place> {
        let refuse = |message: String| Err(Error::new(ErrorKind::Checkpoint, message));
        let Some(place) = self.place() else {
            return if self.v > VERSION {
                refuse(format!(
                    "the checkpoint is of version {}, and this crate reads versions up to {VERSION}",
                    self.v
                ))
            } else {
                refuse(format!("the checkpoint says version {} and is not of that form", self.v))
            };
        };
        if place.scope.provider != scope.provider {
            return refuse(format!(
                "the checkpoint is of a listing at {}, not at {}",
                place.scope.provider, scope.provider
            ));
        }
        if place.scope != *scope {
            return refuse(
                "the checkpoint is of another listing: the base URL, credentials, endpoint, filters, order or \
                 page size were others"
                    .into(),
            );
        }
        Ok(place)
    }
}
