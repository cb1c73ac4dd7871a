//! Where an access key comes from (the application, the environment, a profile file, the metadata service), and
//! the signature that it makes for each request.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::Request;
use secrecy::{ExposeSecret, SecretString};

use super::{
    credentials_file, error,
    metadata::{self, Metadata},
    signing::{Credentials, checked_domain, date, sign},
};
use crate::{
    Error, Result,
    auth::{CredentialChain, EnvLookup, Lookup, Token, read_if_exists},
    http::{ApiResponse, Auth, ClientOptions, Clock, ErrorResponse},
};

const ACCESS_KEY: &str = "HUAWEICLOUD_SDK_AK";
const SECRET_KEY: &str = "HUAWEICLOUD_SDK_SK";
const CREDENTIALS_FILE: &str = "HUAWEICLOUD_SDK_CREDENTIALS_FILE";

/// What a builder was told of the access key.
#[derive(Clone, Debug)]
pub(super) struct Source {
    origin: Origin,
    /// What was set here goes before what the origin has.
    pub(super) security_token: Option<SecretString>,
    pub(super) domain_id: Option<String>,
    pub(super) metadata_endpoint: String,
}

/// Where an access key comes from.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    Given(Credentials),
    /// The metadata service, to be asked when a request is made, after others that had no key.
    Metadata(CredentialChain),
}

/// Where a client takes each request's access key from.
pub(super) enum Keys {
    Given(Credentials),
    Metadata(Metadata),
}

impl Source {
    pub(super) fn new(origin: Origin) -> Self {
        Self { origin, security_token: None, domain_id: None, metadata_endpoint: metadata::ENDPOINT.into() }
    }

    /// Checks everything; asks nobody.
    pub(super) fn open(&self, options: &ClientOptions) -> Result<Keys> {
        match &self.origin {
            Origin::Given(credentials) => {
                let mut credentials = credentials.clone();
                credentials.security_token = self.security_token.clone().or(credentials.security_token);
                credentials.domain_id = self.domain_id.clone().or(credentials.domain_id);
                Ok(Keys::Given(credentials.checked()?))
            }
            Origin::Metadata(_) if self.security_token.is_some() => Err(Error::config(
                "there is a security token, but no access key that it belongs to: the keys of the metadata \
                 service come with their own",
            )),
            Origin::Metadata(chain) => {
                let domain_id = self.domain_id.as_deref().map(checked_domain).transpose()?;
                let endpoint = &self.metadata_endpoint;
                Metadata::open(endpoint, options, domain_id, chain.clone()).map(Keys::Metadata)
            }
        }
    }
}

/// The first of environment, profile file and metadata service that has a key. The last is not asked yet.
///
/// # Errors
/// If the environment or the file has half a key, or the file can not be read.
pub(super) fn default_chain(lookup: EnvLookup<'_>, home: Option<&Path>) -> Result<Origin> {
    let mut chain = CredentialChain::default();
    if let Some(given) = chain.try_source("the environment", from_environment(lookup))? {
        return Ok(Origin::Given(given));
    }
    if let Some(path) = lookup(CREDENTIALS_FILE)? {
        // Named on purpose, so it has to be there.
        let source = format!("{path} (of {CREDENTIALS_FILE})");
        if let Some(given) = chain.try_source(&source, named_profile(Path::new(&path)))? {
            return Ok(Origin::Given(given));
        }
    } else {
        let path = home.map(|home| home.join(".huaweicloud").join("credentials"));
        let source = match &path {
            Some(path) => path.display().to_string(),
            None => "~/.huaweicloud/credentials".into(),
        };
        if let Some(given) = chain.try_source(&source, default_profile(path.as_deref()))? {
            return Ok(Origin::Given(given));
        }
    }
    Ok(Origin::Metadata(chain))
}

/// The key in the environment, with the token and domain that stand there too.
pub(super) fn from_environment(lookup: EnvLookup<'_>) -> Result<Lookup<Credentials>> {
    let half = |there: &str, missing: &str| {
        let text = format!("the environment variable {missing} is not set, but {there} is");
        Err(Error::config(text))
    };
    match (lookup(ACCESS_KEY)?, lookup(SECRET_KEY)?) {
        (None, None) => Ok(Lookup::Missing(format!(
            "the environment variables {ACCESS_KEY} and {SECRET_KEY} are not set"
        ))),
        (Some(_), None) => half(ACCESS_KEY, SECRET_KEY),
        (None, Some(_)) => half(SECRET_KEY, ACCESS_KEY),
        (Some(access_key), Some(secret_key)) => Ok(Lookup::Found(Credentials {
            access_key,
            secret_key: secret_key.into(),
            security_token: lookup("HUAWEICLOUD_SDK_SECURITY_TOKEN")?.map(SecretString::from),
            domain_id: lookup("HUAWEICLOUD_SDK_DOMAIN_ID")?,
        })),
    }
}

