//! `~/.sailpoint/config.yaml`, the file of SailPoint's command line tool.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::Deserialize;

use super::config::Config;
use crate::{Error, Result, auth::Asked};

/// What is read of the file; the tool writes more. Its keys are in lower case, as the tool writes them.
#[derive(Deserialize)]
struct File {
    activeenvironment: Option<String>,
    environments: Option<BTreeMap<String, Option<Environment>>>,
}

#[derive(Deserialize)]
struct Environment {
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
pub(super) fn read(text: &str) -> Result<Asked<Config>> {
    // The parser's own text may quote a value.
    let file: Option<File> = yaml_serde::from_str(text).map_err(|error| {
        Error::config(match error.location() {
            Some(place) => format!("it is not understood at line {} column {}", place.line(), place.column()),
            None => "it is not understood".into(),
        })
    })?;
    let nothing = |why: String| Ok(Asked::Nothing(why));
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
            Ok(Asked::Has(Config { base_url, client_id, client_secret }))
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
            Ok(Asked::Nothing(why)) => why,
            Ok(Asked::Has(config)) => panic!("{config:?}"),
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
        let Asked::Has(config) = read(text).unwrap() else {
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
