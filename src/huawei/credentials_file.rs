//! Parses the credentials file of Huawei's SDKs, `~/.huaweicloud/credentials`.
//!
//! ```ini
//! [global]
//! ak = …
//! sk = …
//! security_token = …
//! domain_id = …
//! ```
//!
//! Parsing is strict. It does not use an INI crate, because the errors of a crate may quote lines that
//! contain secrets. Errors here report only the line number, and values are converted directly from the text
//! to secrets.

use std::collections::BTreeMap;

use super::signing::Credentials;
use crate::{Error, Result, auth::Lookup};

/// The sections that may have a key, in order of precedence.
///
/// The SDKs' documentation names `[global]` for services like this one. The default chain of the Python and
/// Java SDKs looks for `[globalcredentials]`; that this is a mistake which users work around is an
/// assumption. A key in `[basic]`, for regional services, is the same kind of key.
const SECTIONS: [&str; 3] = ["global", "globalcredentials", "basic"];

/// Parses the credentials in a credentials file.
///
/// The key is read from the first section that has one. A security token belongs to its key and is read from
/// the same section. The domain id applies to all sections; that of the key's section takes precedence, then
/// the first one found.
pub(super) fn parse(text: &str) -> Result<Lookup<Credentials>> {
    let entries = parse_ini(text)?;
    let get = |section: &'static str, key: &'static str| entries.get(&(section.to_owned(), key.to_owned()));
    for section in SECTIONS {
        let incomplete = |present: &str, missing: &str| {
            Err(Error::config(format!("section [{section}] has {present} but no {missing}")))
        };
        match (get(section, "ak"), get(section, "sk")) {
            (None, None) => {}
            (Some(_), None) => return incomplete("ak", "sk"),
            (None, Some(_)) => return incomplete("sk", "ak"),
            (Some(access), Some(secret)) => {
                let domain_sections = [section].into_iter().chain(SECTIONS);
                return Ok(Lookup::Found(Credentials {
                    access_key: (*access).to_owned(),
                    secret_key: (*secret).into(),
                    security_token: get(section, "security_token").map(|token| (*token).into()),
                    domain_id: domain_sections
                        .filter_map(|section| get(section, "domain_id"))
                        .map(|id| (*id).to_owned())
                        .next(),
                }));
            }
        }
    }
    Ok(Lookup::Missing("no ak and sk in section [global] or [basic]".into()))
}

type Entries<'a> = BTreeMap<(String, String), &'a str>;

/// Parses INI: `[section]`, `key = value` or `key: value`, and lines of comment that start with `#` or `;`.
///
/// Sections and keys are case-insensitive. An empty value counts as missing. Whitespace followed by `#` or
/// `;` starts a comment within a line; this is safe because credentials contain no whitespace. A key must not
/// be repeated within a section.
fn parse_ini(text: &str) -> Result<Entries<'_>> {
    let mut entries = Entries::new();
    let mut section = String::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        let invalid = |reason: &str| Err(Error::config(format!("line {}: {reason}", index + 1)));
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            let Some((name, rest)) = name.split_once(']') else {
                return invalid("missing `]`");
            };
            if !strip_comment(rest).is_empty() {
                return invalid("unexpected text after `]`");
            }
            section = name.trim().to_ascii_lowercase();
            continue;
        }
        let Some((key, value)) = line.split_once(['=', ':']) else {
            return invalid("expected `[section]` or `key = value`");
        };
        let value = strip_comment(value);
        if value.is_empty() {
            continue;
        }
        let key = (section.clone(), key.trim().to_ascii_lowercase());
        if entries.insert(key, value).is_some() {
            return invalid("duplicate key in this section");
        }
    }
    Ok(entries)
}

/// Returns a value without its trailing comment.
fn strip_comment(value: &str) -> &str {
    let comment = value
        .char_indices()
        .zip(std::iter::once(' ').chain(value.chars()))
        .find(|((_, char), previous)| matches!(char, '#' | ';') && previous.is_whitespace())
        .map_or(value.len(), |((index, _), _)| index);
    value[..comment].trim()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn credentials(text: &str) -> Credentials {
        match parse(text).unwrap() {
            Lookup::Found(credentials) => credentials,
            Lookup::Missing(reason) => panic!("{reason}"),
        }
    }

    #[test]
    fn vendor_sample() {
        let key = credentials(
            "\u{feff}# made by hand\r\n[basic]\r\nak = B\r\nsk = b\r\nproject_id = p\r\n\r\n[Global]\r\n\
             AK=G\r\n  sk : g=/+;#x==  \r\nsecurity_token = t ; optional\r\ndomain_id = d\t# ours\r\n\
             iam_endpoint = https://iam.example\r\n",
        );
        assert_eq!((key.access_key.as_str(), key.secret_key.expose_secret()), ("G", "g=/+;#x=="));
        assert_eq!(key.security_token.unwrap().expose_secret(), "t");
        assert_eq!(key.domain_id.as_deref(), Some("d"));
    }

    #[test]
    fn section_precedence() {
        let key = credentials("[globalcredentials]\nak=X\nsk=x\n[basic]\nak=B\nsk=b\nsecurity_token=t");
        assert_eq!((key.access_key.as_str(), key.security_token.is_some()), ("X", false));
        let key =
            credentials("[global]\nak=\nsk =  ; later\ndomain_id = d\n[basic]\nak=B\nsk=b\nsecurity_token=t");
        assert_eq!((key.access_key.as_str(), key.domain_id.as_deref()), ("B", Some("d")));
        assert!(key.security_token.is_some());
        let error = parse("[global]\nak=G\n[basic]\nak=B\nsk=canary").unwrap_err();
        assert_eq!(error.message(), "section [global] has ak but no sk");
    }

    #[test]
    fn missing_key_is_not_an_error() {
        for text in ["", "ak = A\nsk = a", "[other]\nak=A\nsk=a", "[global]\nidp_id = i"] {
            assert!(matches!(parse(text).unwrap(), Lookup::Missing(_)), "{text}");
        }
    }

    #[test]
    fn invalid_lines_are_not_quoted() {
        for (file, line) in [
            ("[global]\nak = A\ncanary", "line 3"),
            ("[global\nsk = canary", "line 1"),
            ("[global] sk = canary", "line 1"),
            ("[global]\nsk = canary\nSK = canary", "line 3"),
        ] {
            let error = parse(file).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(text.contains(line) && !text.contains("canary"), "{text}");
        }
    }
}
