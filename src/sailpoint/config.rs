//! Reads a tenant's URL and credentials from the environment, `./config.json` or the configuration file of
//! SailPoint's command line tool.

use std::{borrow::Cow, collections::BTreeMap, path::Path};

use secrecy::{ExposeSecret, SecretString};
use serde_json::value::RawValue;

use crate::{
    Error, Result,
    auth::{CredentialChain, EnvLookup, Lookup, read_if_exists},
    record,
};

/// The URL of a tenant and its client credentials.
///
/// All values are from the same source: the id of one source is not valid with the secret of another.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) base_url: String,
    pub(super) client_id: String,
    pub(super) client_secret: SecretString,
}

/// Returns the credentials of the first source that has any: the environment, `directory/config.json` or
/// `home/.sailpoint/config.yaml`.
///
/// # Errors
/// If no source has credentials, naming each source and the reason. If a source has only some of the values,
/// or cannot be read.
pub(super) fn default_chain(lookup: EnvLookup<'_>, directory: &Path, home: Option<&Path>) -> Result<Config> {
    let mut chain = CredentialChain::default();
    if let Some(config) = chain.try_source("the environment", from_environment(lookup))? {
        return Ok(config);
    }
    let path = directory.join("config.json");
    if let Some(config) = chain.try_source(&path.display().to_string(), from_file(&path, read_json))? {
        return Ok(config);
    }
    let (source, lookup) = match home.map(|home| home.join(".sailpoint").join("config.yaml")) {
        Some(path) => (path.display().to_string(), from_file(&path, read_yaml)),
        None => {
            ("~/.sailpoint/config.yaml".into(), Ok(Lookup::Missing("the home directory is unknown".into())))
        }
    };
    match chain.try_source(&source, lookup)? {
        Some(config) => Ok(config),
        None => Err(Error::config(chain.text(None))),
    }
}

/// Reads the environment variables. They are skipped if none of them is set.
///
/// SailPoint's SDKs also skip a client id and secret without a base URL, and so may use another tenant's file.
pub(super) fn from_environment(lookup: EnvLookup<'_>) -> Result<Lookup<Config>> {
    let unset = |name: &str| format!("environment variable {name} is not set");
    let required = |name: &str| lookup(name)?.ok_or_else(|| Error::config(unset(name)));
    let names = ["SAIL_BASE_URL", "SAIL_CLIENT_ID", "SAIL_CLIENT_SECRET"];
    let values = names.into_iter().map(lookup).collect::<Result<Vec<_>>>()?;
    if values.iter().all(Option::is_none) {
        return Ok(Lookup::Missing(unset("SAIL_BASE_URL")));
    }
    Ok(Lookup::Found(Config {
        base_url: required("SAIL_BASE_URL")?,
        client_id: required("SAIL_CLIENT_ID")?,
        client_secret: required("SAIL_CLIENT_SECRET")?.into(),
    }))
}

fn from_file(path: &Path, read: fn(&str) -> Result<Lookup<Config>>) -> Result<Lookup<Config>> {
    match read_if_exists(path)? {
        Some(text) => read(text.expose_secret()),
        None => Ok(Lookup::Missing("file not found".into())),
    }
}

/// Parses `{"ClientId": …, "ClientSecret": …, "BaseURL": …}`. The keys are case-insensitive, as in
/// SailPoint's Go SDK.
///
/// Many programs have a `config.json`, so a file with none of the three keys is skipped.
fn read_json(text: &str) -> Result<Lookup<Config>> {
    let members: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(text)
        .map_err(|error| Error::config(format!("invalid JSON object: {}", record::describe_error(&error))))?;
    let get = |key: &str| -> Result<Option<SecretString>> {
        let member = members.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
        let value: Option<Option<SecretString>> = member
            .map(|(_, value)| serde_json::from_str(value.get()))
            .transpose()
            .map_err(|_| Error::config(format!("{key} is not a string")))?;
        Ok(value.flatten().filter(|value| !value.expose_secret().trim().is_empty()))
    };
    match (get("BaseURL")?, get("ClientId")?, get("ClientSecret")?) {
        (None, None, None) => Ok(Lookup::Missing("missing BaseURL, ClientId and ClientSecret".into())),
        (Some(base_url), Some(client_id), Some(client_secret)) => Ok(Lookup::Found(Config {
            base_url: base_url.expose_secret().to_owned(),
            client_id: client_id.expose_secret().to_owned(),
            client_secret,
        })),
        (base_url, client_id, client_secret) => {
            let missing: Vec<_> = [
                ("BaseURL", base_url.is_none()),
                ("ClientId", client_id.is_none()),
                ("ClientSecret", client_secret.is_none()),
            ]
            .into_iter()
            .filter_map(|(key, missing)| missing.then_some(key))
            .collect();
            Err(Error::config(format!("missing {}", missing.join(" and "))))
        }
    }
}

