//! A server of SailPoint's accounts: pages by `offset`, as short as it likes, of a list that may change meanwhile.

use std::{
    cmp::Reverse,
    sync::{Arc, Mutex},
};

use arbitrary::Arbitrary;
use bytes::Bytes;
use headcount::{
    Completeness, Doubt, ErrorKind, SortOrder,
    sailpoint::{self, Field},
};
use http::Request;

use crate::{
    clients,
    rows::{Row, Told},
    server::{Reply, Server, answer, headers, parameter, with_headers},
    walk::Walked,
};

/// Accounts on sources, and how the server pages them.
#[derive(Arbitrary, Clone, Debug)]
pub struct Sources {
    rows: Vec<(Row, Prefix)>,
    order: Order,
    /// What the client asks for.
    limit: u8,
    count: Option<bool>,
    /// How many rows less than asked for each page has, by its offset, or in turns.
    short: Vec<u8>,
    in_turns: bool,
    counting: Counting,
    /// Whether an offset behind the last row is a 400.
    refuses_beyond: bool,
    ignores_offset: bool,
    changes: Vec<Change>,
}

/// How an id begins; behind it is a number that no other has.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Prefix {
    None,
    Lower,
    Upper,
    Accent,
    Quote,
    Byte(u8),
}

/// In which order the server has its accounts.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// By id, byte by byte.
    Bytes,
    /// By id, as a database may compare.
    Letters,
    /// In an order of its own that does not change.
    Own,
    /// By creation, as the client asks for it: what is made comes last, or first.
    Created,
    CreatedDescending,
}

/// What the server says in `X-Total-Count` when it is asked to count.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
enum Counting {
    Right,
    Never,
    Nonsense,
    /// Fewer than there are by so many, where it is sure to be noticed that there are more.
    Zero,
}

/// Before the request of this number an account is removed, or made.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Change {
    request: u8,
    what: What,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum What {
    Remove(u8),
    Make(Row, Prefix),
}

/// An account with its id.
#[derive(Clone, Debug)]
struct Account {
    row: Row,
    id: String,
    number: usize,
}

impl Account {
    fn new(row: Row, prefix: Prefix, number: usize) -> Self {
        let prefix = match prefix {
            Prefix::None => String::new(),
            Prefix::Lower => "a".into(),
            Prefix::Upper => "B".into(),
            Prefix::Accent => "\u{e9}".into(),
            Prefix::Quote => "\"\\".into(),
            Prefix::Byte(byte) => char::from(byte).into(),
        };
        Self { row, id: format!("{prefix}{number:03}"), number }
    }
}

impl Order {
    fn sort(self, accounts: &mut [Account]) {
        match self {
            Self::Bytes => accounts.sort_by(|one, other| one.id.cmp(&other.id)),
            Self::Letters => accounts.sort_by_key(|account| account.id.to_lowercase()),
            Self::Own => {}
            Self::Created => accounts.sort_by_key(|account| account.number),
            Self::CreatedDescending => accounts.sort_by_key(|account| Reverse(account.number)),
        }
    }
}

/// The list as it is at the moment, and all that it ever was.
#[derive(Clone)]
pub struct World(Arc<Mutex<State>>);

struct State {
    now: Vec<Account>,
    /// Those that were there from the first request to the last.
    lasting: Vec<Account>,
    requests: usize,
    changed: bool,
}

impl Sources {
    /// Changes move accounts in ways that only these promises cover; see [`check`](Self::check).
    fn changes(&self) -> &[Change] {
        &self.changes[..self.changes.len().min(12)]
    }

    /// Whether all accounts that are made have ids.
    fn makes_ids(&self) -> bool {
        self.changes().iter().all(|change| match change.what {
            What::Make(row, _) => row.has_id(),
            What::Remove(_) => true,
        })
    }

    fn limit(&self) -> u32 {
        u32::from(self.limit % 20) + 2
    }

    pub fn list(&self, server: &Server) -> sailpoint::ListAccounts {
        let list = clients::sailpoint(server).list_accounts().limit(self.limit());
        let list = match self.order {
            Order::Created => list.sort_by(Field::Created, SortOrder::Ascending),
            Order::CreatedDescending => list.sort_by(Field::Created, SortOrder::Descending),
            _ => list,
        };
        match self.count {
            Some(count) => list.count(count),
            None => list,
        }
    }

    pub fn world(&self) -> World {
        let rows = self.rows.iter().take(80).enumerate();
        let mut now: Vec<_> =
            rows.map(|(number, (row, prefix))| Account::new(*row, *prefix, number)).collect();
        self.order.sort(&mut now);
        World(Arc::new(Mutex::new(State { lasting: now.clone(), now, requests: 0, changed: false })))
    }

