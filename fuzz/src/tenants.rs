//! A server of Fortanix's accounts, which pages by `previous_id` in any way that is thinkable, and whose accounts may
//! change at any request.

use std::sync::{Arc, Mutex};

use arbitrary::Arbitrary;
use bytes::Bytes;
use headcount::{Completeness, ErrorKind, IncompleteReason, SortOrder, fortanix};
use http::Request;
use uuid::Uuid;

use crate::{
    clients,
    rows::{Row, Told},
    server::{Reply, Server, answer, parameter},
    walk::Walked,
};

/// Accounts in one order, how the server pages them, and what happens to them.
#[derive(Arbitrary, Clone, Debug)]
pub struct Tenants {
    rows: Vec<(Row, u16)>,
    order: Order,
    paging: Paging,
    unknown: Unknown,
    /// What the client asks for.
    limit: u8,
    /// The most that the server gives, whatever it is asked for.
    most: Option<u8>,
    /// The list starts behind this account.
    behind: Option<u8>,
    ends_without_items: bool,
    /// Before which requests the server has no rows, for no reason.
    empty: Vec<u8>,
    changes: Vec<Change>,
}

/// In which order the server has its accounts.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// In one that neither ids nor dates show.
    Own,
    Id,
    IdDescending,
    Created,
    CreatedDescending,
    /// By what can change: accounts move.
    Name,
}

/// What the server makes of `previous_id`.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
enum Paging {
    /// The page starts after it.
    After,
    /// The page starts at it.
    At,
    /// Nothing: an older server, which knows no parameters at all, and gives everything. If it gave less, nobody
    /// could tell.
    Ignored,
    /// Nothing, but it keeps to `limit`.
    Limited,
}

/// What the server makes of a `previous_id` that is gone.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
enum Unknown {
    /// The page starts where it stood.
    Keyset,
    Nothing,
    Start,
    BadRequest,
    NotFound,
}

/// What happens before the request of this number.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Change {
    request: u8,
    what: What,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum What {
    Remove(u8),
    /// Those are removed that were shown last: so many, but for the very last ones.
    RemoveShown {
        many: u8,
        but: u8,
    },
    Make {
        row: Row,
        id: u16,
        place: u8,
    },
    /// Only in an order by name.
    Move {
        from: u8,
        to: u8,
    },
}

#[derive(Clone, Debug)]
struct Account {
    row: Row,
    id: Uuid,
    created: Option<u32>,
    /// It was there before the first answer.
    early: bool,
    gone: bool,
}

