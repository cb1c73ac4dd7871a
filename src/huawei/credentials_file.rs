//! The file that Huawei's SDKs keep credentials in, `~/.huaweicloud/credentials`.
//!
//! ```ini
//! [global]
//! ak = …
//! sk = …
//! security_token = …
//! domain_id = …
//! ```
//!
//! Read strictly, and here rather than with a crate: a line that is not understood is told by its number
//! alone, since a crate's errors may quote it, and values go from the text straight into secrets.

use std::collections::BTreeMap;

use super::signing::Credentials;
use crate::{Error, Result, auth::Lookup};

/// In the order in which they are asked for a key. `[global]` is what the SDKs' documents name, for services
/// like this one; their default chain in Python and Java looks for `[globalcredentials]`, which is taken for
/// a mistake that people have adapted to. A key in `[basic]`, for regional services, is the same kind of key.
const SECTIONS: [&str; 3] = ["global", "globalcredentials", "basic"];

/// The credentials in the text of a profile file.
///
/// A key is taken whole from the first section that has one; a security token belongs to its key, and is
/// taken from the same section. The domain is the same for all, and taken from the first that tells it.
pub(super) fn read(text: &str) -> Result<Lookup<Credentials>> {
    let entries = parse(text)?;
    let get = |section: &'static str, key: &'static str| entries.get(&(section.to_owned(), key.to_owned()));
    for section in SECTIONS {
        let missing = |there: &str, missing: &str| {
            Err(Error::config(format!("its section [{section}] has {there} but no {missing}")))
        };
        match (get(section, "ak"), get(section, "sk")) {
            (None, None) => {}
            (Some(_), None) => return missing("ak", "sk"),
            (None, Some(_)) => return missing("sk", "ak"),
            (Some(access), Some(secret)) => {
                let domain = [section].into_iter().chain(SECTIONS);
                return Ok(Lookup::Found(Credentials {
                    access_key: (*access).to_owned(),
                    secret_key: (*secret).into(),
                    security_token: get(section, "security_token").map(|token| (*token).into()),
                    domain_id: domain
                        .filter_map(|section| get(section, "domain_id"))
                        .map(|id| (*id).to_owned())
                        .next(),
                }));
            }
        }
    }
    Ok(Lookup::Missing("it has no ak and sk in a section [global] or [basic]".into()))
}

type Entries<'a> = BTreeMap<(String, String), &'a str>;

/// Reads INI: `[section]`, `key = value` or `key: value`, and whole lines of comment behind `#` or `;`.
///
/// Section and key in any case. An empty value is none. Of a value, what follows a blank and `#` or `;` is
/// comment too: no credential holds a blank. A key may stand in a section once.
fn parse(text: &str) -> Result<Entries<'_>> {
    let mut entries = Entries::new();
    let mut section = String::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        let refuse = |why: &str| Err(Error::config(format!("its line {} {why}", index + 1)));
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            let Some((name, rest)) = name.split_once(']') else {
                return refuse("has [ without ]");
            };
            if !uncommented(rest).is_empty() {
                return refuse("goes on behind ]");
            }
            section = name.trim().to_ascii_lowercase();
            continue;
        }
        let Some((key, value)) = line.split_once(['=', ':']) else {
            return refuse("is neither [section] nor key = value");
        };
        let value = uncommented(value);
        if value.is_empty() {
            continue;
        }
        let key = (section.clone(), key.trim().to_ascii_lowercase());
        if entries.insert(key, value).is_some() {
            return refuse("tells a key of its section again");
        }
    }
    Ok(entries)
}

/// A value without the comment behind it.
fn uncommented(value: &str) -> &str {
    let comment = value
        .char_indices()
        .zip(std::iter::once(' ').chain(value.chars()))
        .find(|((_, char), before)| matches!(char, '#' | ';') && before.is_whitespace())
        .map_or(value.len(), |((at, _), _)| at);
    value[..comment].trim()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn has(text: &str) -> Credentials {
        match read(text).unwrap() {
            Lookup::Found(credentials) => credentials,
            Lookup::Missing(why) => panic!("{why}"),
        }
    }

    #[test]
    fn the_vendors_sample_is_read_with_the_global_key() {
        let key = has(
            "\u{feff}# made by hand\r\n[basic]\r\nak = B\r\nsk = b\r\nproject_id = p\r\n\r\n[Global]\r\n\
             AK=G\r\n  sk : g=/+;#x==  \r\nsecurity_token = t ; optional\r\ndomain_id = d\t# ours\r\n\
             iam_endpoint = https://iam.example\r\n",
        );
        assert_eq!((key.access_key.as_str(), key.secret_key.expose_secret()), ("G", "g=/+;#x=="));
        assert_eq!(key.security_token.unwrap().expose_secret(), "t");
        assert_eq!(key.domain_id.as_deref(), Some("d"));
    }

    #[test]
    fn the_other_sections_stand_in_and_keys_are_never_mixed() {
        let key = has("[globalcredentials]\nak=X\nsk=x\n[basic]\nak=B\nsk=b\nsecurity_token=t");
        assert_eq!((key.access_key.as_str(), key.security_token.is_some()), ("X", false));
        let key = has("[global]\nak=\nsk =  ; later\ndomain_id = d\n[basic]\nak=B\nsk=b\nsecurity_token=t");
        assert_eq!((key.access_key.as_str(), key.domain_id.as_deref()), ("B", Some("d")));
        assert!(key.security_token.is_some());
        let error = read("[global]\nak=G\n[basic]\nak=B\nsk=canary").unwrap_err();
        assert_eq!(error.message(), "its section [global] has ak but no sk");
    }

    #[test]
    fn a_file_without_a_key_is_passed_over() {
        for text in ["", "ak = A\nsk = a", "[other]\nak=A\nsk=a", "[global]\nidp_id = i"] {
            assert!(matches!(read(text).unwrap(), Lookup::Missing(_)), "{text}");
        }
    }

    #[test]
    fn a_line_that_is_not_understood_is_told_by_its_number_and_not_quoted() {
        for (text, line) in [
            ("[global]\nak = A\ncanary", "line 3"),
            ("[global\nsk = canary", "line 1"),
            ("[global] sk = canary", "line 1"),
            ("[global]\nsk = canary\nSK = canary", "line 3"),
        ] {
            let error = read(text).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(line) && !shown.contains("canary"), "{shown}");
        }
    }
}
