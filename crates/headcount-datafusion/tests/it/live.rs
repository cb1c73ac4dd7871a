//! Queries on live listings.

use std::collections::BTreeSet;

use headcount_sim::{BadRow, ErrorBody, Fault, Faults, SimConfig};

use crate::kit::{PROVIDERS, acme, acme_with, ids, one, query, query_error, session};

#[tokio::test]
async fn every_account_is_a_row() {
    let simulated = acme(600).await;
    let ctx = session(&simulated);
    for provider in PROVIDERS {
        let expected: BTreeSet<_> =
            simulated.simulator(&format!("acme/{provider}")).ids().into_iter().collect();
        let sql = format!("select id from accounts where provider = '{provider}'");
        assert_eq!(ids(&ctx, &sql).await, expected, "{provider}");
    }
    let counts =
        query(&ctx, "select source, count(*) from accounts group by source order by source").await.unwrap();
    assert_eq!(counts, ["annature|600", "fortanix|600", "huawei|600", "sailpoint|600"]);
    let sources =
        query(&ctx, "select source, complete, state, items from sources order by source").await.unwrap();
    let expected = PROVIDERS.map(|provider| format!("{provider}|true|complete|600"));
    assert_eq!(sources, expected);
}

#[tokio::test]
async fn explain_sends_nothing_and_limit_stops_paging() {
    for (provider, page) in [("huawei", 1000), ("sailpoint", 250)] {
        let simulated = one(provider, SimConfig::new().accounts(25_000)).await;
        let simulator = simulated.simulator(&format!("acme/{provider}"));
        let ctx = session(&simulated);
        query(&ctx, "explain select count(*) from accounts where name like 'a%'").await.unwrap();
        query(&ctx, "select count(*) from sources").await.unwrap();
        assert_eq!(simulator.requests().len(), 0, "{provider}");
        assert_eq!(query(&ctx, "select id, status from accounts limit 10").await.unwrap().len(), 10);
        assert_eq!(simulator.list_requests().len(), 1, "{provider}");
        let sources = query(&ctx, "select complete, state, items, ended_at from sources").await.unwrap();
        assert_eq!(sources, [format!("false|in_progress|{page}|")]);
        simulator.clear_requests();
        assert_eq!(query(&ctx, "select id from accounts where id <> '' limit 10").await.unwrap().len(), 10);
        assert_eq!(simulator.list_requests().len(), 1, "{provider}, with a filter");
    }
}

#[tokio::test]
async fn a_count_lists_every_account() {
    let simulated = one("sailpoint", SimConfig::new().accounts(700)).await;
    let ctx = session(&simulated);
    for _ in 0..2 {
        assert_eq!(query(&ctx, "select count(*) from accounts").await.unwrap(), ["700"]);
    }
    assert!(simulated.simulator("acme/sailpoint").list_requests().len() >= 6);
}

/// A listing that fails on its second page.
fn failing() -> Faults {
    let error = Fault::Status { status: 403, retry_after: None, body: ErrorBody::Vendor };
    (2..40).fold(Faults::none(), |faults, n| faults.on_list(n, error.clone()))
}

/// A listing with a row that cannot be decoded.
fn with_bad_row() -> Faults {
    Faults::none().on_list(1, Fault::BadRow { kind: BadRow::NotAnObject })
}

#[tokio::test]
async fn an_incomplete_listing_fails_the_query_unless_less_is_required() {
    for provider in PROVIDERS {
        let simulated =
            acme_with(250, |name| if name == provider { with_bad_row() } else { Faults::none() }).await;
        let ctx = session(&simulated);
        let count = "select count(*) from accounts";
        let error = query_error(&ctx, count).await;
        assert!(error.contains(&format!("source acme/{provider}")), "{error}");
        assert!(error.contains("possibly incomplete: 1 record could not be decoded"), "{error}");
        // The faults are those of the first page after the start.
        simulated.simulator(&format!("acme/{provider}")).set_faults(with_bad_row());
        ctx.sql("set headcount.require = 'end'").await.unwrap();
        assert_eq!(query(&ctx, count).await.unwrap(), ["999"], "{provider}");
        let sql = "select source, complete, state, rejected, reasons from sources where not complete";
        assert_eq!(
            query(&ctx, sql).await.unwrap(),
            [format!("{provider}|false|uncertain|1|[1 record could not be decoded]")]
        );
    }
}

