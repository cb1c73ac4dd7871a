//! Credentials from the first of several sources that has any.
//!
//! A source that has none is passed over. One that has them in part, or can not be read, ends the chain
//! with an error: going on would take another identity than the one that was meant.

use std::{
    env,
    io::ErrorKind::NotFound,
    path::{Path, PathBuf},
};

use secrecy::SecretString;

use crate::{Error, Result};

/// Tells the value of an environment variable, if it is set.
pub(crate) type EnvLookup<'a> = &'a dyn Fn(&str) -> Result<Option<String>>;

/// What a source of credentials answers.
#[derive(Debug)]
pub(crate) enum Lookup<T> {
    Found(T),
    /// It has none, and why.
    Missing(String),
}

/// The sources that had no credentials, and why: what an error tells when the last has none either.
#[derive(Clone, Debug, Default)]
pub(crate) struct CredentialChain(Vec<String>);

impl CredentialChain {
    /// What `source` has; if nothing, that is kept.
    ///
    /// # Errors
    /// If the source ends the chain.
    pub(crate) fn try_source<T>(&mut self, source: &str, asked: Result<Lookup<T>>) -> Result<Option<T>> {
        match asked {
            Ok(Lookup::Found(credentials)) => Ok(Some(credentials)),
            Ok(Lookup::Missing(why)) => {
                self.0.push(format!("{source}: {why}"));
                Ok(None)
            }
            Err(error) => {
                let mut tried = self.0.clone();
                tried.push(format!("{source}: {}", error.message()));
                Err(Error::config(format!("the credentials can not be used: {}", tried.join("; "))))
            }
        }
    }

    /// The text of the error when nothing is left to ask; `last` is the last source's own.
    pub(crate) fn text(&self, last: Option<&str>) -> String {
        let tried: Vec<_> = self.0.iter().map(String::as_str).chain(last).collect();
        format!("no credentials found: {}", tried.join("; "))
    }
}

/// The user's home directory.
pub(crate) fn home() -> Option<PathBuf> {
    env::home_dir().filter(|home| !home.as_os_str().is_empty())
}

/// The text of a file, `None` if there is no such file.
///
/// # Errors
/// If it can not be read, or is not UTF-8. The path is not in the text: the caller has it.
pub(crate) fn read_if_exists(path: &Path) -> Result<Option<SecretString>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.into())),
        Err(error) if error.kind() == NotFound => Ok(None),
        Err(error) => Err(Error::config(format!("it can not be read: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn the_error_names_every_source_and_why() {
        let mut chain = CredentialChain::default();
        let nothing = |why: &str| Ok(Lookup::<()>::Missing(why.to_owned()));
        assert!(chain.try_source("here", nothing("not set")).unwrap().is_none());
        assert!(chain.try_source("there", nothing("no such file")).unwrap().is_none());
        assert_eq!(
            chain.text(Some("beyond: no answer")),
            "no credentials found: here: not set; there: no such file; beyond: no answer"
        );
        let error = chain.try_source::<()>("beyond", Err(Error::config("half a key"))).unwrap_err();
        assert_eq!(
            error.message(),
            "the credentials can not be used: here: not set; there: no such file; beyond: half a key"
        );
        assert_eq!(chain.try_source("at last", Ok(Lookup::Found(7))).unwrap(), Some(7));
    }

    #[test]
    fn a_missing_file_is_none_and_an_unreadable_one_an_error() {
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
