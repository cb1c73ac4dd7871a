//! Random changes before every request: those accounts that stay come exactly once, or an error says why not.

use std::collections::HashSet;

use headcount::{Completeness, ErrorKind, IncompleteReason, SortOrder, sailpoint::Field};
use headcount_sim::{SailPoint, SailPointPastEnd};
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

/// In the order by id: anything goes.
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

/// In an order of the caller's.
fn in_another_order() -> impl Strategy<Value = Case> {
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
        builder = builder.past_end(SailPointPastEnd::BadRequest);
    }
    let server = builder
        .before_list(move |number, world| {
            // Not before the first: what is there then is what counts.
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
    let there: Vec<_> = server.ids().into_iter().skip(usize::try_from(case.offset).unwrap()).collect();
    let walk = walk(list).await;

    let listed: Vec<_> = walk.items.iter().map(|account| account.id.clone()).collect();
    let distinct: HashSet<_> = listed.iter().cloned().collect();
    if let Some(error) = walk.errors.first() {
        let first_page_is_beyond_the_end = case.past_end && case.offset >= case.accounts as u64;
        assert!(first_page_is_beyond_the_end && case.offset > 0, "no place is ever lost: {error}");
        assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(400)));
        return;
    }
    // Without counts, the end can be beyond the reach of the last row; the list then says that it is not sure.
    if let Completeness::Uncertain(doubts) = &walk.summary.completeness
        && doubts.contains(&IncompleteReason::BoundariesUnverified)
    {
        assert!(case.count == Some(false) || case.order.is_some());
        return;
    }
    assert_eq!(distinct.len(), listed.len(), "listed twice");
    let left: HashSet<_> = server.ids().into_iter().collect();
    let stayed = there.iter().filter(|id| left.contains(*id));
    let missing: Vec<_> = stayed.filter(|id| !distinct.contains(*id)).collect();
    assert!(missing.is_empty(), "not listed: {missing:?} of {there:?}");
}

fn run(case: Case) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(check(case));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn accounts_that_stay_come_exactly_once_whatever_else_comes_and_goes(case in by_id()) {
        run(case);
    }

    #[test]
    fn in_another_order_they_come_exactly_once_or_the_list_says_that_it_is_not_sure(case in in_another_order()) {
        run(case);
    }
}