#[tokio::test]
async fn a_failed_listing_fails_the_query_unless_any_end_is_accepted() {
    for provider in PROVIDERS {
        let simulated =
            acme_with(450, |name| if name == provider { failing() } else { Faults::none() }).await;
        let ctx = session(&simulated);
        for require in ["complete", "end"] {
            simulated.simulator(&format!("acme/{provider}")).set_faults(failing());
            ctx.sql(&format!("set headcount.require = '{require}'")).await.unwrap();
            let error = query_error(&ctx, "select count(email) from accounts").await;
            assert!(error.contains(&format!("source acme/{provider}")) && error.contains("403"), "{error}");
        }
        simulated.simulator(&format!("acme/{provider}")).set_faults(failing());
        ctx.sql("set headcount.require = 'any'").await.unwrap();
        let counts =
            query(&ctx, "select source, count(email is null) from accounts group by source order by source");
        for row in counts.await.unwrap() {
            let (source, count) = row.split_once('|').unwrap();
            let count: usize = count.parse().unwrap();
            assert!(if source == provider { count < 450 } else { count == 450 }, "{row}");
        }
        let failed = query(
            &ctx,
            "select source, complete, array_to_string(reasons, ', ') from sources where state = 'failed'",
        );
        let failed = failed.await.unwrap();
        assert_eq!(failed.len(), 1);
        assert!(failed[0].starts_with(&format!("{provider}|false|{provider}: GET")), "{failed:?}");
        assert!(failed[0].contains("403"), "{failed:?}");
    }
}

#[tokio::test]
async fn a_tenant_without_credentials_fails_and_is_not_missing() {
    let mut simulated = acme(10).await;
    simulated.add("zulu", "hr", "sailpoint", SimConfig::new().accounts(10)).await.unwrap();
    let tenants = simulated.tenants().unwrap();
    let env = simulated.env().clone();
    let tenants =
        tenants.with_lookup(move |name| (!name.starts_with("SOURCE_4_")).then(|| env[name].clone()));
    let ctx = datafusion::prelude::SessionContext::new_with_config(headcount_datafusion::session_config());
    headcount_datafusion::AccountsTable::new(std::sync::Arc::new(tenants)).register(&ctx).unwrap();
    let error = query_error(&ctx, "select count(*) from accounts").await;
    assert!(error.contains("source zulu/hr: the variable of its client_id is not set"), "{error}");
    // Other tenants can be queried.
    let count = query(&ctx, "select count(*) from accounts where tenant <> 'zulu'").await.unwrap();
    assert_eq!(count, ["40"]);
    ctx.sql("set headcount.require = 'any'").await.unwrap();
    assert_eq!(query(&ctx, "select count(*) from accounts").await.unwrap(), ["40"]);
    let failed =
        query(&ctx, "select tenant, source, endpoint from sources where state = 'failed'").await.unwrap();
    assert_eq!(failed, ["zulu|hr|"]);
}

#[tokio::test]
async fn columns_have_types_that_sql_can_use() {
    let simulated = acme(300).await;
    let ctx = session(&simulated);
    let rows = query(
        &ctx,
        "select count(*) from accounts where provider = 'annature' and array_has(roles, 'administrator')
           and created_at > '2000-01-01' and date_trunc('year', created_at) < now() and email like '%@%'",
    );
    assert_ne!(rows.await.unwrap(), ["0"]);
    let urn = query(&ctx, "select count(alternate_ids['urn']) from accounts where provider = 'huawei'")
        .await
        .unwrap();
    assert_eq!(urn, ["300"]);
    let record = "select count(*) from accounts where record like concat('%', id, '%')";
    assert_eq!(query(&ctx, record).await.unwrap(), ["1200"]);
    let time = "select arrow_typeof(created_at) from accounts limit 1";
    assert_eq!(query(&ctx, time).await.unwrap(), ["Timestamp(µs, \"UTC\")"]);
}

#[tokio::test]
async fn names_with_sql_in_them_are_only_names() {
    let simulated = one("huawei", SimConfig::new().accounts(5)).await;
    let ctx = session(&simulated);
    let name = r#"x"; drop table accounts; --"#;
    let (_folder, store) = crate::kit::local_store();
    let plan = headcount_datafusion::SnapshotPlan::new(
        "r",
        simulated.tenants().map(|t| headcount_datafusion::Tenants::sources(&t)).unwrap(),
    )
    .unwrap();
    let snapshot =
        headcount_datafusion::Collect::new(crate::kit::shared(&simulated), store, plan).run().await.unwrap();
    let table = snapshot.accounts(headcount_datafusion::Require::Complete).unwrap();
    ctx.register_table(datafusion::common::TableReference::bare(name), table).unwrap();
    let quoted = name.replace('"', "\"\"");
    assert_eq!(query(&ctx, &format!("select count(*) from \"{quoted}\"")).await.unwrap(), ["5"]);
    let sql = "select count(*) from accounts where tenant = 'acme''; drop table accounts; --'";
    assert_eq!(query(&ctx, sql).await.unwrap(), ["0"]);
    assert_eq!(query(&ctx, "select count(*) from accounts").await.unwrap(), ["5"]);
}
