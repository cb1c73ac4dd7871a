//! Markers: opaque to a client, a place in the listing to the server.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::key::{Id, Key};

/// Bytes of the seal that tells a marker of this server from any other text.
const SEAL: usize = 9;

/// A place in the listing, and the number of the page that starts there in its walk.
///
/// The page's number makes the markers around an empty page differ, and makes a page's shortness a property
/// of its marker: the same marker gives the same page again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The last key before the page; `None` at the start.
    pub(crate) after: Option<Key>,
    /// The first page of a walk is 1.
    pub(crate) page: u64,
}

/// Makes and reads markers. They are base64 with padding, so they hold `+`, `/` and `=`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Markers {
    seed: u64,
}

impl Markers {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed }
    }

    pub(crate) fn write(self, place: &Place) -> String {
        let id = match place.after.as_ref().map(|key| &key.id) {
            None => "start".to_owned(),
            Some(Id::Hex(id)) => format!("hex:{}", hex::encode(id)),
            Some(Id::Text(id)) => format!("text:{id}"),
        };
        let text = format!("{}:{id}", place.page);
        let mut bytes = self.seal(&text);
        bytes.extend_from_slice(text.as_bytes());
        STANDARD.encode(bytes)
    }

    /// The place that a marker stands for; `None` for what is no marker of this server.
    pub(crate) fn read(self, marker: &str) -> Option<Place> {
        let bytes = STANDARD.decode(marker).ok()?;
        let (seal, text) = bytes.split_at_checked(SEAL)?;
        let text = std::str::from_utf8(text).ok()?;
        if seal != self.seal(text) {
            return None;
        }
        let (page, id) = text.split_once(':')?;
        let id = match id.split_once(':') {
            None => None,
            Some(("hex", id)) => Some(Id::from_hex(id)),
            Some((_, id)) => Some(Id::Text(id.into())),
        };
        Some(Place { after: id.map(Key::by_id), page: page.parse().ok()? })
    }

    fn seal(self, text: &str) -> Vec<u8> {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        hash.update(text.as_bytes());
        hash.finalize().into_iter().take(SEAL).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_gives_its_place_back_and_other_text_gives_none() {
        let markers = Markers::new(3);
        let ids = [Id::Hex([7; 16]), Id::Text("acme:1 ü".into())];
        for after in ids.into_iter().map(Key::by_id).map(Some).chain([None]) {
            let place = Place { after, page: 12 };
            let marker = markers.write(&place);
            assert!((4..=400).contains(&marker.len()));
            assert_eq!(markers.read(&marker), Some(place));
            assert_eq!(Markers::new(4).read(&marker), None);
            assert_eq!(markers.read(&marker.replace('a', "b").replace('A', "B")[1..]), None);
        }
        for text in ["", "abcd", "ou-taowxgy4xbme6m4x3c2iijbxw7yj8fcw"] {
            assert_eq!(markers.read(text), None, "{text}");
        }
    }
}