/// The key in a profile file that has to be there.
pub(super) fn named_profile(path: &Path) -> Result<Lookup<Credentials>> {
    match read_if_exists(path)? {
        Some(text) => credentials_file::read(text.expose_secret()),
        None => Err(Error::config("there is no such file")),
    }
}

fn default_profile(path: Option<&Path>) -> Result<Lookup<Credentials>> {
    let Some(path) = path else {
        return Ok(Lookup::Missing("the home directory is not known".into()));
    };
    match read_if_exists(path)? {
        Some(text) => credentials_file::read(text.expose_secret()),
        None => Ok(Lookup::Missing("there is no such file".into())),
    }
}

/// Signs every attempt anew: a signature holds its date.
pub(super) struct Signer {
    pub(super) keys: Keys,
    pub(super) clock: Clock,
}

impl Signer {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now().into()
    }
}

impl Auth for Signer {
    type Credential = Option<Arc<Token<Credentials>>>;

    async fn credential(&self) -> Result<Self::Credential> {
        match &self.keys {
            Keys::Given(_) => Ok(None),
            Keys::Metadata(metadata) => metadata.key().await.map(Some),
        }
    }

    fn apply(&self, credential: &Self::Credential, request: &mut Request<Bytes>) -> Result<()> {
        match (&self.keys, credential) {
            (_, Some(key)) => sign(request, &key.value, self.now()),
            (Keys::Given(key), None) => sign(request, key, self.now()),
            (Keys::Metadata(_), None) => Err(Error::config("there is no access key to sign with")),
        }
    }

    // A 401 is never replayed: more than five failures in a row lock the key.

    fn secrets(&self, credential: &Self::Credential) -> Vec<SecretString> {
        match (&self.keys, credential) {
            (_, Some(key)) => vec![key.value.secret_key.clone()],
            (Keys::Given(key), None) => vec![key.secret_key.clone()],
            (Keys::Metadata(_), None) => Vec::new(),
        }
    }

    fn parse_error(&self, response: &ApiResponse) -> ErrorResponse {
        error::read(response, &date(self.now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &'static [(&str, &str)]) -> impl Fn(&str) -> Result<Option<String>> {
        move |name| {
            let set = variables.iter().find(|(variable, _)| *variable == name);
            Ok(set.map(|(_, value)| (*value).to_owned()))
        }
    }

    /// The access key that the chain finds, or why it found none yet.
    fn chain(variables: &'static [(&str, &str)], home: Option<&Path>) -> Result<String, String> {
        match default_chain(&environment(variables), home) {
            Ok(Origin::Given(given)) => Ok(given.access_key),
            Ok(Origin::Metadata(chain)) => Err(chain.text(None)),
            Err(error) => Err(format!("{error} {error:?}")),
        }
    }

    fn home_with(profile: &str) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".huaweicloud")).unwrap();
        std::fs::write(home.path().join(".huaweicloud/credentials"), profile).unwrap();
        home
    }

    #[test]
    fn the_environment_goes_before_the_file_and_the_file_before_the_metadata_service() {
        let home = home_with("[global]\nak = F\nsk = f");
        let set: &[_] = &[(ACCESS_KEY, "E"), (SECRET_KEY, "e")];
        assert_eq!(chain(set, Some(home.path())).unwrap(), "E");
        assert_eq!(chain(&[], Some(home.path())).unwrap(), "F");
        let elsewhere = tempfile::tempdir().unwrap();
        let why = chain(&[], Some(elsewhere.path())).unwrap_err();
        for part in [ACCESS_KEY, SECRET_KEY, ".huaweicloud/credentials: there is no such file"] {
            assert!(why.contains(part), "{why}");
        }
        assert!(chain(&[], None).unwrap_err().contains("home directory"));
    }

    #[test]
    fn half_a_key_ends_the_chain_rather_than_be_another_identity() {
        let home = home_with("[global]\nak = F\nsk = f");
        let why = chain(&[(SECRET_KEY, "canary")], Some(home.path())).unwrap_err();
        assert!(why.contains(ACCESS_KEY) && !why.contains("canary"), "{why}");
        let home = home_with("[global]\nsk = canary");
        let why = chain(&[], Some(home.path())).unwrap_err();
        assert!(why.contains("has sk but no ak") && why.contains(ACCESS_KEY), "{why}");
        assert!(!why.contains("canary"), "{why}");
    }

    #[test]
    fn a_file_that_is_named_has_to_be_there() {
        let home = home_with("[global]\nak = F\nsk = f");
        let why = chain(&[(CREDENTIALS_FILE, "/nowhere/at/all")], Some(home.path())).unwrap_err();
        assert!(why.contains("/nowhere/at/all") && why.contains("no such file"), "{why}");
        let path = home.path().join(".huaweicloud/credentials");
        let lookup = |name: &str| Ok((name == CREDENTIALS_FILE).then(|| path.display().to_string()));
        assert!(matches!(default_chain(&lookup, None), Ok(Origin::Given(given)) if given.access_key == "F"));
    }
}
