//! Tenants files: what is refused, and how.

use std::sync::{Arc, Mutex};

use headcount::Paginator as _;
use headcount_datafusion::{ListRequest, Tenants, TenantsFile};

fn error(text: &str) -> String {
    let error = TenantsFile::parse(text).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    error.to_string()
}

const SAILPOINT: &str = "[acme.hr]\nprovider = 'sailpoint'\nbase_url = 'https://acme.api.identitynow.com'\n";

#[test]
fn a_credential_in_the_file_is_refused() {
    let text = format!("{SAILPOINT}client_id = {{ env = 'A' }}\nclient_secret = 'canary'");
    let expected = "acme.hr.client_secret in the tenants file: expected the name of a variable, { env = \"NAME\" }, got a \
                    text; a credential belongs in the environment, not in this file";
    assert!(error(&text).contains(expected), "{}", error(&text));
    for value in [
        "{ env = 'canary-with-dashes!' }",
        "{ env = '' }",
        "{ env = 'A', value = 'canary' }",
        "{ value = 'canary' }",
        "12345",
        "['canary']",
    ] {
        let text = format!("{SAILPOINT}client_id = {{ env = 'A' }}\nclient_secret = {value}");
        assert!(
            error(&text).contains("acme.hr.client_secret in the tenants file: expected the name of"),
            "{}",
            error(&text)
        );
    }
    let text = format!(
        "{SAILPOINT}client_id = {{ env = 'A' }}\nclient_secret = {{ env = 'B' }}\npassword = 'canary'"
    );
    assert!(error(&text).contains(
        "acme.hr.password in the tenants file: is unknown; expected provider, client_id, client_secret, token, base_url, email_attribute"
    ));
}

#[test]
fn a_source_that_is_listed_twice_is_refused() {
    let source = |name: &str, variable: &str| {
        format!("[{name}]\nprovider = 'annature'\nid = {{ env = '{variable}' }}\nkey = {{ env = 'KEY' }}\n")
    };
    let twice = source("acme.sign", "A") + &source("acme.sign", "B");
    assert!(error(&twice).contains("a name is defined twice at line 5"), "{}", error(&twice));
    let case = source("acme.sign", "A") + &source("Acme.sign", "B");
    assert!(
        error(&case).contains("acme/sign and Acme/sign in the tenants file differ only in case"),
        "{}",
        error(&case)
    );
    let same = source("acme.sign", "A") + &source("beta.sign", "A");
    assert!(
        error(&same).contains("beta/sign and acme/sign in the tenants file have the same id"),
        "{}",
        error(&same)
    );
}

#[test]
fn malformed_files_are_refused_without_their_values() {
    for (text, expected) in [
        ("", "the tenants file has no source; expected a table [tenant.source]"),
        ("[acme]\n# [acme.hr]\n[beta.hr]", "acme in the tenants file has no source; expected [acme.source]"),
        ("[acme.hr]\nprovider = 'canary", "invalid TOML at line 2"),
        ("acme = 'canary'", "acme in the tenants file: expected a table [tenant.source], got string"),
        (
            "[acme]\nhr = 'canary'",
            "acme.hr in the tenants file: expected a table [tenant.source], got string",
        ),
        ("[acme.hr]\nprovider = 'canary'", "acme.hr.provider in the tenants file: expected fortanix, huawei"),
        ("[acme.hr]\nbase_url = 'canary'", "acme.hr.provider in the tenants file: expected fortanix, huawei"),
        ("['a/../b'.hr]\nprovider = 'huawei'", "tenant name \"a/../b\": expected 1 to 100 ASCII letters"),
        (
            "[acme.hr]\nprovider = 'huawei'\naccess_key = { env = 'A' }",
            "acme.hr in the tenants file: expected the credentials access_key and secret_key, each as { env = \"NAME\" }",
        ),
        (
            "[acme.hr]\nprovider = 'huawei'\naccess_key = { env = 'A' }\nsecret_key = { env = 'B' }\nbase_url = ''",
            "base_url in the tenants file: expected a text, got an empty one",
        ),
        (
            "[acme.hr]\nprovider = 'huawei'\naccess_key = { env = 'A' }\nsecret_key = { env = 'B' }\nbase_url = 'https://u:canary@h'",
            "acme.hr.base_url in the tenants file: expected https://HOST, without a user name, password or query",
        ),
        (
            "[acme.hr]\nprovider = 'fortanix'\ntoken = { env = 'A' }\nemail = { env = 'B' }",
            "acme.hr in the tenants file: expected the credentials email and password, or token, each as",
        ),
        (
            "[acme.hr]\nprovider = 'sailpoint'\ntoken = { env = 'A' }",
            "acme.hr.base_url in the tenants file: is missing",
        ),
    ] {
        assert!(error(text).contains(expected), "{}", error(text));
    }
}

