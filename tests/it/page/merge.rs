use futures::StreamExt;
use headcount::{AnyPaginator, Completeness, ErrorKind, Event, Items, Merge};

use super::support::{Listing, Row};

#[tokio::test]
async fn failed_source_can_be_resumed() {
    let bad = Listing::of_sizes(&[3, 3, 3]).with(|state| state.fail = Some((1, 1)));
    let good = Listing::of_sizes(&[2, 2, 1]);
    let sources = [("bad", AnyPaginator::new(bad.clone())), ("good", AnyPaginator::new(good))];
    let events: Vec<_> = Merge::new(sources).collect().await;
    let items = |name: &str| {
        events.iter().filter(|e| matches!(e, Event::Item { source, .. } if **source == *name)).count()
    };
    assert_eq!((items("bad"), items("good")), (3, 5));
    let failed = events.iter().find_map(|event| match event {
        Event::Failed { source, error, checkpoint, summary } => Some((source, error, checkpoint, summary)),
        _ => None,
    });
    let (source, error, checkpoint, summary) = failed.unwrap();
    assert_eq!((&**source, error.kind()), ("bad", ErrorKind::Transport));
    assert_eq!((summary.items, summary.completeness.clone()), (3, Completeness::InProgress));
    let finished = events.iter().any(|event| {
        matches!(event, Event::Finished { source, summary }
            if **source == *"good" && summary.items == 5 && summary.completeness == Completeness::Complete)
    });
    assert!(finished);
    let rest = AnyPaginator::new(bad).resume(checkpoint).unwrap();
    let rest: Vec<u32> = rest.map(Result::unwrap).collect().await;
    assert_eq!(rest, [3, 4, 5, 6, 7, 8]);
}

#[tokio::test]
async fn sources_alternate_by_item() {
    let list = |from: u32, count: u32| {
        AnyPaginator::new(Listing::new(vec![(from..from + count).map(Row::Good).collect()]))
    };
    let merge = Merge::new([("a", list(0, 4)), ("b", list(10, 2)), ("c", list(20, 4))]);
    let numbers: Vec<u32> = merge
        .filter_map(
            |event| async move { if let Event::Item { item, .. } = event { Some(item) } else { None } },
        )
        .collect()
        .await;
    assert_eq!(numbers, [0, 10, 20, 1, 11, 21, 2, 22, 3, 23]);
}

#[tokio::test]
async fn bad_row_does_not_end_its_source() {
    let listing = Listing::new(vec![vec![Row::Good(1), Row::Bad, Row::Good(2)]]);
    let events: Vec<_> = Merge::new([("x", AnyPaginator::new(listing))]).collect().await;
    assert!(matches!(&events[0], Event::Item { item: 1, .. }));
    assert!(matches!(&events[1], Event::Rejected { error, .. } if error.kind() == ErrorKind::InvalidRecord));
    assert!(matches!(&events[2], Event::Item { item: 2, .. }));
    assert!(matches!(&events[3], Event::Finished { summary, .. } if summary.rejected == 1));
    assert_eq!(events.len(), 4);
}

#[tokio::test]
async fn failed_page_fails_its_source() {
    let listing = Listing::of_sizes(&[2, 2]).with(|state| {
        state.fail = Some((1, 1));
        state.fail_kind = ErrorKind::InvalidRecord;
    });
    let events: Vec<_> = Merge::new([("x", AnyPaginator::new(listing.clone()))]).collect().await;
    assert_eq!(events.len(), 3, "{events:?}");
    let Event::Failed { error, checkpoint, summary, .. } = &events[2] else { panic!("{events:?}") };
    assert_eq!((error.kind(), error.message()), (ErrorKind::Decode, "reset"));
    assert_eq!((summary.items, summary.completeness.clone()), (2, Completeness::InProgress));
    let rest: Vec<u32> =
        AnyPaginator::new(listing).resume(checkpoint).unwrap().map(Result::unwrap).collect().await;
    assert_eq!(rest, [2, 3]);
}

#[tokio::test]
async fn failed_stream_is_reported_as_failed() {
    let listing = Listing::of_sizes(&[2, 2]).with(|state| state.fail = Some((1, 1)));
    let mut items = AnyPaginator::new(listing).items();
    while items.next().await.is_some() {}
    let mut merge = Merge::new([("x", items)]);
    let event = merge.next().await.unwrap();
    assert!(matches!(&event, Event::Failed { summary, .. } if summary.items == 2), "{event:?}");
    assert!(merge.next().await.is_none());
}

#[tokio::test]
async fn resumes_at_any_event() {
    let lists = || [("a", Listing::of_sizes(&[2, 3])), ("b", Listing::of_sizes(&[1, 0, 4]))];
    for cut in 0..=12 {
        let erase = |(name, list)| (name, AnyPaginator::new(list));
        let mut merge = Merge::new(lists().map(erase));
        let mut got = Vec::new();
        let mut record = |event| {
            if let Event::Item { source, item } = event {
                got.push((source.to_string(), item));
            }
        };
        for _ in 0..cut {
            if let Some(event) = merge.next().await {
                record(event);
            }
        }
        let saved: Vec<_> = merge.checkpoints().map(|(_, checkpoint)| checkpoint).collect();
        let resumed = lists().into_iter().zip(&saved).map(|((name, list), checkpoint)| {
            let items: Items<_> = AnyPaginator::new(list).resume(checkpoint).unwrap();
            (name, items)
        });
        let mut merge = Merge::new(resumed.collect::<Vec<_>>());
        while let Some(event) = merge.next().await {
            record(event);
        }
        got.sort();
        let all = ["a"; 5].into_iter().zip(0..5).chain(["b"; 5].into_iter().zip(0..5));
        let all: Vec<_> = all.map(|(name, item)| (name.to_owned(), item)).collect();
        assert_eq!(got, all, "cut after {cut} events");
    }
}
