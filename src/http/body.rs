use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;

/// The body of a response.
///
/// UTF-8 is validated once for the whole body instead of for each string in it. Records share the text
/// instead of copying it.
#[derive(Clone)]
pub(crate) enum Body {
    Text(Arc<String>),
    Binary(Bytes),
}

impl Body {
    pub(super) fn empty() -> Self {
        Self::Binary(Bytes::new())
    }

    /// Returns the text if the body is UTF-8.
    pub(super) fn text(&self) -> Option<&Arc<String>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes().len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether the first character after leading whitespace is `first`.
    pub(super) fn starts_with(&self, first: char) -> bool {
        self.bytes().trim_ascii_start().first().is_some_and(|byte| char::from(*byte) == first)
    }

    #[cfg(feature = "huawei")]
    pub(crate) fn contains(&self, text: &str) -> bool {
        self.text().is_some_and(|body| body.contains(text))
    }

    /// Parses the body as JSON. Returns `None` if it is not valid JSON for `T`.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.text()?).ok()
    }

    /// Returns the body as human-readable text: `None` if it is HTML, binary or blank.
    pub(crate) fn plain_text(&self) -> Option<String> {
        let text = self.text()?.trim();
        (!text.is_empty() && !text.starts_with('<')).then(|| text.to_owned())
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        match String::from_utf8(bytes.into()) {
            Ok(text) => Self::Text(Arc::new(text)),
            Err(error) => Self::Binary(error.into_bytes().into()),
        }
    }
}
