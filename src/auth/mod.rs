//! Credentials: secrets, where they come from, and tokens.

mod environment;
mod token;

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::{Error, Result};

pub(crate) use environment::Environment;
pub(crate) use token::{Fresh, Token, TokenCache, refuse_empty};

/// A header value that no log shows.
pub(crate) fn sensitive(name: &str, value: &str) -> Result<HeaderValue> {
    let mut header = HeaderValue::try_from(value).map_err(|_| {
        Error::config(format!(
            "the {name} holds characters that no header may: expected visible ASCII"
        ))
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
