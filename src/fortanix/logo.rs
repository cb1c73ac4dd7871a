use std::fmt;

use super::{Base64, NAME};
use crate::{Error, Result};

/// The maximum size of a logo, in bytes.
const MAX_BYTES: usize = 128 * 1024;

/// An account's logo: an image of a type and size that the server accepts.
///
/// The reference allows 128Kb. It is an assumption that this means 131,072 bytes of the image itself, and not
/// of its base64.
#[derive(Clone, PartialEq, Eq)]
pub struct Logo {
    base64: Base64,
    format: &'static str,
    bytes: usize,
}

impl Logo {
    /// Creates a logo from the content of a `.jpg`, `.png` or `.svg` file.
    ///
    /// The first bytes determine the type. An SVG must be UTF-8 and uncompressed.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the image has another type or more than 128 KiB.
    pub fn new(image: impl AsRef<[u8]>) -> Result<Self> {
        let image = image.as_ref();
        let invalid = |message: String| Err(Error::config(message).with_provider(NAME));
        let Some(format) = format(image) else {
            return invalid("unknown image type of the logo; expected a .jpg, .png or .svg".to_owned());
        };
        if image.len() > MAX_BYTES {
            return invalid(format!("the logo has {} bytes; expected at most {MAX_BYTES}", image.len()));
        }
        Ok(Self { base64: Base64::new(image), format, bytes: image.len() })
    }

    /// Returns the image in base64, as it is sent.
    pub(super) fn base64(&self) -> &str {
        self.base64.as_str()
    }
}

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Logo({}, {} bytes)", self.format, self.bytes)
    }
}

fn format(image: &[u8]) -> Option<&'static str> {
    if image.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some("png");
    }
    if image.starts_with(b"\xff\xd8\xff") {
        return Some("jpg");
    }
    is_svg(&String::from_utf8_lossy(image)).then_some("svg")
}

/// Whether the first element is `svg`, after an optional prolog.
fn is_svg(text: &str) -> bool {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    while let Some(after) = skip_prolog(rest) {
        rest = after.trim_start();
    }
    let name = rest.strip_prefix("<svg");
    name.is_some_and(|rest| rest.starts_with(|c: char| c.is_whitespace() || matches!(c, '>' | '/' | ':')))
}

/// Returns the text after a declaration, a comment or a document type; `None` if `text` begins with none of
/// them.
fn skip_prolog(text: &str) -> Option<&str> {
    let end_of = |text: &'_ str, end: &str| text.find(end).map(|at| at + end.len());
    let end = if text.starts_with("<?") {
        end_of(text, "?>")?
    } else if text.starts_with("<!--") {
        end_of(text, "-->")?
    } else if text.starts_with("<!DOCTYPE") {
        let end = end_of(text, ">")?;
        match text.find('[') {
            // An internal subset, whose declarations contain `>` too.
            Some(open) if open < end => {
                let close = open + end_of(text.get(open..)?, "]")?;
                close + end_of(text.get(close..)?, ">")?
            }
            _ => end,
        }
    } else {
        return None;
    };
    text.get(end..)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

    #[test]
    fn type_is_detected_from_the_first_bytes() {
        for (image, format) in [
            (PNG, "png"),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", "jpg"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "svg"),
            (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a > b -->\n<svg:svg>", "svg"),
            (b"<!DOCTYPE svg PUBLIC 'x' 'y'>\n<svg>", "svg"),
            (b"<!DOCTYPE svg [ <!ENTITY a 'b'> ]>\r\n<svg\n>", "svg"),
        ] {
            let logo = Logo::new(image).unwrap();
            assert_eq!(logo.format, format);
            assert_eq!(logo.base64, Base64::new(image));
            assert_eq!(format!("{logo:?}"), format!("Logo({format}, {} bytes)", image.len()));
        }
    }

    #[test]
    fn other_types_are_rejected() {
        let invalid_images: [&[u8]; 9] = [
            b"",
            b"GIF89a",
            b"\x89PNG",
            b"\x1f\x8b\x08",
            b"<html><svg/></html>",
            b"<svgz>",
            b"<!-- <svg/>",
            b"<!DOCTYPE svg [ <!ENTITY a 'b'> <svg>",
            b"\xff\xfe<\0s\0v\0g\0",
        ];
        for bytes in invalid_images {
            let error = Logo::new(bytes).unwrap_err();
            assert_eq!(
                (error.kind(), error.provider()),
                (ErrorKind::Config, Some(crate::Provider::Fortanix)),
                "{bytes:?}"
            );
            assert!(error.message().contains("expected a .jpg, .png or .svg"), "{error}");
        }
    }

    #[test]
    fn image_of_128_kib_is_the_largest() {
        let mut image = PNG.to_vec();
        image.resize(131_072, 0);
        assert!(Logo::new(&image).is_ok());
        image.push(0);
        let error = Logo::new(&image).unwrap_err();
        assert!(error.message().contains("131073 bytes; expected at most 131072"), "{error}");
    }
}