impl Account {
    fn json(&self) -> String {
        let created = self.created.map_or(String::new(), |at| format!(r#","created_at":{at}"#));
        self.row.json_with("acct_id", &self.id.to_string(), &created)
    }

    fn told(&self) -> Told {
        self.row.told(&self.id.to_string())
    }

    fn lasts(&self) -> bool {
        self.early && !self.gone
    }
}

/// All accounts that ever were, in their order.
#[derive(Clone)]
pub struct World(Arc<Mutex<State>>);

struct State {
    accounts: Vec<Account>,
    /// The ids that were shown, the last ones last.
    shown: Vec<Uuid>,
    /// The account behind which the list starts.
    behind: Option<Uuid>,
    requests: usize,
    last_empty: Option<usize>,
    /// What happened since the first answer.
    removed: usize,
    made: usize,
    moved: bool,
}

impl State {
    fn remove(&mut self, ids: &[Uuid], late: bool) {
        for account in &mut self.accounts {
            if ids.contains(&account.id) && !account.gone && Some(account.id) != self.behind {
                account.gone = true;
                self.removed += usize::from(late);
            }
        }
    }
}

impl Tenants {
    fn limit(&self) -> u32 {
        u32::from(self.limit % 12) + 3
    }

    /// The most rows of a page.
    fn page(&self) -> usize {
        let limit = self.limit() as usize;
        self.most.map_or(limit, |most| limit.min(usize::from(most % 12) + self.least()))
    }

    /// One row at `previous_id`, or the same one for any, looks like a list of one account.
    fn least(&self) -> usize {
        if self.paging == Paging::After { 1 } else { 2 }
    }

    fn pages(&self) -> bool {
        matches!(self.paging, Paging::After | Paging::At)
    }

    /// The date of the account of this number, in the order of time.
    fn created(&self, number: usize) -> Option<u32> {
        let number = u32::try_from(number).unwrap_or_default();
        match self.order {
            Order::Own => None,
            Order::Id | Order::IdDescending | Order::Name => Some(number * 7919 % 1009),
            // Some within the same second.
            Order::Created | Order::CreatedDescending => Some(number / (1 + u32::from(self.limit / 64))),
        }
    }

    /// Puts an account in its place, which is `place` where the order says nothing.
    fn put(&self, accounts: &mut Vec<Account>, account: Account, place: usize) {
        let place = match self.order {
            Order::Own | Order::Name => place % (accounts.len() + 1),
            Order::Id => accounts.partition_point(|other| other.id < account.id),
            Order::IdDescending => accounts.partition_point(|other| other.id > account.id),
            Order::Created => accounts.len(),
            Order::CreatedDescending => 0,
        };
        accounts.insert(place, account);
    }

    pub fn world(&self) -> World {
        let mut accounts = Vec::new();
        for (number, (row, high)) in self.rows.iter().take(60).enumerate() {
            let place = accounts.len();
            self.put(&mut accounts, self.account(*row, *high, number, true), place);
        }
        let named: Vec<_> = accounts.iter().filter(|account| account.row.has_id()).collect();
        let behind = self.behind.filter(|_| self.pages() && !named.is_empty());
        let behind = behind.map(|behind| named[usize::from(behind) % named.len()].id);
        World(Arc::new(Mutex::new(State {
            accounts,
            shown: Vec::new(),
            behind,
            requests: 0,
            last_empty: None,
            removed: 0,
            made: 0,
            moved: false,
        })))
    }

    fn account(&self, row: Row, high: u16, number: usize, early: bool) -> Account {
        let id = Uuid::from_u128(u128::from(high) << 112 | number as u128);
        Account { row, id, created: self.created(number), early, gone: false }
    }

    pub fn list(&self, world: &World, server: &Server) -> fortanix::ListAccounts {
        let list = clients::fortanix(server).list_accounts().limit(self.limit());
        let list = match self.order {
            Order::Own | Order::Id | Order::Created => list,
            Order::IdDescending => list.sort_by("acct_id", SortOrder::Descending),
            Order::CreatedDescending => list.sort_by("created_at", SortOrder::Descending),
            Order::Name => list.sort_by("name", SortOrder::Ascending),
        };
        match world.0.lock().unwrap().behind {
            Some(id) => list.previous_id(id),
            None => list,
        }
    }

    pub fn answer(&self, world: &World, request: &Request<Bytes>) -> Reply {
        let state = &mut *world.0.lock().unwrap();
        if self.pass_time(state) {
            return self.reply(&[]);
        }
        let limit = parameter(request, "limit").and_then(|limit| limit.parse().ok()).unwrap_or(usize::MAX);
        let previous = parameter(request, "previous_id").and_then(|id| Uuid::parse_str(&id).ok());
        let place = previous.filter(|_| self.pages()).map(|id| {
            let place = state.accounts.iter().position(|account| account.id == id);
            let place = place.expect("an id that no account ever had");
            (place, state.accounts[place].gone)
        });
        let from = match (place, self.unknown) {
            (None, _) | (Some((_, true)), Unknown::Start) => 0,
            (Some((place, false)), _) => place + usize::from(self.paging == Paging::After),
            (Some((place, true)), Unknown::Keyset) => place,
            (Some((_, true)), Unknown::Nothing) => state.accounts.len(),
            (Some((_, true)), Unknown::BadRequest) => return answer(400, r#"{"message":"no such account"}"#),
            (Some((_, true)), Unknown::NotFound) => return answer(404, r#"{"message":"no such account"}"#),
        };
        let most = if self.paging == Paging::Ignored { usize::MAX } else { self.page().min(limit) };
        let rows = state.accounts[from..].iter().filter(|account| !account.gone).take(most);
        let rows: Vec<_> = rows.cloned().collect();
        for account in &rows {
            state.shown.retain(|id| *id != account.id);
            state.shown.push(account.id);
        }
        self.reply(&rows)
    }

    fn reply(&self, rows: &[Account]) -> Reply {
        if rows.is_empty() && self.ends_without_items {
            return answer(200, "{}");
        }
        let rows: Vec<_> = rows.iter().map(Account::json).collect();
        answer(200, format!(r#"{{"items":[{}]}}"#, rows.join(",")))
    }

    /// Lets happen what happens before the next request. Whether it is answered with no rows: that may not happen
    /// twice in a row, for then it cannot be told from an empty list.
    fn pass_time(&self, state: &mut State) -> bool {
        let number = state.requests;
        state.requests += 1;
        let changes = self.changes.iter().take(16).enumerate();
        for (index, change) in changes.filter(|(_, change)| usize::from(change.request) == number) {
            self.change(state, index, change.what, number > 0);
        }
        let due = self.empty.iter().take(16).any(|empty| usize::from(*empty) == number);
        let empty = due && state.last_empty.is_none_or(|last| number > last + 3);
        if empty {
            state.last_empty = Some(number);
        }
        empty
    }

    fn change(&self, state: &mut State, index: usize, what: What, late: bool) {
        let living: Vec<Uuid> =
            state.accounts.iter().filter(|account| !account.gone).map(|account| account.id).collect();
        match what {
            What::Remove(place) if !living.is_empty() => {
                state.remove(&[living[usize::from(place) % living.len()]], late);
            }
            What::RemoveShown { many, but } => {
                let end = state.shown.len().saturating_sub(usize::from(but % 8));
                let from = end.saturating_sub(usize::from(many % 12));
                let shown = state.shown[from..end].to_vec();
                state.remove(&shown, late);
            }
            What::Make { row, id, place } => {
                let account = self.account(row, id, 1000 + index, !late);
                self.put(&mut state.accounts, account, place.into());
                state.made += usize::from(late);
            }
            What::Move { from, to } if self.order == Order::Name && !state.accounts.is_empty() => {
                let from = usize::from(from) % state.accounts.len();
                let account = state.accounts.remove(from);
                self.put(&mut state.accounts, account, to.into());
                state.moved |= late;
            }
            What::Remove(_) | What::Move { .. } => {}
        }
    }

    /// Checks that `walked` is what may come of walking the world: every account that stays comes once, in any order
    /// in which accounts keep their places; or else it is said why not.
    pub fn check(&self, world: &World, walked: &Walked) {
        let state = &*world.0.lock().unwrap();
        let doubts = match &walked.summary.completeness {
            Completeness::Uncertain(doubts) => doubts.as_slice(),
            _ => &[],
        };
        let capped = doubts.iter().any(|doubt| matches!(doubt, IncompleteReason::Truncated { .. }));
        let unstable = doubts.contains(&IncompleteReason::UnstableOrder);
        assert_eq!(walked.summary.repeats_at_most, 0);
        assert!(!capped || !self.pages(), "{doubts:?}");
        if let Some(error) = &walked.error {
            self.check_error(state, error.kind(), walked);
        } else {
            self.check_doubts(state, unstable, walked);
        }

        let start = state.accounts.iter().position(|account| Some(account.id) == state.behind);
        let behind = &state.accounts[start.map_or(0, |start| start + 1)..];
        let times = |account: &Account| walked.told.iter().filter(|told| **told == account.told()).count();
        let good = || behind.iter().filter(|account| matches!(account.row, Row::Good(_)));
        // An account that moves can be missed, and be listed twice, where it is said that the order is not stable.
        let excused = state.moved && (unstable || walked.error.is_some());
        for account in good().filter(|_| !excused) {
            assert!(times(account) <= 1, "{} came twice: {walked:?}, {:?}", account.id, state.accounts);
        }
        if walked.error.is_none() && !capped && !excused {
            for account in good().filter(|account| account.lasts()) {
                assert!(times(account) > 0, "{} went missing: {walked:?}, {:?}", account.id, state.accounts);
            }
        }
        if !state.moved {
            let order: Vec<_> = good().filter(|account| account.lasts()).map(Account::told).collect();
            let told = walked.told.iter().filter(|told| order.contains(told));
            let places: Vec<_> = told.map(|told| order.iter().position(|other| other == told)).collect();
            assert!(places.is_sorted(), "out of order: {walked:?}, {:?}", state.accounts);
        }
        if state.removed + state.made == 0 && !state.moved {
            let all: Vec<_> = behind.iter().filter(|account| !account.gone).map(Account::told).collect();
            assert!(all.starts_with(&walked.told), "{walked:?}, not {:?}", state.accounts);
            assert!(walked.error.is_some() || capped || walked.told == all, "{walked:?}, not {all:?}");
        }
    }

    /// A place is lost only where most of what it is known by is gone, and not where pages are wide enough to show it.
    fn check_error(&self, state: &State, kind: ErrorKind, walked: &Walked) {
        let nameless = state.accounts.iter().any(|account| !account.row.has_id());
        let wide = self.pages() && self.page() > self.least();
        // A list that starts behind an account has few other places until it has listed more.
        let few = state.behind.is_some() && (state.removed > 0 || state.last_empty.is_some());
        let excused = nameless || state.moved || !wide || state.removed > 5 || few;
        assert!(excused, "{walked:?}, {:?}", state.accounts);
        let expected = match kind {
            ErrorKind::ListingChanged => true,
            ErrorKind::PaginationLoop => !self.pages(),
            ErrorKind::Decode => nameless,
            _ => false,
        };
        assert!(expected, "{:?}", walked.error);
    }

    /// An order that ids or dates show is stable, and another is not once there is more than a page of it.
    fn check_doubts(&self, state: &State, unstable: bool, walked: &Walked) {
        let start = state.accounts.iter().position(|account| Some(account.id) == state.behind);
        let listed = &state.accounts[start.unwrap_or(0)..];
        let is_by_id = |accounts: &[&Account]| {
            accounts.is_sorted_by_key(|account| account.id)
                || accounts.iter().rev().is_sorted_by_key(|account| account.id)
        };
        let named: Vec<_> = listed.iter().filter(|account| account.row.has_id()).collect();
        let dates = listed.iter().map(|account| match account.row {
            Row::Good(_) => account.created,
            Row::Bad(_) | Row::Nameless(_) => None,
        });
        // If one row has none, one page may not show how the dates run.
        let dates: Option<Vec<_>> = dates.collect();
        let by_date = dates.is_some_and(|dates| {
            let rising = dates.is_sorted_by(|one, next| one < next);
            rising || dates.iter().rev().is_sorted_by(|one, next| one < next)
        });
        let may_be = self.order == Order::Name || !is_by_id(&named) && !by_date;
        assert!(!unstable || may_be, "no order is known to be stable: {walked:?}, {:?}", state.accounts);

        let shown = named.into_iter().filter(|account| !account.gone && Some(account.id) != state.behind);
        let shows_none = self.order == Order::Own && !is_by_id(&shown.collect::<Vec<_>>());
        let still = state.removed + state.made == 0;
        if self.order == Order::Name || shows_none && still {
            let one_page = !self.pages() || walked.told.len() <= self.page();
            assert!(unstable || one_page, "an order is taken to be stable: {walked:?}, {:?}", state.accounts);
        }
    }
}
