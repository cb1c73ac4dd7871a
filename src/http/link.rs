use http::{HeaderMap, header};
use url::Url;

use crate::{Error, Result};

/// Returns the URL of the next page from the `Link` header with `rel="next"` (RFC 8288), resolved against
/// `base`. Returns `None` if there is no such link.
///
/// Useful for implementing [`Paginator`](crate::Paginator). `Url` is
/// [`reqwest::Url`](crate::reqwest::Url).
///
/// ```
/// use headcount::{http::{HeaderMap, HeaderValue, next_link}, reqwest::Url};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let base = Url::parse("https://acme.example/api/v1/users")?;
/// let mut headers = HeaderMap::new();
/// assert_eq!(next_link(&headers, &base)?, None);
/// let link = HeaderValue::from_static(r#"</api/v1/users?after=7>; rel="next""#);
/// headers.insert("link", link);
/// let next = next_link(&headers, &base)?.ok_or("a next page")?;
/// assert_eq!(next.as_str(), "https://acme.example/api/v1/users?after=7");
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Decode`](crate::ErrorKind::Decode) if
/// - the link points to another scheme, host or port than `base`, because the next request would send its
///   credentials there,
/// - there are two different next links,
/// - a header is malformed, because ignoring it would look like the end of the list.
pub fn next_link(headers: &HeaderMap, base: &Url) -> Result<Option<Url>> {
    let mut next = None;
    for value in headers.get_all(header::LINK) {
        let malformed = || Error::decode("malformed Link header");
        for link in parse_links(value.to_str().map_err(|_| malformed())?).ok_or_else(malformed)? {
            if !link.is_next() {
                continue;
            }
            let url =
                base.join(link.target).map_err(|_| Error::decode("the next link is not a valid URL"))?;
            if url.origin() != base.origin() || !url.username().is_empty() || url.password().is_some() {
                return Err(Error::decode("the next link points to another scheme, host or port"));
            }
            if next.replace(url.clone()).is_some_and(|other| other != url) {
                return Err(Error::decode("the Link header contains two different next links"));
            }
        }
    }
    Ok(next)
}

struct Link<'a> {
    target: &'a str,
    /// The first `rel` parameter; RFC 8288 ignores the others.
    rel: Option<String>,
    /// Whether the link has an `anchor`, so that its context is not the requested resource.
    has_anchor: bool,
}

impl Link<'_> {
    fn is_next(&self) -> bool {
        let mut types = self.rel.iter().flat_map(|rel| rel.split_ascii_whitespace());
        !self.has_anchor && types.any(|rel| rel.eq_ignore_ascii_case("next"))
    }
}

/// Parses the links of a header: `<target>; name=value; name="value", <target> …`.
fn parse_links(header: &str) -> Option<Vec<Link<'_>>> {
    let mut links = Vec::new();
    let mut rest = header;
    loop {
        // RFC 9110 allows empty list elements.
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return Some(links);
        }
        let (target, after) = rest.strip_prefix('<')?.split_once('>')?;
        let mut link = Link { target: target.trim(), rel: None, has_anchor: false };
        rest = after.trim_start();
        while let Some(parameter) = rest.strip_prefix(';') {
            let parameter = parameter.trim_start();
            let end = parameter.find(['=', ';', ',']).unwrap_or(parameter.len());
            let (name, after) = parameter.split_at(end);
            let (value, after) = match after.strip_prefix('=') {
                Some(after) => parse_value(after.trim_start())?,
                None => (String::new(), after),
            };
            match name.trim_end() {
                name if name.eq_ignore_ascii_case("rel") => link.rel = link.rel.or(Some(value)),
                name if name.eq_ignore_ascii_case("anchor") => link.has_anchor = true,
                _ => {}
            }
            rest = after.trim_start();
        }
        if !(rest.is_empty() || rest.starts_with(',')) {
            return None;
        }
        links.push(link);
    }
}

/// Parses a token or a quoted string. Returns it with the text after it.
fn parse_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, after) = text.split_at(text.find([';', ',']).unwrap_or(text.len()));
        return Some((value.trim_end().to_owned(), after));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(headers: &[&str]) -> Result<Option<String>> {
        let base = Url::parse("https://acme.example/api/v1/users?limit=2").unwrap();
        let headers: HeaderMap = headers
            .iter()
            .map(|value| {
                let value = http::HeaderValue::from_bytes(value.as_bytes()).unwrap();
                (header::LINK, value)
            })
            .collect();
        Ok(next_link(&headers, &base)?.map(String::from))
    }

    #[test]
    fn finds_next_link() {
        let expected = "https://acme.example/api/v1/users?after=a,b;c";
        for headers in [
            &[r#"<https://acme.example/api/v1/users?after=a,b;c>; rel="next""#][..],
            &[
                r#"<https://acme.example/>; rel="self", <https://acme.example/api/v1/users?after=a,b;c>; rel="next""#,
            ],
            &["<https://acme.example/>; rel=self", "</api/v1/users?after=a,b;c>;rel=next"],
            &[r#", <?after=a,b;c> ; Title="a \"b\", <c>; rel=prev" ; REL = "last NEXT" ; rel=prev ,, "#],
            &["<users?after=a,b;c>; rel=next; flag; x=1", "<users?after=a,b;c>; rel=next"],
        ] {
            assert_eq!(next(headers).unwrap().as_deref(), Some(expected), "{headers:?}");
        }
        for headers in [
            &[][..],
            &[""],
            &["<https://acme.example/>; rel=self"],
            &["<https://acme.example/>"],
            &["<https://acme.example/>; rel=nextpage"],
            &[r#"<https://acme.example/>; title="rel=next""#],
            &["<https://acme.example/>; rel=prev; rel=next"],
            &[r##"<https://acme.example/>; rel=next; anchor="#elsewhere""##],
            &["<https://evil.example/>; rel=alternate"],
        ] {
            assert_eq!(next(headers).unwrap(), None, "{headers:?}");
        }
    }

    #[test]
    fn rejects_other_origin() {
        for target in [
            "https://evil.example/api",
            "http://acme.example/api",
            "https://acme.example:8443/api",
            "//evil.example/api",
            "https://acme.example@evil.example/",
            "https://user:pass@acme.example/",
            "data:text/plain,x",
        ] {
            let error = next(&[&format!("<{target}>; rel=next")]).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Decode, "{target}");
            assert!(!error.to_string().contains("evil"), "{error}");
        }
    }

    #[test]
    fn rejects_malformed_header() {
        for header in [
            "https://acme.example/; rel=next",
            "<https://acme.example/; rel=next",
            r#"<https://acme.example/>; rel="next"#,
            "<https://acme.example/> rel=next",
            r#"<https://acme.example/>; rel="next" x"#,
            "<https://acme.example/a>; rel=next, <https://acme.example/b>; rel=next",
            "<https://acme.example/\u{e9}>; rel=next",
        ] {
            assert!(next(&[header]).is_err(), "{header}");
        }
    }
}
