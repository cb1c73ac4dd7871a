//! Where a tenant's URL and credentials come from: the environment, `./config.json`, the file of
//! SailPoint's command line tool.

use std::{borrow::Cow, collections::BTreeMap, path::Path};

use secrecy::{ExposeSecret, SecretString};
use serde_json::value::RawValue;

use crate::{
    Error, Result,
    auth::{CredentialChain, EnvLookup, Lookup, read_if_exists},
    record,
};

/// A tenant and who logs in there. All of it comes from one source: an id of one and a secret of another
/// would at best be refused.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) base_url: String,
    pub(super) client_id: String,
    pub(super) client_secret: SecretString,
}

/// The first of environment, `directory/config.json` and `home/.sailpoint/config.yaml` that has credentials.
///
/// # Errors
/// If none has, naming each and why; if one has them in part, or can not be read.
pub(super) fn default_chain(lookup: EnvLookup<'_>, directory: &Path, home: Option<&Path>) -> Result<Config> {
    let mut chain = CredentialChain::default();
    if let Some(config) = chain.try_source("the environment", from_environment(lookup))? {
        return Ok(config);
    }
    let path = directory.join("config.json");
    if let Some(config) = chain.try_source(&path.display().to_string(), from_file(&path, read_json))? {
        return Ok(config);
    }
    let (source, asked) = match home.map(|home| home.join(".sailpoint").join("config.yaml")) {
        Some(path) => (path.display().to_string(), from_file(&path, read_yaml)),
        None => {
            ("~/.sailpoint/config.yaml".into(), Ok(Lookup::Missing("the home directory is not known".into())))
        }
    };
    match chain.try_source(&source, asked)? {
        Some(config) => Ok(config),
        None => Err(Error::config(chain.text(None))),
    }
}

/// Taken for a source only if the base URL is set, as SailPoint's SDKs do.
pub(super) fn from_environment(lookup: EnvLookup<'_>) -> Result<Lookup<Config>> {
    let unset = |name: &str| format!("the environment variable {name} is not set");
    let required = |name: &str| lookup(name)?.ok_or_else(|| Error::config(unset(name)));
    let Some(base_url) = lookup("SAIL_BASE_URL")? else {
        return Ok(Lookup::Missing(unset("SAIL_BASE_URL")));
    };
    Ok(Lookup::Found(Config {
        base_url,
        client_id: required("SAIL_CLIENT_ID")?,
        client_secret: required("SAIL_CLIENT_SECRET")?.into(),
    }))
}

fn from_file(path: &Path, read: fn(&str) -> Result<Lookup<Config>>) -> Result<Lookup<Config>> {
    match read_if_exists(path)? {
        Some(text) => read(text.expose_secret()),
        None => Ok(Lookup::Missing("there is no such file".into())),
    }
}

/// `{"ClientId": …, "ClientSecret": …, "BaseURL": …}`, its keys in any case, as the SDK in Go takes them.
///
/// Many programs have a `config.json`: one with none of the three keys is passed over.
fn read_json(text: &str) -> Result<Lookup<Config>> {
    let members: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(text)
        .map_err(|error| Error::config(format!("it is no JSON object: {}", record::reason(&error))))?;
    let get = |key: &str| -> Result<Option<SecretString>> {
        let member = members.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
        let value: Option<Option<SecretString>> = member
            .map(|(_, value)| serde_json::from_str(value.get()))
            .transpose()
            .map_err(|_| Error::config(format!("its {key} is no string")))?;
        Ok(value.flatten().filter(|value| !value.expose_secret().trim().is_empty()))
    };
    match (get("BaseURL")?, get("ClientId")?, get("ClientSecret")?) {
        (None, None, None) => Ok(Lookup::Missing("it has no BaseURL, ClientId and ClientSecret".into())),
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
            Err(Error::config(format!("it has no {}", missing.join(" and no "))))
        }
    }
}

#[cfg(feature = "sailpoint-config")]
use yaml::read as read_yaml;

