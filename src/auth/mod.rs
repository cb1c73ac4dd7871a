//! Credentials: secrets, where they come from, and tokens.

mod chain;
mod env;
mod token;

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::{Error, Result};

pub(crate) use chain::{CredentialChain, EnvLookup, Lookup, home, read_if_exists};
pub(crate) use env::Env;
pub(crate) use token::{NewToken, Refresh, RefreshMargin, Token, TokenCache, non_empty};

/// A header value that no log shows.
pub(crate) fn sensitive(name: &str, value: &str) -> Result<HeaderValue> {
    // A `HeaderValue` takes more, but what is no ASCII can not be blotted out of what a server echoes.
    let is_text = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let header = if is_text { HeaderValue::try_from(value).ok() } else { None };
    let mut header = header.ok_or_else(|| {
        let message = format!("the {name} holds characters that no header may: expected visible ASCII");
        Error::config(message)
    })?;
    header.set_sensitive(true);
    Ok(header)
}

/// A credential, trimmed of the blanks and line ends that copying and files add; empty is refused.
pub(crate) fn credential(name: &str, value: &SecretString) -> Result<SecretString> {
    let trimmed = value.expose_secret().trim();
    if trimmed.is_empty() {
        return Err(Error::config(format!("the {name} is empty")));
    }
    Ok(trimmed.into())
}
