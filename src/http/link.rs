use http::{HeaderMap, header};
use url::Url;

use crate::{Error, Result};

/// The link to the following page: the target of the `Link` header with `rel="next"` (RFC 8288), made absolute
/// with `base`. `None` if there is none.
///
/// For a [`Paginator`](crate::Paginator) of your own. The type `Url` is
/// [`reqwest::Url`](crate::reqwest::Url).
///
/// ```
/// use headcount::{http::{HeaderMap, HeaderValue, next_link}, reqwest::Url};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let base = Url::parse("https://acme.example/api/v1/users")?;
/// let mut headers = HeaderMap::new();
/// assert_eq!(next_link(&headers, &base)?, None);
/// headers.insert("link", HeaderValue::from_static(r#"</api/v1/users?after=7>; rel="next""#));
/// let next = next_link(&headers, &base)?.ok_or("a next page")?;
/// assert_eq!(next.as_str(), "https://acme.example/api/v1/users?after=7");
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Decode`](crate::ErrorKind::Decode) if a link leads to another scheme, host or port than those of `base`,
/// since the credentials of the next request would go there; if there are two different links; and if a header
/// cannot be read, since an end of the list would otherwise be made up.
pub fn next_link(headers: &HeaderMap, base: &Url) -> Result<Option<Url>> {
    let mut found = None;
    for value in headers.get_all(header::LINK) {
        let unreadable = || Error::decode("the Link header cannot be read");
        for link in parse(value.to_str().map_err(|_| unreadable())?).ok_or_else(unreadable)? {
            if !link.is_next() {
                continue;
            }
            let url = base.join(link.target).map_err(|_| Error::decode("the next link is no URL"))?;
            if url.origin() != base.origin() || !url.username().is_empty() || url.password().is_some() {
                return Err(Error::decode("the next link leads to another host, scheme or port"));
            }
            if found.replace(url.clone()).is_some_and(|other| other != url) {
                return Err(Error::decode("the Link header holds two different next links"));
            }
        }
    }
    Ok(found)
}

struct Link<'a> {
    target: &'a str,
    /// The first of several counts.
    rel: Option<String>,
    /// It is a link of something else than what was requested.
    anchored: bool,
}

impl Link<'_> {
    fn is_next(&self) -> bool {
        let mut types = self.rel.iter().flat_map(|rel| rel.split_ascii_whitespace());
        !self.anchored && types.any(|rel| rel.eq_ignore_ascii_case("next"))
    }
}

/// The links of a header: `<target>; name=value; name="value", <target> …`.
fn parse(header: &str) -> Option<Vec<Link<'_>>> {
    let mut links = Vec::new();
    let mut rest = header;
    loop {
        // Empty elements of a list are allowed.
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return Some(links);
        }
        let (target, after) = rest.strip_prefix('<')?.split_once('>')?;
        let mut link = Link { target: target.trim(), rel: None, anchored: false };
        rest = after.trim_start();
        while let Some(parameter) = rest.strip_prefix(';') {
            let parameter = parameter.trim_start();
            let end = parameter.find(['=', ';', ',']).unwrap_or(parameter.len());
            let (name, after) = parameter.split_at(end);
            let (value, after) = match after.strip_prefix('=') {
                Some(after) => value(after.trim_start())?,
                None => (String::new(), after),
            };
            match name.trim_end() {
                name if name.eq_ignore_ascii_case("rel") => link.rel = link.rel.or(Some(value)),
                name if name.eq_ignore_ascii_case("anchor") => link.anchored = true,
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

/// A token or a quoted string, and what follows it.
fn value(text: &str) -> Option<(String, &str)> {
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
    fn the_next_link_is_found() {
        let wanted = "https://acme.example/api/v1/users?after=a,b;c";
        for headers in [
            &[r#"<https://acme.example/api/v1/users?after=a,b;c>; rel="next""#][..],
            &[
                r#"<https://acme.example/>; rel="self", <https://acme.example/api/v1/users?after=a,b;c>; rel="next""#,
            ],
            &["<https://acme.example/>; rel=self", "</api/v1/users?after=a,b;c>;rel=next"],
            &[r#", <?after=a,b;c> ; Title="a \"b\", <c>; rel=prev" ; REL = "last NEXT" ; rel=prev ,, "#],
            &["<users?after=a,b;c>; rel=next; flag; x=1", "<users?after=a,b;c>; rel=next"],
        ] {
            assert_eq!(next(headers).unwrap().as_deref(), Some(wanted), "{headers:?}");
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
    fn another_host_is_refused() {
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
    fn an_unreadable_header_is_no_end() {
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
