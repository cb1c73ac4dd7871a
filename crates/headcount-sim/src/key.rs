//! Where a record stands in its provider's default order.

use std::cmp::Ordering;

use super::seed;

/// An account's id, sixteen bytes when it looks like the provider's own.
///
/// A world of a million accounts keeps a million of these, so ids are not kept as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Id {
    /// Thirty-two hexadecimal digits, or a UUID.
    Hex([u8; 16]),
    /// Anything else: the id of a record that a test has put in.
    Text(Box<str>),
}

impl Id {
    /// An id of exactly thirty-two lower-case hexadecimal digits becomes `Hex`, any other `Text`.
    pub(crate) fn from_hex(text: &str) -> Self {
        let mut bytes = [0; 16];
        let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        if lower && hex::decode_to_slice(text, &mut bytes).is_ok() {
            return Self::Hex(bytes);
        }
        Self::Text(text.into())
    }

    /// A number that follows from the id and looks random.
    pub(crate) fn spread(&self) -> u64 {
        let fold = |sum: u64, byte: &u8| seed::mix(sum ^ u64::from(*byte));
        match self {
            Self::Hex(bytes) => bytes.iter().fold(0, fold),
            Self::Text(text) => text.as_bytes().iter().fold(1, fold),
        }
    }

    /// A UUID, however it is written, becomes `Hex`, anything else `Text`.
    pub(crate) fn from_uuid(text: &str) -> Self {
        uuid::Uuid::try_parse(text).map_or_else(|_| Self::Text(text.into()), |id| Self::Hex(id.into_bytes()))
    }
}

impl Ord for Id {
    /// The order of the ids as lower-case text: for hexadecimal digits that is the order of the bytes.
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Hex(one), Self::Hex(two)) => one.cmp(two),
            (Self::Text(one), Self::Text(two)) => one.cmp(two),
            (Self::Hex(one), Self::Text(two)) => hex::encode(one).as_str().cmp(two),
            (Self::Text(one), Self::Hex(two)) => (**one).cmp(hex::encode(two).as_str()),
        }
    }
}

impl PartialOrd for Id {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A place in the default order: by rank, then by id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// Zero where the id alone gives the order.
    pub(crate) rank: i64,
    pub(crate) id: Id,
}

impl Key {
    pub(crate) fn by_id(id: Id) -> Self {
        Self { rank: 0, id }
    }
}

#[cfg(test)]
mod tests {
    use super::Id;

    #[test]
    fn ids_of_both_kinds_sort_as_their_text() {
        let mut texts =
            ["zeta", "0f", "ffffffffffffffffffffffffffffffff", "a0000000000000000000000000000000", "a1"];
        let mut ids: Vec<Id> = texts.iter().map(|text| Id::from_hex(text)).collect();
        texts.sort_unstable();
        ids.sort_unstable();
        let sorted: Vec<Id> = texts.iter().map(|text| Id::from_hex(text)).collect();
        assert_eq!(ids, sorted);
    }

    #[test]
    fn upper_case_hex_keeps_its_spelling() {
        assert!(matches!(Id::from_hex("A0000000000000000000000000000000"), Id::Text(_)));
        assert_eq!(
            Id::from_uuid("5E2B9F3A-4B1E-4C7E-9D55-0C1F7F4F0A01"),
            Id::from_uuid("5e2b9f3a-4b1e-4c7e-9d55-0c1f7f4f0a01")
        );
    }
}
