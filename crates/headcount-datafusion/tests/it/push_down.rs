//! What is sent to providers, and that it gives a superset of the rows.

use std::collections::BTreeSet;

use headcount_sim::SimConfig;

use crate::kit::{acme, ids, local_store, one, query, session, shared};

/// The same query on the live table, where parts of it are sent to the providers, and on a snapshot, where none is.
#[tokio::test]
async fn a_filter_selects_the_same_accounts_whether_it_is_sent_or_not() {
    let simulated = acme(300).await;
    let ctx = session(&simulated);
    let (_folder, store) = local_store();
    let plan = headcount_datafusion::SnapshotPlan::new("r", shared(&simulated).sources()).unwrap();
    let snapshot =
        headcount_datafusion::Collect::new(shared(&simulated), store.clone(), plan).run().await.unwrap();
    let all = datafusion::prelude::SessionContext::new();
    snapshot.register(&all, headcount_datafusion::Require::Complete).unwrap();

    let pick = |column: &str, provider: &str| {
        let sql = format!(
            "select {column} from accounts where provider = '{provider}' and {column} is not null
             order by id limit 1 offset 120"
        );
        let all = all.clone();
        async move { query(&all, &sql).await.unwrap().remove(0).replace('\'', "''") }
    };
    let id = pick("id", "sailpoint").await;
    let parent = pick("parent_id", "sailpoint").await;
    let name = pick("name", "sailpoint").await;
    let prefix: String = name.chars().take(3).filter(|c| !"%_\\".contains(*c)).collect();
    let created = pick("created_at", "sailpoint").await;
    let modified = pick("modified_at", "sailpoint").await;
    let email = pick("email", "annature").await;
    let created_there = pick("created_at", "annature").await;
    let filters = [
        format!("id = '{id}'"),
        format!("id in ('{id}', 'no such id')"),
        format!("id like '{}%'", &id[..3]),
        format!("id <> '{id}'"),
        format!("parent_id = '{parent}'"),
        format!("parent_id in ('{parent}', 'x')"),
        format!("name = '{name}'"),
        format!("name like '{prefix}%'"),
        format!("name not like '{prefix}%'"),
        format!("upper(name) = upper('{name}')"),
        format!("created_at >= '{created}'"),
        format!("created_at > '{created}'"),
        format!("created_at = '{created}'"),
        format!("created_at < '{created}' or created_at is null"),
        format!("created_at between '{created_there}' and '{created}'"),
        format!("modified_at <= '{modified}' and name is not null"),
        format!("email = '{email}'"),
        format!("email in ('{email}', 'x@example.com')"),
        "email is null".into(),
        "status = 'active'".into(),
        "status in ('active', 'pending')".into(),
        "status in ('active', 'disabled')".into(),
        "status <> 'disabled'".into(),
        "array_has(roles, 'administrator')".into(),
        "not array_has(roles, 'administrator')".into(),
        "provider in ('huawei', 'annature') and status = 'disabled'".into(),
        "concat(tenant, '/', source) = 'acme/huawei'".into(),
        "provider = 'sailpoint' or status = 'active'".into(),
    ];
    for filter in filters {
        let sql = format!("select id from accounts where {filter}");
        let found = ids(&ctx, &sql).await;
        assert!(!found.is_empty() && found.len() < 1200, "{filter} selects {}", found.len());
        assert_eq!(found, ids(&all, &sql).await, "{filter}");
    }
}

#[tokio::test]
async fn sources_that_a_condition_excludes_are_not_listed() {
    let simulated = acme(20).await;
    let ctx = session(&simulated);
    let sql =
        "select count(*) from accounts where source like 'h%' and tenant = 'acme' and provider <> 'fortanix'";
    assert_eq!(query(&ctx, sql).await.unwrap(), ["20"]);
    for (source, simulator) in simulated.simulators() {
        assert_eq!(simulator.requests().is_empty(), source != "acme/huawei", "{source}");
    }
    assert_eq!(query(&ctx, "select count(*) from accounts where tenant = 'other'").await.unwrap(), ["0"]);
    let listed = query(&ctx, "select source from sources where state <> 'not_listed'").await.unwrap();
    assert_eq!(listed, ["huawei"]);
}

/// Returns the queries of the list requests of a source.
fn list_queries(simulated: &crate::kit::SimulatedTenants, source: &str) -> BTreeSet<Vec<(String, String)>> {
    let simulator = simulated.simulator(source);
    let paging = ["limit", "offset", "count", "marker", "cursor", "sorters"];
    let queries = simulator.list_requests().into_iter().map(|request| {
        request.query().iter().filter(|(name, _)| !paging.contains(&name.as_str())).cloned().collect()
    });
    let queries = queries.collect();
    simulator.clear_requests();
    queries
}

