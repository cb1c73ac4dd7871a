use serde_json::{Value, json};

use super::{Filter, parse};
use crate::sailpoint::api::Api;
use crate::sailpoint::sources::Sources;

fn finds(filter: &str, record: &Value) -> bool {
    let filter = parse(filter, Api::V2025).unwrap_or_else(|why| panic!("{filter}: {why}"));
    filter.matches(record, &Sources::new(1, 20))
}

fn account() -> Value {
    json!({
        "id": "2c9180867c184ff6017c2a2fbf031667",
        "name": "O\"Neill \\ Søn",
        "nativeIdentity": "CN=a,OU=b",
        "sourceId": "S1",
        "sourceName": "Active Directory",
        "uncorrelated": false,
        "hasEntitlements": true,
        "created": "2021-09-28T02:15:44.644Z",
        "modified": null,
        "origin": null,
        "identity": {"name": "Zoë"},
    })
}

#[test]
fn comparisons_and_their_literals() {
    let account = account();
    for filter in [
        "id sw \"2C91\"",
        "name eq \"o\\\"neill \\\\ SØN\"",
        "nativeIdentity eq \"CN=a,OU=b\"",
        "sourceId in (\"s0\",\"s1\" , \"s2\")",
        "uncorrelated eq false",
        "identity.correlated eq true",
        "source.displayableName in (\"Active Directory\")",
        "created eq 2021-09-28T12:15:44.644+10:00",
        "created gt 2021-09-28T02:15:44Z and created le 2021-09-28T02:15:44.644Z",
        "recommendation.type isnull",
        "not modified lt 2030-01-01T00:00:00Z",
        "not(uncorrelated eq true)",
        "identity.name sw \"zoë\"",
    ] {
        assert!(finds(filter, &account), "{filter}");
    }
    for filter in [
        "id eq \"2c91\"",
        "origin eq \"AGGREGATED\"",
        "origin in (\"AGGREGATED\",\"\")",
        "created lt 2021-09-28T02:15:44.644Z",
        "modified ge 1970-01-01T00:00:00Z",
        "uncorrelated eq true",
    ] {
        assert!(!finds(filter, &account), "{filter}");
    }
}

#[test]
fn not_binds_closer_than_and_and_and_closer_than_or() {
    let account = account();
    let (yes, no) = ("uncorrelated eq false", "uncorrelated eq true");
    assert!(finds(&format!("{yes} or {no} and {no}"), &account));
    assert!(!finds(&format!("({yes} or {no}) and {no}"), &account));
    assert!(!finds(&format!("not {yes} and {no}"), &account));
    assert!(finds(&format!("not ({yes} and {no})"), &account));
    assert!(finds(&format!("not {no} and not not {yes}"), &account));
    let parsed = parse(&format!("{no} or {no} and {yes}"), Api::V3).expect("a filter");
    assert!(
        matches!(parsed, Filter::Or(any) if matches!(any.as_slice(), [Filter::Test { .. }, Filter::And(_)]))
    );
}

#[test]
fn what_is_not_documented_is_refused() {
    for filter in [
        "",
        "id",
        "id eq",
        "id EQ \"a\"",
        "id gt \"a\"",
        "name co \"a\"",
        "name ne \"a\"",
        "pr name",
        "name isnull",
        "id eq a",
        "uncorrelated eq \"true\"",
        "uncorrelated eq TRUE",
        "created eq \"2021-09-28T02:15:44Z\"",
        "created gt yesterday",
        "unheard eq \"a\"",
        "uuid eq \"a\"",
        "id in \"a\"",
        "id in ()",
        "id in (\"a\"",
        "id in (\"a\",)",
        "id eq \"a",
        "id eq \"a\\n\"",
        "id eq \"a\" id eq \"b\"",
        "id eq \"a\" and",
        "id eq \"a\" AND id eq \"b\"",
        "(id eq \"a\"",
        "id eq \"a\")",
    ] {
        assert!(parse(filter, Api::V2025).is_err(), "{filter}");
    }
    assert!(parse("created lt 2021-09-28T02:15:44Z", Api::Beta).is_err());
    assert!(parse("recommendation.type isnull", Api::V3).is_err());
    assert!(parse("recommendation.method isnull", Api::V3).is_ok());
}

#[test]
fn deep_nesting_is_refused_and_long_chains_are_not() {
    let deep = format!("{}uncorrelated eq true{}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(parse(&deep, Api::V3).is_err());
    assert!(parse(&"not ".repeat(100_000), Api::V3).is_err());
    let long = vec!["uncorrelated eq true"; 5_000].join(" or ");
    assert!(parse(&long, Api::V3).is_ok());
}
