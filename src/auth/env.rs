use secrecy::SecretString;

use crate::{Error, Result};

/// Reads a provider's options from environment variables. A blank variable is treated as not set.
pub(crate) struct Env {
    provider: &'static str,
}

impl Env {
    pub(crate) fn new(provider: &'static str) -> Self {
        Self { provider }
    }

    /// Returns the variable's value, if it is set.
    ///
    /// # Errors
    /// If the value is not Unicode.
    pub(crate) fn optional(&self, name: &str) -> Result<Option<String>> {
        match std::env::var(name) {
            Ok(value) if value.trim().is_empty() => Ok(None),
            Ok(value) => Ok(Some(value)),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => {
                Err(self.error(format!("the environment variable {name} is not Unicode")))
            }
        }
    }

    /// Returns the variable's value.
    ///
    /// # Errors
    /// If it is not set, or the value is not Unicode.
    pub(crate) fn required(&self, name: &str) -> Result<String> {
        self.optional(name)?.ok_or_else(|| self.error(format!("the environment variable {name} is not set")))
    }

    /// Returns the variable's value as a secret, if it is set.
    pub(crate) fn optional_secret(&self, name: &str) -> Result<Option<SecretString>> {
        Ok(self.optional(name)?.map(SecretString::from))
    }

    /// Returns the variable's value as a secret. Fails if it is not set.
    pub(crate) fn secret(&self, name: &str) -> Result<SecretString> {
        self.required(name).map(SecretString::from)
    }

    /// Attaches the provider to an error.
    pub(crate) fn context<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| error.with_provider(self.provider))
    }

    pub(crate) fn error(&self, message: impl Into<String>) -> Error {
        Error::config(message).with_provider(self.provider)
    }
}
