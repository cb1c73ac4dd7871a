//! Credential sources (the application, the environment, a credentials file, the metadata service), and the
//! [`Signer`] that signs each request.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::Request;
use secrecy::{ExposeSecret, SecretString};

use super::{
    credentials_file, error,
    imds::{self, MetadataCredentials},
    signing::{Credentials, format_date, sign, validate_domain_id},
};
use crate::{
    Error, Result,
    auth::{CredentialChain, EnvLookup, Lookup, Token, read_if_exists, required},
    http::{ApiResponse, Auth, ClientOptions, Clock, ErrorResponse},
};

const ACCESS_KEY: &str = "HUAWEICLOUD_SDK_AK";
const SECRET_KEY: &str = "HUAWEICLOUD_SDK_SK";
const CREDENTIALS_FILE: &str = "HUAWEICLOUD_SDK_CREDENTIALS_FILE";

/// The credential settings of a client builder.
#[derive(Clone, Debug)]
pub(super) struct CredentialConfig {
    /// Where the key comes from if it is not set here.
    source: Option<CredentialSource>,
    pub(super) access_key: Option<String>,
    pub(super) secret_key: Option<SecretString>,
    /// Takes precedence over the security token of `source`.
    pub(super) security_token: Option<SecretString>,
    /// Takes precedence over the domain id of `source`.
    pub(super) domain_id: Option<String>,
    pub(super) metadata_endpoint: String,
}

#[derive(Clone, Debug)]
pub(super) enum CredentialSource {
    Static(Credentials),
    /// The metadata service, queried on the first request. The chain lists the sources that had no key.
    Metadata(CredentialChain),
}

/// Provides the access key for each request.
pub(super) enum CredentialProvider {
    Static(Credentials),
    Metadata(MetadataCredentials),
}

impl CredentialConfig {
    pub(super) fn new(source: Option<CredentialSource>) -> Self {
        Self {
            source,
            access_key: None,
            secret_key: None,
            security_token: None,
            domain_id: None,
            metadata_endpoint: imds::ENDPOINT.into(),
        }
    }

    fn source(&self) -> Result<CredentialSource> {
        match (&self.access_key, &self.secret_key, &self.source) {
            (None, None, Some(source)) => Ok(source.clone()),
            (access_key, secret_key, _) => Ok(CredentialSource::Static(Credentials {
                access_key: required(access_key.clone(), "access_key")?,
                secret_key: required(secret_key.clone(), "secret_key")?,
                security_token: None,
                domain_id: None,
            })),
        }
    }

    /// Validates all settings. Sends no requests.
    pub(super) fn build(&self, options: &ClientOptions) -> Result<CredentialProvider> {
        match self.source()? {
            CredentialSource::Static(mut credentials) => {
                credentials.security_token = self.security_token.clone().or(credentials.security_token);
                credentials.domain_id = self.domain_id.clone().or(credentials.domain_id);
                Ok(CredentialProvider::Static(credentials.validated()?))
            }
            CredentialSource::Metadata(_) if self.security_token.is_some() => Err(Error::config(
                "security token set without an access key; keys of the metadata service include their own token",
            )),
            CredentialSource::Metadata(chain) => {
                let domain_id = self.domain_id.as_deref().map(validate_domain_id).transpose()?;
                let endpoint = &self.metadata_endpoint;
                MetadataCredentials::new(endpoint, options, domain_id, chain)
                    .map(CredentialProvider::Metadata)
            }
        }
    }
}

/// Returns the first of environment, credentials file and metadata service that has a key. The metadata
/// service is not queried yet.
///
/// # Errors
/// If the environment or the file has an incomplete key, or the file cannot be read.
pub(super) fn default_chain(lookup: EnvLookup<'_>, home: Option<&Path>) -> Result<CredentialSource> {
    let mut chain = CredentialChain::default();
    if let Some(credentials) = chain.try_source("the environment", from_environment(lookup))? {
        return Ok(CredentialSource::Static(credentials));
    }
    if let Some(path) = lookup(CREDENTIALS_FILE)? {
        // Configured explicitly, so a missing file is an error.
        let source = format!("{path} (from {CREDENTIALS_FILE})");
        if let Some(credentials) = chain.try_source(&source, from_file(Path::new(&path)))? {
            return Ok(CredentialSource::Static(credentials));
        }
    } else {
        let path = home.map(|home| home.join(".huaweicloud").join("credentials"));
        let source = match &path {
            Some(path) => path.display().to_string(),
            None => "~/.huaweicloud/credentials".into(),
        };
        if let Some(credentials) = chain.try_source(&source, from_default_file(path.as_deref()))? {
            return Ok(CredentialSource::Static(credentials));
        }
    }
    Ok(CredentialSource::Metadata(chain))
}

/// Reads the access key, security token and domain id from the environment.
pub(super) fn from_environment(lookup: EnvLookup<'_>) -> Result<Lookup<Credentials>> {
    let incomplete = |present: &str, missing: &str| {
        let text = format!("the environment variable {missing} is not set, but {present} is");
        Err(Error::config(text))
    };
    match (lookup(ACCESS_KEY)?, lookup(SECRET_KEY)?) {
        (None, None) => Ok(Lookup::Missing(format!(
            "the environment variables {ACCESS_KEY} and {SECRET_KEY} are not set"
        ))),
        (Some(_), None) => incomplete(ACCESS_KEY, SECRET_KEY),
        (None, Some(_)) => incomplete(SECRET_KEY, ACCESS_KEY),
        (Some(access_key), Some(secret_key)) => Ok(Lookup::Found(Credentials {
            access_key,
            secret_key: secret_key.into(),
            security_token: lookup("HUAWEICLOUD_SDK_SECURITY_TOKEN")?.map(SecretString::from),
            domain_id: lookup("HUAWEICLOUD_SDK_DOMAIN_ID")?,
        })),
    }
}