#[cfg(feature = "sailpoint-config")]
use yaml::read as read_yaml;

#[cfg(not(feature = "sailpoint-config"))]
#[expect(clippy::unnecessary_wraps, reason = "the signature of the real parser")]
fn read_yaml(_: &str) -> Result<Lookup<Config>> {
    Ok(Lookup::Missing("not read: the crate feature sailpoint-config is disabled".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENVIRONMENT: [(&str, &str); 3] = [
        ("SAIL_BASE_URL", "https://env.example"),
        ("SAIL_CLIENT_ID", "id"),
        ("SAIL_CLIENT_SECRET", "canary"),
    ];

    /// Returns the base URL that the chain finds, or the text of its error.
    fn chain(variables: &[(&str, &str)], directory: &Path) -> Result<String, String> {
        let lookup = |name: &str| {
            let set = variables.iter().find(|(variable, _)| *variable == name);
            Ok(set.map(|(_, value)| (*value).to_owned()))
        };
        default_chain(&lookup, directory, Some(directory)).map(|config| config.base_url).map_err(|error| {
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("canary"), "{shown}");
            shown
        })
    }

    #[test]
    fn environment_precedes_config_json() {
        let directory = tempfile::tempdir().unwrap();
        let json =
            r#"{"clientid":"i","CLIENTSECRET":"canary","BaseUrl":"https://json.example","NermBaseUrl":null}"#;
        std::fs::write(directory.path().join("config.json"), json).unwrap();
        assert_eq!(chain(&ENVIRONMENT, directory.path()).unwrap(), "https://env.example");
        assert_eq!(chain(&[], directory.path()).unwrap(), "https://json.example");
        // The file may belong to another tenant.
        let error = chain(&ENVIRONMENT[1..], directory.path()).unwrap_err();
        assert!(error.contains("SAIL_BASE_URL is not set"), "{error}");
        let error = chain(&ENVIRONMENT[..2], directory.path()).unwrap_err();
        assert!(error.contains("SAIL_CLIENT_SECRET is not set"), "{error}");
    }

    #[test]
    fn error_names_each_source() {
        let directory = tempfile::tempdir().unwrap();
        let error = chain(&[], directory.path()).unwrap_err();
        for part in ["SAIL_BASE_URL is not set", "config.json: file not found", "config.yaml: file"] {
            assert!(error.contains(part), "{error}");
        }
        std::fs::write(directory.path().join("config.json"), r#"{"port": 80}"#).unwrap();
        let error = chain(&[], directory.path()).unwrap_err();
        assert!(error.contains("missing BaseURL, ClientId and ClientSecret"), "{error}");
    }

    #[test]
    fn incomplete_config_json_is_an_error() {
        for (json, expected) in [
            (r#"{"ClientSecret":"canary","BaseURL":" "}"#, "missing BaseURL and ClientId"),
            (r#"{"ClientId":"i","ClientSecret":["canary"],"BaseURL":"b"}"#, "ClientSecret is not a string"),
            (r#""canary""#, "invalid JSON object"),
            (r#"{"ClientSecret":"canary" "#, "invalid JSON object"),
        ] {
            let directory = tempfile::tempdir().unwrap();
            std::fs::write(directory.path().join("config.json"), json).unwrap();
            let error = chain(&[], directory.path()).unwrap_err();
            assert!(error.contains(expected) && error.contains("SAIL_BASE_URL"), "{error}");
        }
    }

    #[cfg(not(feature = "sailpoint-config"))]
    #[test]
    fn cli_file_is_not_read_without_the_feature() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".sailpoint")).unwrap();
        std::fs::write(home.path().join(".sailpoint/config.yaml"), "{}").unwrap();
        assert!(chain(&[], home.path()).unwrap_err().contains("feature sailpoint-config"));
    }

    #[cfg(feature = "sailpoint-config")]
    #[test]
    fn cli_file_is_the_last_source() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".sailpoint")).unwrap();
        let yaml = "activeenvironment: a\nenvironments:\n  a:\n    baseurl: https://yaml.example\n    \
                    pat: {clientid: i, clientsecret: canary}\n";
        std::fs::write(home.path().join(".sailpoint/config.yaml"), yaml).unwrap();
        assert_eq!(chain(&[], home.path()).unwrap(), "https://yaml.example");
        assert_eq!(chain(&ENVIRONMENT, home.path()).unwrap(), "https://env.example");
    }
}

/// Parses `~/.sailpoint/config.yaml`, the configuration file of SailPoint's command line tool.
#[cfg(feature = "sailpoint-config")]
mod yaml {
    use std::collections::BTreeMap;

    use secrecy::SecretString;
    use serde::Deserialize;

    use super::Config;
    use crate::{Error, Result, auth::Lookup};

