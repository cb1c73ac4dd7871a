use chrono::{DateTime, Utc};
use headcount::sailpoint::{ApiVersion, Field, Filter, ListAccounts};
use headcount_sim::SailPoint;
use proptest::{
    prelude::{ProptestConfig, any},
    proptest,
};
use serde_json::{Value, json};

use crate::providers::support::{list_all, sailpoint};

async fn server(accounts: usize) -> SailPoint {
    let builder = SailPoint::builder().accounts(accounts).rate_limit(None);
    builder.start().await.unwrap()
}

/// Lists accounts in `v2025`, the only version that supports all fields.
fn list(server: &SailPoint) -> ListAccounts {
    let builder = sailpoint(server).api_version(ApiVersion::V2025);
    builder.build().unwrap().list_accounts()
}

async fn listed(list: ListAccounts) -> Vec<String> {
    list_all(list).await.into_iter().map(|account| account.id).collect()
}

type Predicate = Box<dyn Fn(&Value) -> bool>;

fn is(name: &'static str, value: impl Into<Value>) -> Predicate {
    let value = value.into();
    Box::new(move |record| record.pointer(name) == Some(&value))
}

fn date(record: &Value, name: &str) -> Option<DateTime<Utc>> {
    record[name].as_str()?.parse().ok()
}

/// Returns filters on text and booleans, for the record in the middle.
fn filters_by_value(records: &[Value]) -> Vec<(Filter, Predicate)> {
    let sample = &records[70];
    let text = |name: &str| sample[name].as_str().unwrap().to_owned();
    let (id, source, native) = (text("id"), text("sourceId"), text("nativeIdentity"));
    let start = id[..1].to_owned();
    let starts: Predicate = Box::new(move |record| record["id"].as_str().unwrap().starts_with(&start));
    let some_ids = [3, 140].map(|index| records[index]["id"].as_str().unwrap().to_owned());
    let ids = some_ids.clone();
    let among: Predicate = Box::new(move |record| ids.iter().any(|id| record["id"] == **id));
    let flag = |field, name: &'static str, value: bool| (Filter::eq(field, value), is(name, value));
    let word = |field, name: &'static str, value: &str| (Filter::eq(field, value), is(name, value));
    vec![
        word(Field::Id, "/id", &id),
        (Filter::starts_with(Field::Id, &id[..1]), starts),
        (Filter::is_in(Field::Id, some_ids), among),
        word(Field::SourceId, "/sourceId", &source),
        word(Field::NativeIdentity, "/nativeIdentity", &native),
        word(Field::Origin, "/origin", "PROVISIONED"),
        word(Field::SourceConnectionType, "/connectionType", "file"),
        word(Field::SourceDisplayableName, "/sourceName", "Okta \"prod\""),
        word(Field::IdentityName, "/identity/name", "Anil \\ Backslash"),
        word(Field::RecommendationType, "/recommendation/type", "AGENT"),
        flag(Field::Uncorrelated, "/uncorrelated", true),
        flag(Field::HasEntitlements, "/hasEntitlements", false),
        flag(Field::ManuallyCorrelated, "/manuallyCorrelated", true),
        flag(Field::SourceAuthoritative, "/authoritative", true),
        (Filter::eq(Field::IdentityCorrelated, true), is("/uncorrelated", false)),
        (
            Filter::is_in(Field::IdentityState, ["INACTIVE_SHORT_TERM"]),
            is("/identityState", "INACTIVE_SHORT_TERM"),
        ),
        (
            Filter::is_null(Field::RecommendationMethod),
            Box::new(|record| record["recommendation"]["method"].is_null()),
        ),
    ]
}

/// Returns filters on dates, for the time of one record.
fn filters_by_date(records: &[Value]) -> Vec<(Filter, Predicate)> {
    let moment = date(&records[70], "created").unwrap();
    let on = |name: &'static str, test: fn(DateTime<Utc>, DateTime<Utc>) -> bool| -> Predicate {
        Box::new(move |record| date(record, name).is_some_and(|date| test(date, moment)))
    };
    vec![
        (Filter::ge(Field::Created, moment), on("created", |date, than| date >= than)),
        (Filter::gt(Field::Created, moment), on("created", |date, than| date > than)),
        (Filter::eq(Field::Created, moment), on("created", |date, than| date == than)),
        (Filter::le(Field::Modified, moment), on("modified", |date, than| date <= than)),
        (Filter::lt(Field::Modified, moment), on("modified", |date, than| date < than)),
    ]
}

/// Returns composite filters, independent of operator precedence.
fn composite_filters() -> Vec<(Filter, Predicate)> {
    let uncorrelated = || Filter::eq(Field::Uncorrelated, true);
    let without = || Filter::eq(Field::HasEntitlements, false);
    let subordinate = || Filter::eq(Field::SourceAuthoritative, false);
    let either_and_subordinate = || -> Predicate {
        Box::new(|record| {
            (record["uncorrelated"] == true || record["hasEntitlements"] == false)
                && record["authoritative"] == false
        })
    };
    vec![
        (uncorrelated().or(without()).and(subordinate()), either_and_subordinate()),
        (subordinate().and(uncorrelated().or(without())), either_and_subordinate()),
        (
            Filter::raw("uncorrelated eq true or hasEntitlements eq false").and(subordinate()),
            either_and_subordinate(),
        ),
        (
            uncorrelated().and(without()).not(),
            Box::new(|record| !(record["uncorrelated"] == true && record["hasEntitlements"] == false)),
        ),
        (
            uncorrelated().not().and(without()),
            Box::new(|record| record["uncorrelated"] == false && record["hasEntitlements"] == false),
        ),
    ]
}

#[tokio::test]
async fn every_kind_of_filter() {
    let server = server(150).await;
    let records = server.records();
    let cases = filters_by_value(&records).into_iter();
    let cases = cases.chain(filters_by_date(&records)).chain(composite_filters());
    for (filter, test) in cases {
        let matching = records.iter().filter(|record| test(record));
        let expected: Vec<_> = matching.map(|record| record["id"].as_str().unwrap()).collect();
        assert!(!expected.is_empty() && expected.len() < 150, "{filter} matches none or all");
        let list = list(&server).filter(filter.clone()).limit(60);
        assert_eq!(listed(list).await, expected, "{filter}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..crate::lists::cases(32) })]

    #[test]
    fn any_text_matches_only_its_record(
        text in any::<String>(), quoted in "[\"\\\\ %&#+,()/é]{0,12}",
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = server(4).await;
            for (id, name) in [("one", &text), ("two", &quoted)] {
                server.insert(json!({"id": id, "name": format!("{name}{id}")}));
            }
            for (id, name) in [("one", &text), ("two", &quoted)] {
                let filter = Filter::eq(Field::Name, format!("{name}{id}"));
                assert_eq!(listed(list(&server).filter(filter)).await, [id]);
            }
        });
    }
}