#[cfg(not(feature = "sailpoint-config"))]
#[expect(clippy::unnecessary_wraps, reason = "as the one that reads")]
fn read_yaml(_: &str) -> Result<Lookup<Config>> {
    Ok(Lookup::Missing("it is not read without the feature sailpoint-config of this crate".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENVIRONMENT: [(&str, &str); 3] = [
        ("SAIL_BASE_URL", "https://env.example"),
        ("SAIL_CLIENT_ID", "id"),
        ("SAIL_CLIENT_SECRET", "canary"),
    ];

    /// The base URL that the chain finds, or why it finds none.
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
    fn the_environment_goes_before_the_file_and_nothing_is_mixed() {
        let directory = tempfile::tempdir().unwrap();
        let json =
            r#"{"clientid":"i","CLIENTSECRET":"canary","BaseUrl":"https://json.example","NermBaseUrl":null}"#;
        std::fs::write(directory.path().join("config.json"), json).unwrap();
        assert_eq!(chain(&ENVIRONMENT, directory.path()).unwrap(), "https://env.example");
        assert_eq!(chain(&ENVIRONMENT[1..], directory.path()).unwrap(), "https://json.example");
        let why = chain(&ENVIRONMENT[..2], directory.path()).unwrap_err();
        assert!(why.contains("SAIL_CLIENT_SECRET is not set"), "{why}");
    }

    #[test]
    fn if_no_source_has_credentials_each_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let why = chain(&[], directory.path()).unwrap_err();
        for part in ["SAIL_BASE_URL is not set", "config.json: there is no such file", "config.yaml: there"] {
            assert!(why.contains(part), "{why}");
        }
        std::fs::write(directory.path().join("config.json"), r#"{"port": 80}"#).unwrap();
        let why = chain(&[], directory.path()).unwrap_err();
        assert!(why.contains("it has no BaseURL, ClientId and ClientSecret"), "{why}");
    }

    #[test]
    fn half_a_config_json_ends_the_chain_without_quoting_it() {
        for (json, expected) in [
            (r#"{"ClientSecret":"canary","BaseURL":" "}"#, "it has no BaseURL and no ClientId"),
            (r#"{"ClientId":"i","ClientSecret":["canary"],"BaseURL":"b"}"#, "its ClientSecret is no string"),
            (r#""canary""#, "it is no JSON object"),
            (r#"{"ClientSecret":"canary" "#, "it is no JSON object"),
        ] {
            let directory = tempfile::tempdir().unwrap();
            std::fs::write(directory.path().join("config.json"), json).unwrap();
            let why = chain(&[], directory.path()).unwrap_err();
            assert!(why.contains(expected) && why.contains("SAIL_BASE_URL"), "{why}");
        }
    }

    #[cfg(not(feature = "sailpoint-config"))]
    #[test]
    fn without_its_feature_the_tools_file_is_said_to_be_unread() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".sailpoint")).unwrap();
        std::fs::write(home.path().join(".sailpoint/config.yaml"), "{}").unwrap();
        assert!(chain(&[], home.path()).unwrap_err().contains("feature sailpoint-config"));
    }

    #[cfg(feature = "sailpoint-config")]
    #[test]
    fn the_tools_file_is_the_last_to_be_asked() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".sailpoint")).unwrap();
        let yaml = "activeenvironment: a\nenvironments:\n  a:\n    baseurl: https://yaml.example\n    \
                    pat: {clientid: i, clientsecret: canary}\n";
        std::fs::write(home.path().join(".sailpoint/config.yaml"), yaml).unwrap();
        assert_eq!(chain(&[], home.path()).unwrap(), "https://yaml.example");
        assert_eq!(chain(&ENVIRONMENT, home.path()).unwrap(), "https://env.example");
    }
}

/// `~/.sailpoint/config.yaml`, the file of SailPoint's command line tool.
#[cfg(feature = "sailpoint-config")]
mod yaml {
    use std::collections::BTreeMap;

    use secrecy::SecretString;
    use serde::Deserialize;

