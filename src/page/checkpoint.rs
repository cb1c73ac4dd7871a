use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Rejected, cycle::CycleGuard, digest::Digest, summary::Tally};
use crate::{Error, ErrorKind, Result, error::one_line};

/// The format that this version of the crate writes and reads.
const VERSION: u16 = 1;

/// Names one listing: two ids are equal if a checkpoint of one is good for the other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ListingId {
    provider: String,
    listing: String,
}

impl ListingId {
    /// The id of `provider`'s listing that `facts` tell from its others: base URL, endpoint, filters,
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
///
/// # Errors
/// Deserialising a checkpoint of another version of the format fails, and the error names both versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Versioned")]
pub struct Checkpoint {
    v: u16,
    #[serde(flatten)]
    place: Box<Place>,
}

/// A checkpoint of any version.
#[derive(Deserialize)]
struct Versioned {
    v: u64,
    #[serde(flatten)]
    members: serde_json::Map<String, Value>,
}

impl TryFrom<Versioned> for Checkpoint {
    type Error = String;

    fn try_from(Versioned { v, members }: Versioned) -> Result<Self, String> {
        if v != u64::from(VERSION) {
            return Err(format!("the checkpoint has version {v}; expected version {VERSION}"));
        }
        match Place::deserialize(Value::Object(members)) {
            Ok(place) => Ok(Self::new(place)),
            Err(error) => Err(format!("malformed checkpoint: {}", one_line(&error.to_string()))),
        }
    }
}

/// What version 1 holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) listing: ListingId,
    pub(super) position: Position,
    /// What was yielded of the page at `position`, unless the position itself says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) yielded: Option<Yielded>,
    pub(super) tally: Tally,
    pub(super) guard: CycleGuard,
}

/// The first rows of a page, as far as it takes to know them again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Yielded {
    pub(super) rows: usize,
    pub(super) digest: Digest,
}

impl Yielded {
    pub(super) const NONE: Self = Self { rows: 0, digest: Digest::NOTHING };

    pub(super) fn item(&mut self, id: Option<&str>) {
        self.rows += 1;
        self.digest = self.digest.then(id.unwrap_or_default());
    }

    pub(super) fn rejected(&mut self, row: &Rejected) {
        self.rows += 1;
        self.digest = match &row.id {
            Some(id) => self.digest.then(id),
            None => self.digest.then(&format!("{:?}", row.digest)),
        };
    }
}

impl Checkpoint {
    pub(super) fn new(place: Place) -> Self {
        Self { v: VERSION, place: Box::new(place) }
    }

    /// Whether the listing was walked to its end.
    pub fn is_done(&self) -> bool {
        self.place.position == Position::Done
    }

    /// The page that comes next, or is in use.
    pub fn position(&self) -> &Position {
        &self.place.position
    }

    /// How many items had been yielded.
    pub fn items(&self) -> u64 {
        self.place.tally.items
    }

    /// The place, if it is one in the listing `listing`.
    pub(super) fn open(&self, listing: &ListingId) -> Result<&Place> {
        let place = &*self.place;
        let refuse = |message: String| Err(Error::new(ErrorKind::Checkpoint, message));
        if place.listing.provider != listing.provider {
            return refuse(format!(
                "the checkpoint is of a listing at {}, not at {}",
                one_line(&place.listing.provider),
                listing.provider
            ));
        }
        if place.listing != *listing {
            return refuse(
                "the checkpoint is of another listing: the base URL, credentials, endpoint, filters, order or \
                 page size were others"
                    .into(),
            );
        }
        Ok(place)
    }
}
