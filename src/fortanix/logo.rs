use std::fmt;

use super::{Base64, NAME};
use crate::{Error, Result};

/// The largest logo, in bytes.
const MAX_BYTES: usize = 128 * 1024;

/// An account's logo: a picture of a type and size that the server takes.
///
/// The reference allows 128Kb. That this means 131,072 bytes of the picture itself, and not of its base64, is
/// an assumption.
#[derive(Clone, PartialEq, Eq)]
pub struct Logo {
    base64: Base64,
    format: &'static str,
    bytes: usize,
}

impl Logo {
    /// The picture in a `.jpg`, `.png` or `.svg` file. The type is told by how the bytes begin; an SVG has to
    /// be in UTF-8, and not compressed.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if it is of another type, or has more than 128 KiB.
    pub fn new(picture: impl AsRef<[u8]>) -> Result<Self> {
        let picture = picture.as_ref();
        let refuse = |message: String| Err(Error::config(message).with_provider(NAME));
        let Some(format) = format(picture) else {
            return refuse(
                "the logo is no picture of a known type; expected a .jpg, .png or .svg".to_owned(),
            );
        };
        if picture.len() > MAX_BYTES {
            return refuse(format!("the logo has {} bytes; expected at most {MAX_BYTES}", picture.len()));
        }
        Ok(Self { base64: Base64::new(picture), format, bytes: picture.len() })
    }

    /// What is sent.
    pub(super) fn base64(&self) -> &str {
        self.base64.as_str()
    }
}

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Logo({}, {} bytes)", self.format, self.bytes)
    }
}

fn format(picture: &[u8]) -> Option<&'static str> {
    if picture.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some("png");
    }
    if picture.starts_with(b"\xff\xd8\xff") {
        return Some("jpg");
    }
    is_svg(&String::from_utf8_lossy(picture)).then_some("svg")
}

/// Whether the first element is `svg`, behind what may stand before it.
fn is_svg(text: &str) -> bool {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    while let Some(behind) = behind_prolog(rest) {
        rest = behind.trim_start();
    }
    let name = rest.strip_prefix("<svg");
    name.is_some_and(|rest| rest.starts_with(|c: char| c.is_whitespace() || matches!(c, '>' | '/' | ':')))
}

/// What follows a declaration, a comment or a document type; `None` if `text` begins with none.
fn behind_prolog(text: &str) -> Option<&str> {
    let behind = |text: &'_ str, end: &str| text.find(end).map(|at| at + end.len());
    let end = if text.starts_with("<?") {
        behind(text, "?>")?
    } else if text.starts_with("<!--") {
        behind(text, "-->")?
    } else if text.starts_with("<!DOCTYPE") {
        let end = behind(text, ">")?;
        match text.find('[') {
            // Declarations of its own, which hold `>` too.
            Some(open) if open < end => {
                let close = open + behind(text.get(open..)?, "]")?;
                close + behind(text.get(close..)?, ">")?
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
    fn pictures_are_known_by_how_they_begin() {
        for (picture, format) in [
            (PNG, "png"),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", "jpg"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "svg"),
            (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a > b -->\n<svg:svg>", "svg"),
            (b"<!DOCTYPE svg PUBLIC 'x' 'y'>\n<svg>", "svg"),
            (b"<!DOCTYPE svg [ <!ENTITY a 'b'> ]>\r\n<svg\n>", "svg"),
        ] {
            let logo = Logo::new(picture).unwrap();
            assert_eq!(logo.format, format);
            assert_eq!(logo.base64, Base64::new(picture));
            assert_eq!(format!("{logo:?}"), format!("Logo({format}, {} bytes)", picture.len()));
        }
    }

    #[test]
    fn what_is_no_jpg_png_or_svg_is_refused() {
        let no_pictures: [&[u8]; 9] = [
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
        for bytes in no_pictures {
            let error = Logo::new(bytes).unwrap_err();
            assert_eq!((error.kind(), error.provider()), (ErrorKind::Config, Some("fortanix")), "{bytes:?}");
            assert!(error.message().contains("expected a .jpg, .png or .svg"), "{error}");
        }
    }

    #[test]
    fn a_picture_of_128_kib_is_the_largest() {
        let mut picture = PNG.to_vec();
        picture.resize(131_072, 0);
        assert!(Logo::new(&picture).is_ok());
        picture.push(0);
        let error = Logo::new(&picture).unwrap_err();
        assert!(error.message().contains("131073 bytes; expected at most 131072"), "{error}");
    }
}
