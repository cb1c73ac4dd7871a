//! Where a tenant's URL and credentials come from: the environment, `./config.json`, the file of
//! SailPoint's command line tool.

use std::{borrow::Cow, collections::BTreeMap, path::Path};

use secrecy::{ExposeSecret, SecretString};
use serde_json::value::RawValue;

use crate::{
    Error, Result,
    auth::{Asked, InVain, Lookup, read_if_there},
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
pub(super) fn default_chain(lookup: Lookup<'_>, directory: &Path, home: Option<&Path>) -> Result<Config> {
    let mut in_vain = InVain::default();
    if let Some(config) = in_vain.ask("the environment", from_environment(lookup))? {
        return Ok(config);
    }
    let path = directory.join("config.json");
    if let Some(config) = in_vain.ask(&path.display().to_string(), from_file(&path, read_json))? {
        return Ok(config);
    }
    let (source, asked) = match home.map(|home| home.join(".sailpoint").join("config.yaml")) {
        Some(path) => (path.display().to_string(), from_file(&path, read_yaml)),
        None => {
            ("~/.sailpoint/config.yaml".into(), Ok(Asked::Nothing("the home directory is not known".into())))
        }
    };
    match in_vain.ask(&source, asked)? {
        Some(config) => Ok(config),
        None => Err(Error::config(in_vain.text(None))),
    }
}

/// Taken for a source only if the base URL is set, as SailPoint's SDKs do.
pub(super) fn from_environment(lookup: Lookup<'_>) -> Result<Asked<Config>> {
    let unset = |name: &str| format!("the environment variable {name} is not set");
    let required = |name: &str| lookup(name)?.ok_or_else(|| Error::config(unset(name)));
    let Some(base_url) = lookup("SAIL_BASE_URL")? else {
        return Ok(Asked::Nothing(unset("SAIL_BASE_URL")));
    };
    Ok(Asked::Has(Config {
        base_url,
        client_id: required("SAIL_CLIENT_ID")?,
        client_secret: required("SAIL_CLIENT_SECRET")?.into(),
    }))
}

fn from_file(path: &Path, read: fn(&str) -> Result<Asked<Config>>) -> Result<Asked<Config>> {
    match read_if_there(path)? {
        Some(text) => read(text.expose_secret()),
        None => Ok(Asked::Nothing("there is no such file".into())),
    }
}

/// `{"ClientId": …, "ClientSecret": …, "BaseURL": …}`, its keys in any case, as the SDK in Go takes them.
///
/// Many programs have a `config.json`: one with none of the three keys is passed over.
fn read_json(text: &str) -> Result<Asked<Config>> {
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
        (None, None, None) => Ok(Asked::Nothing("it has no BaseURL, ClientId and ClientSecret".into())),
        (Some(base_url), Some(client_id), Some(client_secret)) => Ok(Asked::Has(Config {
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
use super::config_yaml::read as read_yaml;

#[cfg(not(feature = "sailpoint-config"))]
#[expect(clippy::unnecessary_wraps, reason = "as the one that reads")]
fn read_yaml(_: &str) -> Result<Asked<Config>> {
    Ok(Asked::Nothing("it is not read without the feature sailpoint-config of this crate".into()))
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