/// Reads the key from a credentials file that must exist.
pub(super) fn from_file(path: &Path) -> Result<Lookup<Credentials>> {
    match read_if_exists(path)? {
        Some(text) => credentials_file::parse(text.expose_secret()),
        None => Err(Error::config("no such file")),
    }
}

fn from_default_file(path: Option<&Path>) -> Result<Lookup<Credentials>> {
    let Some(path) = path else {
        return Ok(Lookup::Missing("the home directory is unknown".into()));
    };
    match read_if_exists(path)? {
        Some(text) => credentials_file::parse(text.expose_secret()),
        None => Ok(Lookup::Missing("no such file".into())),
    }
}

/// Signs every attempt separately, because a signature includes the date.
pub(super) struct Signer {
    pub(super) credentials: CredentialProvider,
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
        match &self.credentials {
            CredentialProvider::Static(_) => Ok(None),
            CredentialProvider::Metadata(metadata) => metadata.get().await.map(Some),
        }
    }

    fn apply(&self, credential: &Self::Credential, request: &mut Request<Bytes>) -> Result<()> {
        match (&self.credentials, credential) {
            (_, Some(token)) => sign(request, &token.value, self.now()),
            (CredentialProvider::Static(credentials), None) => sign(request, credentials, self.now()),
            (CredentialProvider::Metadata(_), None) => Err(Error::config("no access key to sign with")),
        }
    }

    // `on_unauthorized` is not overridden: a 401 is never retried, since more than five consecutive failures
    // lock the key.

    fn secrets(&self, credential: &Self::Credential) -> Vec<SecretString> {
        match (&self.credentials, credential) {
            (_, Some(token)) => vec![token.value.secret_key.clone()],
            (CredentialProvider::Static(credentials), None) => vec![credentials.secret_key.clone()],
            (CredentialProvider::Metadata(_), None) => Vec::new(),
        }
    }

    fn parse_error(&self, response: &ApiResponse) -> ErrorResponse {
        error::parse(response, &format_date(self.now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env_lookup(variables: &'static [(&str, &str)]) -> impl Fn(&str) -> Result<Option<String>> {
        move |name| {
            let entry = variables.iter().find(|(variable, _)| *variable == name);
            Ok(entry.map(|(_, value)| (*value).to_owned()))
        }
    }

    /// Returns the access key that the chain finds, or the text of its error.
    fn chain(variables: &'static [(&str, &str)], home: Option<&Path>) -> Result<String, String> {
        match default_chain(&env_lookup(variables), home) {
            Ok(CredentialSource::Static(credentials)) => Ok(credentials.access_key),
            Ok(CredentialSource::Metadata(chain)) => Err(chain.text(None)),
            Err(error) => Err(format!("{error} {error:?}")),
        }
    }

    fn home_with(credentials: &str) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".huaweicloud")).unwrap();
        std::fs::write(home.path().join(".huaweicloud/credentials"), credentials).unwrap();
        home
    }

    #[test]
    fn default_chain_order() {
        let home = home_with("[global]\nak = F\nsk = f");
        let variables: &[_] = &[(ACCESS_KEY, "E"), (SECRET_KEY, "e")];
        assert_eq!(chain(variables, Some(home.path())).unwrap(), "E");
        assert_eq!(chain(&[], Some(home.path())).unwrap(), "F");
        let empty_home = tempfile::tempdir().unwrap();
        let error = chain(&[], Some(empty_home.path())).unwrap_err();
        for part in [ACCESS_KEY, SECRET_KEY, ".huaweicloud/credentials: no such file"] {
            assert!(error.contains(part), "{error}");
        }
        assert!(chain(&[], None).unwrap_err().contains("home directory"));
    }

    #[test]
    fn incomplete_key_ends_the_chain() {
        let home = home_with("[global]\nak = F\nsk = f");
        let error = chain(&[(SECRET_KEY, "canary")], Some(home.path())).unwrap_err();
        assert!(error.contains(ACCESS_KEY) && !error.contains("canary"), "{error}");
        let home = home_with("[global]\nsk = canary");
        let error = chain(&[], Some(home.path())).unwrap_err();
        assert!(error.contains("has sk but no ak") && error.contains(ACCESS_KEY), "{error}");
        assert!(!error.contains("canary"), "{error}");
    }

    #[test]
    fn configured_file_must_exist() {
        let home = home_with("[global]\nak = F\nsk = f");
        let error = chain(&[(CREDENTIALS_FILE, "/nowhere/at/all")], Some(home.path())).unwrap_err();
        assert!(error.contains("/nowhere/at/all") && error.contains("no such file"), "{error}");
        let path = home.path().join(".huaweicloud/credentials");
        let lookup = |name: &str| Ok((name == CREDENTIALS_FILE).then(|| path.display().to_string()));
        assert!(matches!(
            default_chain(&lookup, None),
            Ok(CredentialSource::Static(credentials)) if credentials.access_key == "F"
        ));
    }
}