#[tokio::test]
async fn sailpoint_receives_filters_and_a_detail_level() {
    let simulated = one("sailpoint", SimConfig::new().accounts(40)).await;
    let ctx = session(&simulated);
    for (sql, detail, filter) in [
        ("select id from accounts", Some("SLIM"), None),
        ("select count(*) from accounts", Some("SLIM"), None),
        ("select kind from accounts", None, None),
        ("select record from accounts", None, None),
        ("select id from accounts where parent_id in ('a', 'b')", None, None),
        (
            "select id from accounts where name like 'svc-%' and status = 'active'",
            None,
            Some(r#"name sw "svc-" or nativeIdentity sw "svc-""#),
        ),
        (
            "select owner_id from accounts where created_at >= '2024-01-01T00:00:00Z' and id = 'x'",
            None,
            Some(r#"created ge 2023-12-31T23:59:59Z and id eq "x""#),
        ),
        ("select id from accounts where owner_name = 'x'", None, None),
        ("select id from accounts where email = 'a@example.com'", None, None),
        ("select name, created_at from accounts where parent_id = 'a'", None, Some(r#"sourceId eq "a""#)),
        (
            "select name, modified_at from accounts where id in ('a', 'b')",
            Some("SLIM"),
            Some(r#"id eq "a" or id eq "b""#),
        ),
    ] {
        query(&ctx, sql).await.unwrap();
        let expected: Vec<_> = [("detailLevel", detail), ("filters", filter)]
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        assert_eq!(list_queries(&simulated, "acme/sailpoint"), BTreeSet::from([expected]), "{sql}");
        let sent = query(&ctx, "select coalesce(filter, '') from sources").await.unwrap().remove(0);
        assert!(filter.is_none_or(|filter| sent.contains(filter)), "{sent}");
        assert_eq!(sent.contains("SLIM"), detail.is_some(), "{sent}");
    }
}

#[tokio::test]
async fn huawei_receives_a_request_for_contact_details_only_for_the_email() {
    let simulated = one("huawei", SimConfig::new().accounts(1500)).await;
    let ctx = session(&simulated);
    query(&ctx, "select id, name, record from accounts").await.unwrap();
    assert_eq!(simulated.simulator("acme/huawei").list_requests().len(), 2);
    assert_eq!(list_queries(&simulated, "acme/huawei"), BTreeSet::from([vec![]]));
    query(&ctx, "select id from accounts where email is not null").await.unwrap();
    let contacts = vec![("with_register_contact_info".to_owned(), "true".to_owned())];
    assert_eq!(list_queries(&simulated, "acme/huawei"), BTreeSet::from([contacts]));
}

#[tokio::test]
async fn annature_receives_its_filters() {
    let simulated = one("annature", SimConfig::new().accounts(40)).await;
    let ctx = session(&simulated);
    for (filter, sent) in [
        ("status = 'disabled'", Some(("active", "false"))),
        ("status in ('pending', 'active')", Some(("active", "true"))),
        ("status in ('active', 'disabled')", None),
        ("status = 'unspecified'", None),
        ("email = 'a@example.com'", Some(("email", "a@example.com"))),
        ("email = ' '", None),
        ("array_has(roles, 'standard')", None),
        ("created_at > '2024-01-01T00:00:00Z'", Some(("created_after", "2023-12-31T23:59:59Z"))),
        ("created_at <= '2024-01-01T00:00:00Z'", Some(("created_before", "2024-01-01T00:00:01Z"))),
        ("modified_at > '2024-01-01T00:00:00Z'", None),
        ("name = 'Ada'", None),
    ] {
        query(&ctx, &format!("select id from accounts where {filter}")).await.unwrap();
        let sent = sent.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let expected = BTreeSet::from([sent.into_iter().collect::<Vec<_>>()]);
        assert_eq!(list_queries(&simulated, "acme/annature"), expected, "{filter}");
    }
}

#[tokio::test]
async fn conditions_that_do_not_fit_into_a_url_are_not_sent() {
    let simulated = one("sailpoint", SimConfig::new().accounts(40)).await;
    let ctx = session(&simulated);
    let names: Vec<_> = (0..19).map(|n| format!("'CN={n:0>80},OU=Ä%'")).collect();
    let sql = format!("select id from accounts where name in ({}) and id <> ''", names.join(", "));
    assert!(query(&ctx, &sql).await.unwrap().is_empty());
    let slim = vec![("detailLevel".to_owned(), "SLIM".to_owned())];
    assert_eq!(list_queries(&simulated, "acme/sailpoint"), BTreeSet::from([slim]));
}