    pub fn answer(&self, world: &World, request: &Request<Bytes>) -> Reply {
        let state = &mut *world.0.lock().unwrap();
        self.pass_time(state);
        let number = |name: &str| parameter(request, name).and_then(|text| text.parse::<usize>().ok());
        let offset = number("offset").filter(|_| !self.ignores_offset).unwrap_or(0);
        if self.refuses_beyond && offset > 0 && offset >= state.now.len() {
            return answer(400, r#"{"detailCode":"400.1 Bad Request Content"}"#);
        }
        let turn = if self.in_turns { state.requests } else { offset } % self.short.len().max(1);
        let missing = self.short.get(turn).map_or(0, |missing| usize::from(*missing));
        let count = number("limit").unwrap_or(250);
        let count = count.saturating_sub(missing).max(count.min(1));
        let page = state.now.iter().skip(offset).take(count);
        let rows: Vec<_> = page.map(|account| account.row.json("id", &account.id)).collect();
        let total = match self.counting {
            Counting::Right => state.now.len().to_string(),
            Counting::Never => return answer(200, format!("[{}]", rows.join(","))),
            Counting::Nonsense => "many".into(),
            Counting::Zero => "0".into(),
        };
        let total = [("x-total-count", total.as_bytes())];
        let total = if parameter(request, "count").is_some() { headers(total) } else { headers([]) };
        with_headers(200, format!("[{}]", rows.join(",")), total)
    }

    fn pass_time(&self, state: &mut State) {
        let number = state.requests;
        state.requests += 1;
        let due =
            self.changes().iter().enumerate().filter(|(_, change)| usize::from(change.request) == number);
        for (index, change) in due {
            match change.what {
                What::Remove(place) if !state.now.is_empty() => {
                    let gone = state.now.remove(usize::from(place) % state.now.len());
                    state.lasting.retain(|account| account.id != gone.id);
                }
                What::Remove(_) => continue,
                What::Make(row, prefix) => {
                    state.now.push(Account::new(row, prefix, 900 + index));
                    self.order.sort(&mut state.now);
                }
            }
            state.changed |= number > 0;
        }
        if number == 0 {
            state.lasting = state.now.clone();
        }
    }

    /// Checks that `walked` is what may come of walking the world: every account that was there throughout comes,
    /// once and in order, or it is said that some may not have come.
    pub fn check(&self, world: &World, walked: &Walked) {
        let state = world.0.lock().unwrap();
        let doubts = match &walked.summary.completeness {
            Completeness::Doubtful(doubts) => doubts.as_slice(),
            _ => &[],
        };
        let unsure =
            doubts.iter().any(|doubt| matches!(doubt, Doubt::SeamsUnchecked | Doubt::FewerThanTotal { .. }));
        if let Some(error) = &walked.error {
            let expected = [ErrorKind::Drift, ErrorKind::PaginationLoop];
            // Where a row is removed and made again and again, its offset is refused although it is shown.
            let refused = self.refuses_beyond && state.changed && error.status() == Some(400);
            assert!(expected.contains(&error.kind()) || refused, "{error}");
        }
        if state.changed {
            self.check_changed(&state, walked, unsure);
        } else {
            self.check_still(&state, walked, unsure);
        }
    }

    /// Nothing changed: every row comes once, in order, and the list ends, or says that it may have ended early.
    fn check_still(&self, state: &State, walked: &Walked, unsure: bool) {
        let all: Vec<Told> = state.now.iter().map(|account| account.row.told(&account.id)).collect();
        let mut rest = all.iter();
        // Where it is said that the pages may not join, a row without an id may be told again.
        let counts = |told: &&Told| !unsure || **told != Told::Bad;
        let in_order = walked.told.iter().filter(counts).all(|told| rest.any(|row| row == told));
        // The same rows come for any offset, or in an order that is not the one asked for: some may come twice
        // until that is noticed, but then it is an error.
        let odd = self.ignores_offset || matches!(self.order, Order::Letters | Order::Own);
        let in_order = in_order || odd && walked.error.is_some();
        assert!(in_order, "out of order, or twice: {walked:?}, not {all:?}");
        if walked.error.is_none() {
            assert!(walked.told == all || unsure, "a silent end: {walked:?}, not {all:?}");
        } else {
            // Pages that are all too short to reach beyond the row before them look as if the offset did nothing.
            let plain = self.short.iter().all(|missing| *missing == 0);
            let named = state.now.iter().all(|account| account.row.has_id());
            assert!(!plain || !named || self.ignores_offset, "{:?}", walked.error);
        }
    }

    /// What was there throughout comes once.
    fn check_changed(&self, state: &State, walked: &Walked, unsure: bool) {
        // Without ids, with an offset that does nothing, and in an order that is not the one asked for, there is
        // nothing to tell rows by.
        let named = state.lasting.iter().chain(&state.now).all(|account| account.row.has_id());
        if !named || !self.makes_ids() || self.ignores_offset || self.order == Order::Own || unsure {
            return;
        }
        let told = |account: &Account| {
            let wanted = Told::Good(account.id.clone());
            walked.told.iter().filter(|told| **told == wanted).count()
        };
        for account in state.lasting.iter().filter(|account| matches!(account.row, Row::Good(_))) {
            let count = told(account);
            assert!(count <= 1, "{} came {count} times: {walked:?}", account.id);
            if walked.error.is_none() {
                assert_eq!(count, 1, "{} went missing: {walked:?}", account.id);
            }
        }
    }
}
