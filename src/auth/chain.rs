//! A chain of credential sources, of which the first with credentials is used.
//!
//! A source without credentials is skipped. A source with incomplete credentials, or one that cannot be read,
//! is an error: skipping it could select another identity than intended.

use std::{
    env,
    io::ErrorKind::NotFound,
    path::{Path, PathBuf},
};

use secrecy::SecretString;

use crate::{Error, Result};

/// Returns the value of an environment variable, if it is set.
pub(crate) type EnvLookup<'a> = &'a dyn Fn(&str) -> Result<Option<String>>;

/// The result of looking for credentials in a source.
#[derive(Debug)]
pub(crate) enum Lookup<T> {
    Found(T),
    /// There are none. Holds the reason.
    Missing(String),
}

/// The sources tried so far that had no credentials, with the reasons. Used for the error if none has any.
#[derive(Clone, Debug, Default)]
pub(crate) struct CredentialChain(Vec<String>);

impl CredentialChain {
    /// Returns the credentials of `source`, or records why it has none.
    ///
    /// # Errors
    /// If `lookup` is an error. The message includes the sources tried before.
    pub(crate) fn try_source<T>(&mut self, source: &str, lookup: Result<Lookup<T>>) -> Result<Option<T>> {
        match lookup {
            Ok(Lookup::Found(credentials)) => Ok(Some(credentials)),
            Ok(Lookup::Missing(reason)) => {
                self.0.push(format!("{source}: {reason}"));
                Ok(None)
            }
            Err(error) => {
                let mut tried = self.0.clone();
                tried.push(format!("{source}: {}", error.message()));
                Err(Error::config(format!("failed to load credentials: {}", tried.join("; "))))
            }
        }
    }

    /// Returns the error message for when no source has credentials. `last` is the reason of the last source.
    pub(crate) fn text(&self, last: Option<&str>) -> String {
        let tried: Vec<_> = self.0.iter().map(String::as_str).chain(last).collect();
        format!("no credentials found: {}", tried.join("; "))
    }
}

/// Returns the user's home directory.
pub(crate) fn home() -> Option<PathBuf> {
    env::home_dir().filter(|home| !home.as_os_str().is_empty())
}

/// Returns the text of a file, or `None` if the file does not exist.
///
/// # Errors
/// If the file cannot be read or is not UTF-8. The message does not contain the path; the caller adds it.
pub(crate) fn read_if_exists(path: &Path) -> Result<Option<SecretString>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.into())),
        Err(error) if error.kind() == NotFound => Ok(None),
        Err(error) => Err(Error::config(format!("failed to read the file: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn error_lists_sources_and_reasons() {
        let mut chain = CredentialChain::default();
        let missing = |reason: &str| Ok(Lookup::<()>::Missing(reason.to_owned()));
        assert!(chain.try_source("here", missing("not set")).unwrap().is_none());
        assert!(chain.try_source("there", missing("no such file")).unwrap().is_none());
        assert_eq!(
            chain.text(Some("beyond: no response")),
            "no credentials found: here: not set; there: no such file; beyond: no response"
        );
        let error = chain.try_source::<()>("beyond", Err(Error::config("half a key"))).unwrap_err();
        assert_eq!(
            error.message(),
            "failed to load credentials: here: not set; there: no such file; beyond: half a key"
        );
        assert_eq!(chain.try_source("at last", Ok(Lookup::Found(7))).unwrap(), Some(7));
    }

    #[test]
    fn missing_file_is_none_unreadable_is_error() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("credentials");
        assert!(read_if_exists(&path).unwrap().is_none());
        std::fs::write(&path, "ak = 1").unwrap();
        assert_eq!(read_if_exists(&path).unwrap().unwrap().expose_secret(), "ak = 1");
        std::fs::write(&path, b"sk = \xff\xfe").unwrap();
        assert!(read_if_exists(&path).is_err());
        assert!(read_if_exists(home.path()).is_err(), "a directory");
    }
}
