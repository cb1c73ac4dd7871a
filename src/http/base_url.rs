use std::net::IpAddr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::{Host, Url};

use crate::{Error, Result};

/// The longest request URL, in bytes. Many servers and proxies reject longer ones with unclear errors.
const MAX_URL_BYTES: usize = 8 * 1024;

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent-encodes everything but RFC 3986's unreserved characters. A space becomes `%20`, never `+`.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// The base URL of a provider's API: scheme, host and an optional path prefix.
#[derive(Clone, Debug)]
pub(crate) struct BaseUrl(Url);

impl BaseUrl {
    /// Parses and validates the base URL that the application has set. Without a scheme, it is `https`.
    pub(crate) fn parse(text: &str, allow_http: bool) -> Result<Self> {
        let invalid = |why: &str| Err(Error::config(format!("invalid base URL: {why}")));
        let text = text.trim();
        let with_scheme = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let url = match Url::parse(&with_scheme) {
            Ok(url) => url,
            Err(error) => return invalid(&format!("{error}; expected https://host[/prefix]")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return invalid("contains a user or password; pass credentials to the builder instead");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return invalid("contains a query or fragment; expected https://host[/prefix]");
        }
        if url.host().is_none() {
            return invalid("no host; expected https://host[/prefix]");
        }
        let url = Self(url);
        match url.0.scheme() {
            "https" => Ok(url),
            "http" if allow_http || url.is_loopback() => Ok(url),
            "http" => invalid(
                "http would expose the credentials on the network; expected https, or a loopback address",
            ),
            other => invalid(&format!("unsupported scheme {other}; expected https")),
        }
    }

    /// Fails if the path is only a version, such as `/v3`, which the paths of a provider's requests contain.
    pub(crate) fn reject_version(&self) -> Result<()> {
        let version = self.0.path().trim_matches('/');
        let digits = version.strip_prefix('v').unwrap_or_default();
        let is_version = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        if !is_version && version != "beta" {
            return Ok(());
        }
        let root = self.as_str().trim_end_matches(version).trim_end_matches('/');
        Err(Error::config(format!(
            "invalid base URL: it ends in /{version}, but requests add their version themselves; expected {root}"
        )))
    }

    pub(crate) fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
            Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            None => false,
        }
    }

    pub(crate) fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    pub(crate) fn port(&self) -> Option<u16> {
        self.0.port_or_known_default()
    }

    pub(crate) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Returns the URL without a trailing slash.
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// Returns the path of `url` under the base URL, and `None` if it is elsewhere.
    pub(crate) fn path_of<'a>(&self, url: &'a Url) -> Option<&'a str> {
        let path = url.path().strip_prefix(self.0.path().trim_end_matches('/'))?;
        let same_host =
            url.origin() == self.0.origin() && url.username().is_empty() && url.password().is_none();
        (same_host && path.starts_with('/')).then_some(path)
    }

    /// Returns the URL of `path`, which starts with `/`, under the base URL, with an encoded `query`.
    pub(crate) fn join(&self, path: &str, query: Option<&str>) -> Result<Url> {
        let mut url = self.0.clone();
        url.set_path(&format!("{}{path}", self.0.path().trim_end_matches('/')));
        url.set_query(query);
        if url.as_str().len() > MAX_URL_BYTES {
            return Err(Error::config(format!(
                "the request URL has {} bytes; servers reject more than {MAX_URL_BYTES}, so use a shorter filter",
                url.as_str().len()
            )));
        }
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requires_https_or_loopback() {
        for good in [
            "https://ccm.fortanix.com",
            "ccm.fortanix.com",
            "http://127.0.0.1:8080/gw/",
            "http://localhost:1",
            "http://[::1]:1",
        ] {
            assert!(BaseUrl::parse(good, false).is_ok(), "{good}");
        }
        for bad in [
            "http://example.com",
            "http://localhost.example.com",
            "http://10.0.0.1",
            "ftp://x",
            "https://",
            "",
        ] {
            assert!(BaseUrl::parse(bad, false).is_err(), "{bad}");
        }
        assert!(BaseUrl::parse("http://example.com", true).is_ok());
    }

    #[test]
    fn rejects_a_version_and_keeps_a_prefix() {
        let check = |text: &str| BaseUrl::parse(text, false).unwrap().reject_version();
        for version in ["v3", "v2025/", "beta"] {
            let error = check(&format!("https://acme.api.identitynow.com/{version}")).unwrap_err();
            let (_, expected) = error.message().split_once("; expected ").unwrap();
            assert_eq!(expected, "https://acme.api.identitynow.com", "{error}");
        }
        for good in [
            "https://v3.example",
            "https://x.example/gateway/v3",
            "https://x.example/v",
            "https://x.example/vault",
        ] {
            assert!(check(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn rejects_credentials_without_echoing_them() {
        let error = BaseUrl::parse("https://user:hunter2@example.com", false).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }

    #[test]
    fn join_keeps_prefix_and_query() {
        let base = BaseUrl::parse("https://gw.example/api/", false).unwrap();
        let url = base.join("/v1/accounts", Some("a=b%2Bc&d")).unwrap();
        assert_eq!(url.as_str(), "https://gw.example/api/v1/accounts?a=b%2Bc&d");
        assert!(base.join("/x", Some(&"y".repeat(9000))).is_err());
    }
}
