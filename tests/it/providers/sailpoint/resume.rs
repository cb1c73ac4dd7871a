//! Resuming within a page of a list whose rows have moved.

use std::collections::BTreeSet;

use futures::StreamExt;
use headcount::{Completeness, Items, Paginator, SortOrder, sailpoint::Field};
use headcount_sim::{SailPoint, World};
use serde_json::json;

use crate::providers::support::sailpoint;

/// Takes exactly `count` items.
async fn take<P: Paginator>(items: &mut Items<P>, count: usize) -> Vec<P::Item> {
    let taken: Vec<_> = items.take(count).map(Result::unwrap).collect().await;
    assert_eq!(taken.len(), count);
    taken
}

#[tokio::test]
async fn last_yielded_account_moved_to_the_end() {
    let server = SailPoint::builder().accounts(20).rate_limit(None).start().await.unwrap();
    let list = || {
        let list = sailpoint(&server).build().unwrap().list_accounts();
        list.sort_by(Field::Modified, SortOrder::Ascending)
    };
    let mut items = list().items();
    let ids: Vec<String> = take(&mut items, 10).await.into_iter().map(|account| account.id).collect();
    let saved = items.checkpoint();
    let touch = |world: &mut World| {
        world.update(&ids[9], |record| record["modified"] = json!("2035-01-01T00:00:00.000Z"));
    };
    server.world(touch);
    for erased in [false, true] {
        let mut ids = ids.clone();
        let summary = if erased {
            let mut items = list().into_accounts().resume(&saved).unwrap();
            ids.extend(take(&mut items, 20).await.into_iter().map(|account| account.id));
            assert!(items.next().await.is_none());
            items.summary()
        } else {
            let mut items = list().resume(&saved).unwrap();
            ids.extend(take(&mut items, 20).await.into_iter().map(|account| account.id));
            assert!(items.next().await.is_none());
            items.summary()
        };
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 20);
        assert_eq!((summary.items, summary.repeats_at_most), (30, 10), "the page is listed again");
    }
}

#[tokio::test]
async fn entitlements_in_random_order() {
    let server = SailPoint::builder().accounts(1).rate_limit(None).start().await.unwrap();
    let id = server.ids().remove(0);
    server.set_entitlements(&id, (0..60).map(|number| json!({"id": format!("e{number}")})).collect());
    let client = sailpoint(&server).build().unwrap();
    for cuts in [&[10][..], &[1, 30, 59], &[20, 40]] {
        let mut ids = Vec::new();
        let mut items = client.list_entitlements(&id).items();
        for cut in cuts {
            ids.extend(take(&mut items, *cut).await.into_iter().map(|one| one.id));
            items = client.list_entitlements(&id).resume(&items.checkpoint()).unwrap();
        }
        ids.extend(take(&mut items, 60).await.into_iter().map(|one| one.id));
        assert!(items.next().await.is_none());
        let summary = items.summary();
        assert_eq!(summary.completeness, Completeness::Complete);
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 60, "cut at {cuts:?}");
        assert_eq!(summary.items - summary.repeats_at_most, 60, "cut at {cuts:?}");
    }
}
