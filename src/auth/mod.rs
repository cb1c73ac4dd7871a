//! Credentials: their sources, secret header values, and the token cache.

mod chain;
mod env;
mod token;

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::{Error, Result};

pub(crate) use chain::{CredentialChain, EnvLookup, Lookup, home, read_if_exists};
pub(crate) use env::Env;
pub(crate) use token::{NewToken, Refresh, RefreshMargin, Token, TokenCache, non_empty};

/// Creates a header value that is marked as sensitive, so that logs do not show it.
pub(crate) fn sensitive(name: &str, value: &str) -> Result<HeaderValue> {
    // A `HeaderValue` allows more, but non-ASCII values cannot be redacted from what a server echoes.
    let is_text = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let header = if is_text { HeaderValue::try_from(value).ok() } else { None };
    let mut header = header
        .ok_or_else(|| Error::config(format!("invalid character in the {name}; expected visible ASCII")))?;
    header.set_sensitive(true);
    Ok(header)
}

/// Returns the header value of a bearer token.
pub(crate) fn bearer(token: &SecretString) -> Result<HeaderValue> {
    sensitive("token", &format!("Bearer {}", token.expose_secret()))
}

/// Returns a setting of a builder that has no default. `setter` is the method that sets it.
pub(crate) fn required<T>(value: Option<T>, setter: &str) -> Result<T> {
    value.ok_or_else(|| Error::config(format!("missing {}; call {setter}()", setter.replace('_', " "))))
}

/// Trims a credential, because copying and files often add spaces and line ends.
///
/// # Errors
/// If the credential is blank.
pub(crate) fn credential(name: &str, value: &SecretString) -> Result<SecretString> {
    let trimmed = value.expose_secret().trim();
    if trimmed.is_empty() {
        return Err(Error::config(format!("the {name} is empty")));
    }
    Ok(trimmed.into())
}
