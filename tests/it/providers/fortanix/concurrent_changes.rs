//! Lists while accounts are created and deleted, on servers of every kind.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use headcount::{Completeness, ErrorKind};
use headcount_sim::{self as sim, FortanixPaging, FortanixUnknownId};
use proptest::prelude::*;

use crate::{
    changes::changes,
    kit::client,
    lists::{block_on, cases, mode, setup, walk},
};

proptest! {
    #![proptest_config(cases(40))]

    /// Accounts that exist throughout are listed exactly once, or the list ends with an error because the
    /// position was lost.
    #[test]
    fn lasting_accounts_are_listed_once(
        accounts in prop_oneof![0..12_usize, 0..300_usize],
        limit in prop_oneof![3..6_u32, 3..60_u32],
        max_limit in prop_oneof![Just(usize::MAX), 3..9_usize],
        changes in changes(),
        mode in mode(),
        paging in prop_oneof![Just(FortanixPaging::After), Just(FortanixPaging::At)],
        unknown in prop_oneof![
            Just(FortanixUnknownId::Keyset),
            Just(FortanixUnknownId::BadRequest),
            Just(FortanixUnknownId::NotFound),
            Just(FortanixUnknownId::Empty),
            Just(FortanixUnknownId::StartOver),
        ],
    ) {
        block_on(async {
            let deleted = Arc::new(Mutex::new(BTreeSet::new()));
            let server = sim::Fortanix::builder().accounts(accounts).paging(paging).unknown_id(unknown);
            let server = server.max_limit(max_limit).before_list({
                let deleted = Arc::clone(&deleted);
                move |nth, world| {
                    let change = changes.get(nth - 1).into_iter();
                    deleted.lock().unwrap().extend(change.flat_map(|change| change.apply(world)));
                }
            });
            let server = server.start().await.unwrap();
            let before = server.ids();
            let (ids, summary) = match walk(client(&server, &setup()).list(limit), mode).await {
                Err(error) if error.kind() == ErrorKind::ListingChanged => return,
                walked => walked.unwrap(),
            };
            let distinct: BTreeSet<_> = ids.iter().cloned().collect();
            assert_eq!(distinct.len(), ids.len(), "an account was listed twice");
            let deleted = deleted.lock().unwrap();
            let missing: Vec<_> = before.iter().filter(|id| !deleted.contains(*id) && !distinct.contains(*id)).collect();
            assert!(missing.is_empty(), "{} of {} are missing", missing.len(), before.len());
            assert_eq!(summary.completeness, Completeness::Complete);
        });
    }
}
