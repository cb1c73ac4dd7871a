//! Random changes before every request: accounts that exist throughout are listed exactly once, or the
//! listing reports that it is uncertain.

use std::collections::HashSet;

use headcount::{Completeness, ErrorKind, IncompleteReason, SortOrder, sailpoint::Field};
use headcount_sim::{BeyondEnd, SailPoint};
use proptest::{
    collection::vec,
    prelude::{Just, ProptestConfig, Strategy, any, prop_oneof},
    proptest,
};

use crate::changes::{Change, change};
use crate::providers::support::{sailpoint, walk};

#[derive(Clone, Debug)]
struct Case {
    accounts: usize,
    changes: Vec<Change>,
    limit: u32,
    offset: u64,
    count: Option<bool>,
    past_end: bool,
    order: Option<Field>,
}

/// Cases in the order by id, with any change.
fn by_id() -> impl Strategy<Value = Case> {
    let walk = (0..40_usize, vec(change(16), 0..12), 3..9_u32, 0..12_u64);
    (walk, any::<Option<bool>>(), any::<bool>()).prop_map(
        |((accounts, changes, limit, offset), count, past_end)| Case {
            accounts,
            changes,
            limit,
            offset: offset.saturating_sub(4),
            count,
            past_end,
            order: None,
        },
    )
}

/// Cases in an order set by the caller.
fn in_custom_order() -> impl Strategy<Value = Case> {
    let walk = (0..60_usize, vec(change(6), 0..12), 9..14_u32);
    let order = prop_oneof![Just(Field::Created), Just(Field::Name)];
    (walk, any::<Option<bool>>(), any::<bool>(), order).prop_map(
        |((accounts, changes, limit), count, past_end, order)| Case {
            accounts,
            changes,
            limit,
            offset: 0,
            count,
            past_end,
            order: Some(order),
        },
    )
}

async fn check(case: Case) {
    let mut changes = case.changes.clone().into_iter();
    let mut builder = SailPoint::builder().accounts(case.accounts).rate_limit(None);
    if case.past_end {
        builder = builder.beyond_end(BeyondEnd::BadRequest);
    }
    let server = builder
        .before_list(move |number, world| {
            // Not before the first request: the accounts at that time are the expected ones.
            if number > 1
                && let Some(change) = changes.next()
            {
                change.apply(world);
            }
        })
        .start()
        .await
        .unwrap();
    let list = sailpoint(&server).build().unwrap().list_accounts();
    let list = list.limit(case.limit).offset(case.offset);
    let list = case.count.iter().fold(list, |list, count| list.count(*count));
    let list = case.order.iter().fold(list, |list, field| list.sort_by(*field, SortOrder::Descending));
    let initial: Vec<_> = server.ids().into_iter().skip(usize::try_from(case.offset).unwrap()).collect();
    let walk = walk(list).await;

    let listed: Vec<_> = walk.items.iter().map(|account| account.id.clone()).collect();
    let distinct: HashSet<_> = listed.iter().cloned().collect();
    if let Some(error) = walk.errors.first() {
        let first_page_is_beyond_the_end = case.past_end && case.offset >= case.accounts as u64;
        assert!(first_page_is_beyond_the_end && case.offset > 0, "unexpected error: {error}");
        assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(400)));
        return;
    }
    // Without counts, the last page may not contain the last row listed. The list then reports that it is
    // uncertain.
    if let Completeness::Uncertain(reasons) = &walk.summary.completeness
        && reasons.contains(&IncompleteReason::BoundariesUnverified)
    {
        assert!(case.count == Some(false) || case.order.is_some());
        return;
    }
    assert_eq!(distinct.len(), listed.len(), "listed twice");
    let remaining: HashSet<_> = server.ids().into_iter().collect();
    let expected = initial.iter().filter(|id| remaining.contains(*id));
    let missing: Vec<_> = expected.filter(|id| !distinct.contains(*id)).collect();
    assert!(missing.is_empty(), "not listed: {missing:?} of {initial:?}");
}

fn run(case: Case) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(check(case));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..crate::lists::cases(32) })]

    #[test]
    fn order_by_id_lists_exactly_once(case in by_id()) {
        run(case);
    }

    #[test]
    fn other_orders_list_once_or_report(case in in_custom_order()) {
        run(case);
    }
}
