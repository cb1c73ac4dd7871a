//! A model of Fortanix's accounts. The server interprets `previous_id` in any way, and accounts may change
//! before any request.

use std::sync::{Arc, Mutex};

use arbitrary::Arbitrary;
use bytes::Bytes;
use headcount::{Completeness, ErrorKind, IncompleteReason, SortOrder, fortanix};
use http::Request;
use uuid::Uuid;

use crate::{
    clients,
    rows::{Row, RowOutcome},
    server::{Reply, Server, parameter, response},
    walk::Outcome,
};

/// Accounts in an order, how the server pages them, and how they change.
#[derive(Arbitrary, Clone, Debug)]
pub struct FortanixModel {
    rows: Vec<(Row, u16)>,
    order: Order,
    paging: Paging,
    unknown: Unknown,
    /// The client's limit.
    limit: u8,
    /// The server's maximum page size.
    max_page_size: Option<u8>,
    /// The client's `previous_id`: the list starts after this account.
    start_after: Option<u8>,
    omits_empty_items: bool,
    /// The requests that get a spurious empty page.
    empty: Vec<u8>,
    changes: Vec<Change>,
}

/// The order of the server's accounts.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Unrelated to ids and dates.
    Unrelated,
    Id,
    IdDescending,
    Created,
    CreatedDescending,
    /// By a mutable field, so accounts move.
    Name,
}

/// How the server interprets `previous_id`.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
enum Paging {
    /// The page starts after it.
    After,
    /// The page starts at it.
    At,
    /// The server ignores all parameters and returns everything, as an older one may. If it returned less, no
    /// client could detect it.
    Ignored,
    /// The server ignores `previous_id`, but not `limit`.
    LimitOnly,
}

/// How the server handles the `previous_id` of a removed account.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
enum Unknown {
    /// The page starts at its former position.
    Keyset,
    /// The page is empty.
    Empty,
    /// The page starts at the first account.
    Start,
    BadRequest,
    NotFound,
}

/// A change before the request with this number.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Change {
    request: u8,
    kind: ChangeKind,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum ChangeKind {
    Remove(u8),
    /// Removes `count` of the most recently returned accounts, except for the last `keep`.
    RemoveReturned {
        count: u8,
        keep: u8,
    },
    Add {
        row: Row,
        id: u16,
        index: u8,
    },
    /// Moves an account, if the order is by name.
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
    /// Whether the account existed before the first response.
    initial: bool,
    removed: bool,
}