    use super::Config;
    use crate::{Error, Result, auth::Lookup};

    /// What is read of the file; the tool writes more. Its keys are in lower case, as the tool writes them.
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

    /// The active environment in the text of the file.
    ///
    /// The tool's today's versions keep id and secret in the system's keyring, which is not read: a file of
    /// theirs has no credentials. Nor is the access token taken that older ones left here: it has long ended.
    pub(super) fn read(text: &str) -> Result<Lookup<Config>> {
        // The parser's own text may quote a value.
        let file: Option<File> = yaml_serde::from_str(text).map_err(|error| {
            Error::config(match error.location() {
                Some(place) => {
                    format!("it is not understood at line {} column {}", place.line(), place.column())
                }
                None => "it is not understood".into(),
            })
        })?;
        let nothing = |why: String| Ok(Lookup::Missing(why));
        let (active, environments) = match file {
            Some(File { activeenvironment: Some(active), environments: Some(environments) })
                if !active.is_empty() =>
            {
                (active, environments)
            }
            _ => return nothing("it has no activeenvironment, or no environments".into()),
        };
        // The tool's own library has keys in lower case, whatever the name was.
        let environment = environments
            .into_iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(&active))
            .and_then(|(_, environment)| environment);
        let Some(environment) = environment else {
            return nothing(format!("it has no environment {active}, which is the active one"));
        };
        let pat = environment.pat.unwrap_or(Pat { clientid: None, clientsecret: None });
        match (environment.baseurl, pat.clientid, pat.clientsecret) {
            (Some(base_url), Some(client_id), Some(client_secret)) => {
                Ok(Lookup::Found(Config { base_url, client_id, client_secret }))
            }
            (None, _, _) => nothing(format!("its environment {active} has no baseurl")),
            _ => nothing(format!(
                "its environment {active} has no pat.clientid and pat.clientsecret; SailPoint's tool keeps them in \
             the system's keyring, which is not read: set SAIL_BASE_URL, SAIL_CLIENT_ID and \
             SAIL_CLIENT_SECRET instead"
            )),
        }
    }

    #[cfg(test)]
    mod tests {
        use secrecy::ExposeSecret;

        use super::*;

        fn why(text: &str) -> String {
            match read(text) {
                Ok(Lookup::Missing(why)) => why,
                Ok(Lookup::Found(config)) => panic!("{config:?}"),
                Err(error) => {
                    assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
                    error.to_string()
                }
            }
        }

        #[test]
        fn the_active_environment_of_an_older_tool_is_read() {
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
                panic!("it has them");
            };
            assert_eq!(config.base_url, "https://acme.api.identitynow.com");
            assert_eq!(config.client_id, "12345678901234567890123456789012");
            assert_eq!(config.client_secret.expose_secret(), "123e5", "no number");
            assert!(!format!("{config:?}").contains("123e5"));
        }

        #[test]
        fn a_file_without_secrets_says_where_they_are() {
            let text = "activeenvironment: a\nenvironments:\n  a:\n    baseurl: https://a.example\n";
            for text in [text.to_owned(), format!("{text}    pat:\n      clientid: i\n")] {
                assert!(why(&text).contains("keyring"), "{text}");
            }
        }

        #[test]
        fn what_is_missing_is_named_and_what_is_wrong_not_quoted() {
            for (text, expected) in [
                ("", "no activeenvironment"),
                ("activeenvironment: \"\"\nenvironments: {}", "no activeenvironment"),
                ("activeenvironment: a\nenvironments: {b: {}}", "no environment a"),
                ("activeenvironment: a\nenvironments: {a: }", "no environment a"),
                ("activeenvironment: a\nenvironments: {a: {}}", "no baseurl"),
                ("activeenvironment: [canary", "not understood at line"),
                ("canary", "not understood"),
                ("activeenvironment: a\nenvironments:\n  a: canary", "not understood at line"),
            ] {
                assert!(why(text).contains(expected), "{text}: {}", why(text));
            }
        }
    }
}