#[test]
fn every_form_of_credentials_opens_a_listing_without_a_request() {
    let text = r#"
        [a.ccm]
        provider = "fortanix"
        email = { env = "A1" }
        password = { env = "A2" }
        [a.ccm2]
        provider = "fortanix"
        token = { env = "B1" }
        [a.cloud]
        provider = "huawei"
        access_key = { env = "C1" }
        secret_key = { env = "C2" }
        security_token = { env = "C3" }
        domain_id = "d1"
        [a.sign]
        provider = "annature"
        id = { env = "D1" }
        key = { env = "D2" }
        partner_key = { env = "D3" }
        [a.hr]
        provider = "sailpoint"
        base_url = "https://acme.api.identitynow.com/"
        client_id = { env = "E1" }
        client_secret = { env = "E2" }
        email_attribute = "mail"
        [a.hr2]
        provider = "sailpoint"
        base_url = "https://beta.api.identitynow.com"
        token = { env = "F1" }
    "#;
    let tenants = TenantsFile::parse(text).unwrap().with_lookup(|name| Some(format!("canary {name}")));
    assert_eq!(tenants.sources().len(), 6);
    let mut endpoints = Vec::new();
    for source in tenants.sources() {
        let listing = tenants.open(&source, &ListRequest::default()).unwrap();
        assert!(!format!("{listing:?} {tenants:?}").contains("canary"));
        endpoints.push(listing.endpoint);
    }
    assert_eq!(endpoints[4], "GET https://beta.api.identitynow.com/accounts/v1");
    assert_eq!(endpoints[3], "GET https://acme.api.identitynow.com/accounts/v1");

    let empty = TenantsFile::parse(text).unwrap().with_lookup(|name| (name != "C2").then(|| " ".to_owned()));
    for (source, expected) in [
        (2, "source a/cloud: the variable of its access_key is empty"),
        (0, "source a/ccm: the variable of its email is empty"),
    ] {
        let error = empty.open(&empty.sources()[source], &ListRequest::default()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let other = headcount::Source::new("b", "hr", headcount::Provider::SailPoint).unwrap();
    let error = tenants.open(&other, &ListRequest::default()).unwrap_err().to_string();
    assert!(error.contains("source b/hr (sailpoint) is not in the tenants file"), "{error}");
}

#[test]
fn a_credential_in_the_place_of_a_variable_is_not_in_the_error() {
    let secret = "0f3a1b2c4d5e6f708192a3b4c5d6e7f80f3a1b2c4d5e6f708192a3b4c5d6e7f8";
    let source = |name: &str| {
        format!(
            "[{name}.hr]\nprovider = 'annature'\nid = {{ env = '{secret}' }}\nkey = {{ env = '{secret}' }}\n"
        )
    };
    let tenants = TenantsFile::parse(&source("acme")).unwrap().with_lookup(|_| None);
    let error = tenants.open(&tenants.sources()[0], &ListRequest::default()).unwrap_err();
    assert!(error.to_string().contains("source acme/hr: the variable of its id is not set"), "{error}");
    let twice = TenantsFile::parse(&(source("acme") + &source("beta"))).unwrap_err();
    for error in [error, twice] {
        assert!(!format!("{error} {error:?}").contains(secret), "{error}");
    }
}

#[test]
fn a_client_is_kept_until_its_credentials_change() {
    let text = "[acme.sign]\nprovider = 'annature'\nid = { env = 'ID' }\nkey = { env = 'KEY' }\n";
    let value = Arc::new(Mutex::new("first".to_owned()));
    let current = value.clone();
    let tenants =
        TenantsFile::parse(text).unwrap().with_lookup(move |_| Some(current.lock().unwrap().clone()));
    let id = || {
        let listing = tenants.open(&tenants.sources()[0], &ListRequest::default()).unwrap();
        listing.accounts.listing_id()
    };
    let first = id();
    assert_eq!(id(), first);
    "second".clone_into(&mut value.lock().unwrap());
    // The listing is bound to its principal.
    assert_ne!(id(), first);
}