impl Account {
    fn json(&self) -> String {
        let created = self.created.map_or(String::new(), |at| format!(r#","created_at":{at}"#));
        self.row.json_with("acct_id", &self.id.to_string(), &created)
    }

    fn outcome(&self) -> RowOutcome {
        self.row.expected(&self.id.to_string())
    }

    /// Returns whether the account exists throughout.
    fn is_permanent(&self) -> bool {
        self.initial && !self.removed
    }
}

/// All accounts in order, including the removed ones.
#[derive(Clone)]
pub struct ServerState(Arc<Mutex<State>>);

struct State {
    accounts: Vec<Account>,
    /// The ids of rows that were returned, the most recent last.
    returned: Vec<Uuid>,
    /// The account after which the list starts.
    start_after: Option<Uuid>,
    requests: usize,
    last_empty: Option<usize>,
    /// The changes since the first response.
    removed: usize,
    added: usize,
    moved: bool,
}

impl State {
    fn remove(&mut self, ids: &[Uuid], after_start: bool) {
        for account in &mut self.accounts {
            if ids.contains(&account.id) && !account.removed && Some(account.id) != self.start_after {
                account.removed = true;
                self.removed += usize::from(after_start);
            }
        }
    }
}

impl FortanixModel {
    fn limit(&self) -> u32 {
        u32::from(self.limit % 12) + 3
    }

    /// Returns the effective page size.
    fn page_size(&self) -> usize {
        let limit = self.limit() as usize;
        self.max_page_size.map_or(limit, |max| limit.min(usize::from(max % 12) + self.min_page_size()))
    }

    /// Returns the minimum page size. With one row, pages at `previous_id` or for any `previous_id` are
    /// indistinguishable from a list of one account.
    fn min_page_size(&self) -> usize {
        if self.paging == Paging::After { 1 } else { 2 }
    }

    /// Returns whether the server honours `previous_id`.
    fn has_pages(&self) -> bool {
        matches!(self.paging, Paging::After | Paging::At)
    }

    /// Returns the creation date of the account with this number.
    fn created_at(&self, number: usize) -> Option<u32> {
        let number = u32::try_from(number).unwrap_or_default();
        match self.order {
            Order::Unrelated => None,
            Order::Id | Order::IdDescending | Order::Name => Some(number * 7919 % 1009),
            // Some accounts have the same second.
            Order::Created | Order::CreatedDescending => Some(number / (1 + u32::from(self.limit / 64))),
        }
    }

    /// Inserts an account according to the order, or at `index` if the order does not determine it.
    fn insert(&self, accounts: &mut Vec<Account>, account: Account, index: usize) {
        let index = match self.order {
            Order::Unrelated | Order::Name => index % (accounts.len() + 1),
            Order::Id => accounts.partition_point(|other| other.id < account.id),
            Order::IdDescending => accounts.partition_point(|other| other.id > account.id),
            Order::Created => accounts.len(),
            Order::CreatedDescending => 0,
        };
        accounts.insert(index, account);
    }

    pub fn server_state(&self) -> ServerState {
        let mut accounts = Vec::new();
        for (number, (row, high)) in self.rows.iter().take(60).enumerate() {
            let index = accounts.len();
            self.insert(&mut accounts, self.account(*row, *high, number, true), index);
        }
        let with_id: Vec<_> = accounts.iter().filter(|account| account.row.has_id()).collect();
        let start_after = self.start_after.filter(|_| self.has_pages() && !with_id.is_empty());
        let start_after = start_after.map(|index| with_id[usize::from(index) % with_id.len()].id);
        ServerState(Arc::new(Mutex::new(State {
            accounts,
            returned: Vec::new(),
            start_after,
            requests: 0,
            last_empty: None,
            removed: 0,
            added: 0,
            moved: false,
        })))
    }

    fn account(&self, row: Row, high: u16, number: usize, initial: bool) -> Account {
        let id = Uuid::from_u128(u128::from(high) << 112 | number as u128);
        Account { row, id, created: self.created_at(number), initial, removed: false }
    }

    pub fn list(&self, state: &ServerState, server: &Server) -> fortanix::ListAccounts {
        let list = clients::fortanix(server).list_accounts().limit(self.limit());
        let list = match self.order {
            Order::Unrelated | Order::Id | Order::Created => list,
            Order::IdDescending => list.sort_by("acct_id", SortOrder::Descending),
            Order::CreatedDescending => list.sort_by("created_at", SortOrder::Descending),
            Order::Name => list.sort_by("name", SortOrder::Ascending),
        };
        match state.0.lock().unwrap().start_after {
            Some(id) => list.previous_id(id),
            None => list,
        }
    }

    pub fn respond(&self, state: &ServerState, request: &Request<Bytes>) -> Reply {
        let state = &mut *state.0.lock().unwrap();
        if self.start_request(state) {
            return self.reply(&[]);
        }
        let limit = parameter(request, "limit").and_then(|limit| limit.parse().ok()).unwrap_or(usize::MAX);
        let previous = parameter(request, "previous_id").and_then(|id| Uuid::parse_str(&id).ok());
        let position = previous.filter(|_| self.has_pages()).map(|id| {
            let index = state.accounts.iter().position(|account| account.id == id);
            let index = index.expect("the id of an account");
            (index, state.accounts[index].removed)
        });
        let start = match (position, self.unknown) {
            (None, _) | (Some((_, true)), Unknown::Start) => 0,
            (Some((index, false)), _) => index + usize::from(self.paging == Paging::After),
            (Some((index, true)), Unknown::Keyset) => index,
            (Some((_, true)), Unknown::Empty) => state.accounts.len(),
            (Some((_, true)), Unknown::BadRequest) => {
                return response(400, r#"{"message":"no such account"}"#);
            }
            (Some((_, true)), Unknown::NotFound) => return response(404, r#"{"message":"no such account"}"#),
        };
        let count = if self.paging == Paging::Ignored { usize::MAX } else { self.page_size().min(limit) };
        let rows = state.accounts[start..].iter().filter(|account| !account.removed).take(count);
        let rows: Vec<_> = rows.cloned().collect();
        for account in &rows {
            state.returned.retain(|id| *id != account.id);
            state.returned.push(account.id);
        }
        self.reply(&rows)
    }

    fn reply(&self, rows: &[Account]) -> Reply {
        if rows.is_empty() && self.omits_empty_items {
            return response(200, "{}");
        }
        let rows: Vec<_> = rows.iter().map(Account::json).collect();
        response(200, format!(r#"{{"items":[{}]}}"#, rows.join(",")))
    }

    /// Applies the changes before the next request. Returns whether the request gets a spurious empty page.
    ///
    /// That does not happen twice in a row, because it would be indistinguishable from the end of the list.
    fn start_request(&self, state: &mut State) -> bool {
        let number = state.requests;
        state.requests += 1;
        let changes = self.changes.iter().take(16).enumerate();
        for (index, change) in changes.filter(|(_, change)| usize::from(change.request) == number) {
            self.apply(state, index, change.kind, number > 0);
        }
        let is_due = self.empty.iter().take(16).any(|empty| usize::from(*empty) == number);
        let is_empty = is_due && state.last_empty.is_none_or(|last| number > last + 3);
        if is_empty {
            state.last_empty = Some(number);
        }
        is_empty
    }

    fn apply(&self, state: &mut State, index: usize, kind: ChangeKind, after_start: bool) {
        let existing: Vec<Uuid> =
            state.accounts.iter().filter(|account| !account.removed).map(|account| account.id).collect();
        match kind {
            ChangeKind::Remove(index) if !existing.is_empty() => {
                state.remove(&[existing[usize::from(index) % existing.len()]], after_start);
            }
            ChangeKind::RemoveReturned { count, keep } => {
                let end = state.returned.len().saturating_sub(usize::from(keep % 8));
                let start = end.saturating_sub(usize::from(count % 12));
                let returned = state.returned[start..end].to_vec();
                state.remove(&returned, after_start);
            }
            ChangeKind::Add { row, id, index: at } => {
                let account = self.account(row, id, 1000 + index, !after_start);
                self.insert(&mut state.accounts, account, at.into());
                state.added += usize::from(after_start);
            }
            ChangeKind::Move { from, to } if self.order == Order::Name && !state.accounts.is_empty() => {
                let from = usize::from(from) % state.accounts.len();
                let account = state.accounts.remove(from);
                self.insert(&mut state.accounts, account, to.into());
                state.moved |= after_start;
            }
            ChangeKind::Remove(_) | ChangeKind::Move { .. } => {}
        }
    }

    /// Checks the outcome of listing the model. Every permanent account is listed once and in order, unless
    /// the order is not stable, or there is an error or a reason in the summary.
    pub fn check(&self, state: &ServerState, outcome: &Outcome) {
        let state = &*state.0.lock().unwrap();
        let reasons = match &outcome.summary.completeness {
            Completeness::Uncertain(reasons) => reasons.as_slice(),
            _ => &[],
        };
        let truncated = reasons.iter().any(|reason| matches!(reason, IncompleteReason::Truncated { .. }));
        let unstable = reasons.contains(&IncompleteReason::UnstableOrder);
        assert_eq!(outcome.summary.repeats_at_most, 0);
        assert!(!truncated || !self.has_pages(), "{reasons:?}");
        if let Some(error) = &outcome.error {
            self.check_error(state, error.kind(), outcome);
        } else {
            self.check_stability(state, unstable, outcome);
        }

        let start = state.accounts.iter().position(|account| Some(account.id) == state.start_after);
        let listed = &state.accounts[start.map_or(0, |start| start + 1)..];
        let count = |account: &Account| outcome.rows.iter().filter(|row| **row == account.outcome()).count();
        let good = || listed.iter().filter(|account| matches!(account.row, Row::Good(_)));
        // An account that moves may be missed or listed twice, if the summary reports an unstable order.
        let excused = state.moved && (unstable || outcome.error.is_some());
        for account in good().filter(|_| !excused) {
            assert!(
                count(account) <= 1,
                "{} was listed twice: {outcome:?}, {:?}",
                account.id,
                state.accounts
            );
        }
        if outcome.error.is_none() && !truncated && !excused {
            for account in good().filter(|account| account.is_permanent()) {
                assert!(count(account) > 0, "{} is missing: {outcome:?}, {:?}", account.id, state.accounts);
            }
        }
        if !state.moved {
            let order: Vec<_> =
                good().filter(|account| account.is_permanent()).map(Account::outcome).collect();
            let rows = outcome.rows.iter().filter(|row| order.contains(row));
            let positions: Vec<_> = rows.map(|row| order.iter().position(|other| other == row)).collect();
            assert!(positions.is_sorted(), "out of order: {outcome:?}, {:?}", state.accounts);
        }
        if state.removed + state.added == 0 && !state.moved {
            let all: Vec<_> =
                listed.iter().filter(|account| !account.removed).map(Account::outcome).collect();
            assert!(all.starts_with(&outcome.rows), "got {outcome:?}, expected {:?}", state.accounts);
            assert!(
                outcome.error.is_some() || truncated || outcome.rows == all,
                "got {outcome:?}, expected {all:?}"
            );
        }
    }

    /// Checks that the position is lost only if most accounts that identify it were removed, and never if
    /// pages overlap enough.
    ///
    /// A list that starts after an account knows only that one at first. If it has one account on its first page,
    /// an account that is created before that one also hides the position.
    fn check_error(&self, state: &State, kind: ErrorKind, outcome: &Outcome) {
        let without_id = state.accounts.iter().any(|account| !account.row.has_id());
        let has_overlap = self.has_pages() && self.page_size() > self.min_page_size();
        let few_known =
            state.start_after.is_some() && (state.removed + state.added > 0 || state.last_empty.is_some());
        let none_left = state.accounts.iter().all(|account| account.removed);
        let excused =
            without_id || state.moved || !has_overlap || state.removed > 5 || few_known || none_left;
        assert!(excused, "{outcome:?}, {:?}", state.accounts);
        let expected = match kind {
            ErrorKind::ListingChanged => true,
            ErrorKind::PaginationLoop => !self.has_pages(),
            ErrorKind::Decode => without_id,
            _ => false,
        };
        assert!(expected, "{:?}", outcome.error);
    }

    /// Checks that an order by ids or dates is reported as stable, and any other order with more than a page
    /// as unstable.
    fn check_stability(&self, state: &State, unstable: bool, outcome: &Outcome) {
        let start = state.accounts.iter().position(|account| Some(account.id) == state.start_after);
        let listed = &state.accounts[start.unwrap_or(0)..];
        let is_by_id = |accounts: &[&Account]| {
            accounts.is_sorted_by_key(|account| account.id)
                || accounts.iter().rev().is_sorted_by_key(|account| account.id)
        };
        let with_id: Vec<_> = listed.iter().filter(|account| account.row.has_id()).collect();
        let dates = listed.iter().map(|account| match account.row {
            Row::Good(_) => account.created,
            Row::Bad(_) | Row::WithoutId(_) => None,
        });
        // If a row has no date, a page may not show the direction of the dates.
        let dates: Option<Vec<_>> = dates.collect();
        let by_date = dates.is_some_and(|dates| {
            let rising = dates.is_sorted_by(|one, next| one < next);
            rising || dates.iter().rev().is_sorted_by(|one, next| one < next)
        });
        let may_be_unstable = self.order == Order::Name || !is_by_id(&with_id) && !by_date;
        assert!(
            !unstable || may_be_unstable,
            "a stable order was reported as unstable: {outcome:?}, {:?}",
            state.accounts
        );

        let visible =
            with_id.into_iter().filter(|account| !account.removed && Some(account.id) != state.start_after);
        let is_unordered = self.order == Order::Unrelated && !is_by_id(&visible.collect::<Vec<_>>());
        let unchanged = state.removed + state.added == 0;
        if self.order == Order::Name || is_unordered && unchanged {
            let one_page = !self.has_pages() || outcome.rows.len() <= self.page_size();
            assert!(
                unstable || one_page,
                "an unstable order was reported as stable: {outcome:?}, {:?}",
                state.accounts
            );
        }
    }
}