    /// The parts of the file that are read. The tool writes more members, and all keys in lower case.
    #[derive(Deserialize)]
    struct File {
        activeenvironment: Option<String>,
        environments: Option<BTreeMap<String, Option<Env>>>,
    }

    #[derive(Deserialize)]
    struct Env {
        baseurl: Option<String>,
        pat: Option<Pat>,
    }

    #[derive(Deserialize)]
    struct Pat {
        clientid: Option<String>,
        clientsecret: Option<SecretString>,
    }

    /// Parses the active environment.
    ///
    /// Current versions of the tool keep the id and secret in the system keyring, which is not read, so their
    /// file has no credentials. The access token that older versions stored in the file is not used, as it
    /// has probably expired.
    pub(super) fn read(text: &str) -> Result<Lookup<Config>> {
        // The parser's message may contain a value.
        let file: Option<File> = yaml_serde::from_str(text).map_err(|error| {
            Error::config(match error.location() {
                Some(location) => {
                    format!("cannot be parsed at line {} column {}", location.line(), location.column())
                }
                None => "cannot be parsed".into(),
            })
        })?;
        let missing = |reason: String| Ok(Lookup::Missing(reason));
        let (active, environments) = match file {
            Some(File { activeenvironment: Some(active), environments: Some(environments) })
                if !active.is_empty() =>
            {
                (active, environments)
            }
            _ => return missing("missing activeenvironment or environments".into()),
        };
        // The tool's library writes keys in lower case, regardless of the name.
        let environment = environments
            .into_iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(&active))
            .and_then(|(_, environment)| environment);
        let Some(environment) = environment else {
            return missing(format!("missing active environment {active}"));
        };
        let pat = environment.pat.unwrap_or(Pat { clientid: None, clientsecret: None });
        match (environment.baseurl, pat.clientid, pat.clientsecret) {
            (Some(base_url), Some(client_id), Some(client_secret)) => {
                Ok(Lookup::Found(Config { base_url, client_id, client_secret }))
            }
            (None, _, _) => missing(format!("environment {active} has no baseurl")),
            _ => missing(format!(
                "environment {active} has no pat.clientid and pat.clientsecret; SailPoint's tool keeps them \
                 in the system keyring, which is not read; set SAIL_BASE_URL, SAIL_CLIENT_ID and \
                 SAIL_CLIENT_SECRET instead"
            )),
        }
    }

    #[cfg(test)]
    mod tests {
        use secrecy::ExposeSecret;

        use super::*;

        fn error(text: &str) -> String {
            match read(text) {
                Ok(Lookup::Missing(reason)) => reason,
                Ok(Lookup::Found(config)) => panic!("{config:?}"),
                Err(error) => {
                    assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
                    error.to_string()
                }
            }
        }

        #[test]
        fn active_environment_of_an_older_tool() {
            let text = "
authtype: pat
activeenvironment: Acme
debug: false
exporttemplatespath: \"\"
environments:
    default:
        baseurl: https://other.api.identitynow.com
    acme:
        tenanturl: https://acme.identitynow.com
        baseurl: https://acme.api.identitynow.com
        pat:
            clientid: 12345678901234567890123456789012
            clientsecret: 123e5
            accesstoken: canary
            expiry: 2024-01-01T00:00:00Z
        oauth: {}
";
            let Lookup::Found(config) = read(text).unwrap() else {
                panic!("no credentials found");
            };
            assert_eq!(config.base_url, "https://acme.api.identitynow.com");
            assert_eq!(config.client_id, "12345678901234567890123456789012");
            assert_eq!(config.client_secret.expose_secret(), "123e5", "not parsed as a number");
            assert!(!format!("{config:?}").contains("123e5"));
        }

        #[test]
        fn missing_credentials_mention_the_keyring() {
            let text = "activeenvironment: a\nenvironments:\n  a:\n    baseurl: https://a.example\n";
            for text in [text.to_owned(), format!("{text}    pat:\n      clientid: i\n")] {
                assert!(error(&text).contains("keyring"), "{text}");
            }
        }

        #[test]
        fn errors_name_missing_keys_without_values() {
            for (text, expected) in [
                ("", "missing activeenvironment"),
                ("activeenvironment: \"\"\nenvironments: {}", "missing activeenvironment"),
                ("activeenvironment: a\nenvironments: {b: {}}", "missing active environment a"),
                ("activeenvironment: a\nenvironments: {a: }", "missing active environment a"),
                ("activeenvironment: a\nenvironments: {a: {}}", "no baseurl"),
                ("activeenvironment: [canary", "cannot be parsed at line"),
                ("canary", "cannot be parsed"),
                ("activeenvironment: a\nenvironments:\n  a: canary", "cannot be parsed at line"),
            ] {
                assert!(error(text).contains(expected), "{text}: {}", error(text));
            }
        }
    }
}
