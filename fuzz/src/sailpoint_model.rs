//! A model of SailPoint's accounts, or of an account's entitlements. Pages are requested by `offset` and have
//! any length. The list may change before any request, and between a page and its count.

use std::{
    cmp::Reverse,
    collections::HashSet,
    sync::{Arc, Mutex},
};

use arbitrary::Arbitrary;
use bytes::Bytes;
use headcount::{
    Completeness, ErrorKind, IncompleteReason, SortOrder,
    sailpoint::{self, Field},
};
use http::Request;

use crate::{
    clients,
    rows::{Row, RowOutcome},
    server::{Reply, Server, headers, parameter, response, with_headers},
    walk::Outcome,
};

/// Rows, how the server pages them, and how they change.
#[derive(Arbitrary, Clone, Debug)]
pub struct SailPointModel {
    rows: Vec<(Row, Prefix)>,
    order: Order,
    /// The client's limit.
    limit: u8,
    count: Option<bool>,
    /// The client's first offset.
    skip: Option<u8>,
    /// The number of rows that each page lacks, indexed by offset, or by request if `short_by_request`.
    short: Vec<u8>,
    short_by_request: bool,
    counting: Counting,
    /// Whether an offset beyond the last row gets a 400.
    rejects_beyond_end: bool,
    ignores_offset: bool,
    /// The requests that get a spurious empty page.
    empty: Vec<u8>,
    changes: Vec<Change>,
}

/// The kind of list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Accounts,
    /// The provider does not document the order.
    Entitlements,
}

/// The start of an id. A unique number follows.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Prefix {
    None,
    Lower,
    Upper,
    Accent,
    Quote,
    Byte(u8),
}

/// The order of the server's rows.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// By id, compared by bytes.
    IdBytes,
    /// By id, compared without case, as a database may.
    IdIgnoreCase,
    /// A stable order of the server's choice.
    Unrelated,
    /// By creation, as requested. New rows are last, or first.
    Created,
    CreatedDescending,
    /// By the last change, as requested. Rows move.
    Modified,
}

/// The value of `X-Total-Count` if the client requests it.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
enum Counting {
    Correct,
    Missing,
    Invalid,
    Zero,
    /// Capped at a maximum.
    Truncated(u8),
    /// The number of rows on the page.
    Page,
}

/// A change before the request with this number, or between its page and its count.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Change {
    request: u8,
    before_count: bool,
    kind: ChangeKind,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum ChangeKind {
    Remove(u8),
    RemoveMany(u8, u8),
    Add(Row, Prefix),
    AddMany(Prefix, u8),
    /// Moves a row to the end, if the order is by the last change.
    Touch(u8),
}

/// An account with a unique id.
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
            Self::IdBytes => accounts.sort_by(|one, other| one.id.cmp(&other.id)),
            Self::IdIgnoreCase => accounts.sort_by_key(|account| account.id.to_lowercase()),
            Self::Unrelated | Self::Modified => {}
            Self::Created => accounts.sort_by_key(|account| account.number),
            Self::CreatedDescending => accounts.sort_by_key(|account| Reverse(account.number)),
        }
    }
}

/// The current list and its history.
#[derive(Clone)]
pub struct ServerState(Arc<Mutex<State>>);

struct State {
    current: Vec<Account>,
    /// The accounts that existed from the first request to the last.
    permanent: Vec<Account>,
    requests: usize,
    last_empty: Option<usize>,
    changed: bool,
    /// Whether all rows have always had ids.
    all_have_ids: bool,
}

impl State {
    /// Applies a change. Returns whether the list changed.
    fn apply(&mut self, number: usize, kind: ChangeKind, order: Order) -> bool {
        let index = |index: u8, len: usize| usize::from(index) % len.max(1);
        let (added, removed) = match kind {
            ChangeKind::Remove(at) => {
                let at = index(at, self.current.len());
                (Vec::new(), at..self.current.len().min(at + 1))
            }
            ChangeKind::RemoveMany(at, count) => {
                let at = index(at, self.current.len());
                (Vec::new(), at..self.current.len().min(at + usize::from(count % 32)))
            }
            ChangeKind::Add(row, prefix) => (vec![Account::new(row, prefix, 900 + number)], 0..0),
            ChangeKind::AddMany(prefix, count) => {
                let numbers = (0..usize::from(count % 32)).map(|offset| 1000 + 32 * number + offset);
                (numbers.map(|number| Account::new(Row::Good(0), prefix, number)).collect(), 0..0)
            }
            ChangeKind::Touch(at) if order == Order::Modified && !self.current.is_empty() => {
                let touched = self.current.remove(index(at, self.current.len()));
                self.current.push(touched);
                return true;
            }
            ChangeKind::Touch(_) => return false,
        };
        let changed = !removed.is_empty() || !added.is_empty();
        for removed in self.current.drain(removed) {
            self.permanent.retain(|account| account.id != removed.id);
        }
        self.all_have_ids &= added.iter().all(|account| account.row.has_id());
        self.current.extend(added);
        order.sort(&mut self.current);
        changed
    }
}

impl SailPointModel {
    fn limit(&self) -> u32 {
        u32::from(self.limit % 20) + 2
    }

    /// Returns the first offset. It is 0 for a server that ignores offsets.
    fn skip(&self) -> usize {
        self.skip.filter(|_| !self.ignores_offset).map_or(0, |skip| usize::from(skip % 8))
    }

    /// Returns the client's list of accounts.
    pub fn list(&self, server: &Server) -> sailpoint::ListAccounts {
        let list = clients::sailpoint(server).list_accounts().limit(self.limit()).offset(self.skip() as u64);
        let list = match self.order {
            Order::IdBytes | Order::IdIgnoreCase | Order::Unrelated => list,
            Order::Created => list.sort_by(Field::Created, SortOrder::Ascending),
            Order::CreatedDescending => list.sort_by(Field::Created, SortOrder::Descending),
            Order::Modified => list.sort_by(Field::Modified, SortOrder::Ascending),
        };
        match self.count {
            Some(count) => list.count(count),
            None => list,
        }
    }

    /// Returns the client's list of an account's entitlements.
    pub fn entitlements(&self, server: &Server) -> sailpoint::ListEntitlements {
        let list = clients::sailpoint(server).list_entitlements("a").limit(self.limit());
        let list = list.offset(self.skip() as u64);
        match self.count {
            Some(count) => list.count(count),
            None => list,
        }
    }

    pub fn server_state(&self) -> ServerState {
        let rows = self.rows.iter().take(80).enumerate();
        let mut current: Vec<_> =
            rows.map(|(number, (row, prefix))| Account::new(*row, *prefix, number)).collect();
        self.order.sort(&mut current);
        ServerState(Arc::new(Mutex::new(State {
            all_have_ids: current.iter().all(|account| account.row.has_id()),
            permanent: current.clone(),
            current,
            requests: 0,
            last_empty: None,
            changed: false,
        })))
    }

    pub fn respond(&self, state: &ServerState, request: &Request<Bytes>) -> Reply {
        let state = &mut *state.0.lock().unwrap();
        let request_number = state.requests;
        state.requests += 1;
        self.apply_changes(state, request_number, false);
        if request_number == 0 {
            state.permanent = state.current.clone();
        }
        let number = |name: &str| parameter(request, name).and_then(|text| text.parse::<usize>().ok());
        let offset = number("offset").filter(|_| !self.ignores_offset).unwrap_or(0);
        if self.rejects_beyond_end && offset > 0 && offset >= state.current.len() {
            return response(400, r#"{"detailCode":"400.1 Bad Request Content"}"#);
        }
        let index = if self.short_by_request { request_number } else { offset } % self.short.len().max(1);
        let missing = self.short.get(index).map_or(0, |missing| usize::from(*missing));
        let count = number("limit").unwrap_or(250);
        let count = count.saturating_sub(missing).max(count.min(1));
        // Not twice in a row, because that would be indistinguishable from the end of the list.
        let is_due = self.empty.iter().take(16).any(|empty| usize::from(*empty) == request_number);
        let is_empty = is_due && state.last_empty.is_none_or(|last| request_number > last + 3);
        if is_empty {
            state.last_empty = Some(request_number);
        }
        let page = state.current.iter().skip(offset).take(if is_empty { 0 } else { count });
        let rows: Vec<_> = page.map(|account| account.row.json("id", &account.id)).collect();
        self.apply_changes(state, request_number, true);
        let total = match self.counting {
            Counting::Correct => state.current.len().to_string(),
            Counting::Missing => return response(200, format!("[{}]", rows.join(","))),
            Counting::Invalid => "many".into(),
            Counting::Zero => "0".into(),
            Counting::Truncated(max) => state.current.len().min(usize::from(max)).to_string(),
            Counting::Page => rows.len().to_string(),
        };
        let total = [("x-total-count", total.as_bytes())];
        let total = if parameter(request, "count").is_some() { headers(total) } else { headers([]) };
        with_headers(200, format!("[{}]", rows.join(",")), total)
    }

    fn apply_changes(&self, state: &mut State, request: usize, before_count: bool) {
        let changes = self.changes.iter().take(12).enumerate();
        let due = changes.filter(|(_, change)| {
            usize::from(change.request) == request && change.before_count == before_count
        });
        for (number, change) in due {
            let changed = state.apply(number, change.kind, self.order);
            state.changed |= changed && (request > 0 || before_count);
        }
    }

    /// Checks the outcome of listing the model. Every permanent row is listed once and in order, or the
    /// summary reports why it may not be.
    pub fn check(&self, kind: Kind, state: &ServerState, outcome: &Outcome) {
        let state = &*state.0.lock().unwrap();
        let has_reason = |predicate: fn(&IncompleteReason) -> bool| match &outcome.summary.completeness {
            Completeness::Uncertain(reasons) => reasons.iter().any(predicate),
            _ => false,
        };
        let unverified = has_reason(|reason| matches!(reason, IncompleteReason::BoundariesUnverified));
        let unstable = has_reason(|reason| matches!(reason, IncompleteReason::UnstableOrder));
        let mismatch = has_reason(|reason| matches!(reason, IncompleteReason::CountMismatch { .. }));
        // A listing that failed reports no further reasons.
        let uncertain = unverified || mismatch || unstable || outcome.error.is_some();
        let by_id = kind == Kind::Accounts && self.order == Order::IdBytes;
        // Whether the order is as requested, or none was requested.
        let has_requested_order =
            kind == Kind::Entitlements || !matches!(self.order, Order::IdIgnoreCase | Order::Unrelated);
        let has_short_pages = self.short.iter().any(|missing| *missing > 0);
        let has_empty_pages = state.last_empty.is_some();
        let has_wrong_count = match self.counting {
            Counting::Zero | Counting::Page | Counting::Truncated(_) => has_short_pages || has_empty_pages,
            Counting::Correct | Counting::Missing | Counting::Invalid => false,
        };
        // A short page whose count is its own length looks like the last page. A single kind of deviation is
        // compensated.
        let reliable = state.all_have_ids && !self.ignores_offset && !has_wrong_count;
        let full_pages = reliable && !has_short_pages && !has_empty_pages;
        let exact = full_pages && by_id
            || reliable && has_requested_order && !state.changed && !(has_short_pages && has_empty_pages);

        let opaque = kind == Kind::Entitlements || self.order == Order::Modified;
        assert!(opaque || outcome.summary.repeats_at_most == 0, "{outcome:?}");
        assert!(!unstable || kind == Kind::Accounts && self.order == Order::Modified, "{outcome:?}");
        if let Some(error) = &outcome.error {
            let expected = [ErrorKind::ListingChanged, ErrorKind::PaginationLoop].contains(&error.kind());
            // If rows are removed and added repeatedly, a reported offset may be beyond the end. The first
            // offset is not the end of the list.
            let rejected = self.rejects_beyond_end && error.status() == Some(400);
            let rejected = rejected && (state.changed || self.skip() > 0);
            assert!(expected && !exact || rejected, "{error}: {outcome:?}");
        }
        if state.changed {
            self.check_changed(
                state,
                outcome,
                [exact, by_id, has_requested_order, uncertain || has_wrong_count, opaque],
            );
        } else {
            let lost = (unverified || outcome.error.is_some()) && has_short_pages && has_empty_pages;
            self.check_unchanged(
                state,
                outcome,
                [exact, has_requested_order, uncertain || has_wrong_count, lost],
            );
        }
    }

    /// Checks a listing without changes. Every row is listed once and in order, and the listing is complete
    /// or reports that it may not be. If the position may have been lost, rows may be listed twice.
    fn check_unchanged(&self, state: &State, outcome: &Outcome, conditions: [bool; 4]) {
        let [exact, has_requested_order, uncertain, lost] = conditions;
        let rows = state.current.iter().skip(self.skip());
        let all: Vec<RowOutcome> = rows.map(|account| account.row.expected(&account.id)).collect();
        if exact {
            assert!(outcome.rows == all || outcome.error.is_some(), "got {outcome:?}, expected {all:?}");
            return;
        }
        let mut remaining = all.iter();
        // If page boundaries are unverified, a row without an id may be listed again.
        let is_unique = |row: &&RowOutcome| !uncertain || **row != RowOutcome::Bad;
        let once = outcome.rows.iter().filter(is_unique).all(|row| remaining.any(|other| other == row));
        // If the offset or the requested order is ignored, some rows may be listed twice until that is
        // detected. Then there is an error or a reason in the summary.
        let deviates = self.ignores_offset || !has_requested_order;
        let reported = outcome.error.is_some() || uncertain;
        assert!(
            once || lost || deviates && reported,
            "out of order, or listed twice: got {outcome:?}, expected {all:?}"
        );
        if outcome.error.is_none() {
            assert!(
                outcome.rows == all || uncertain,
                "incomplete without a reason: got {outcome:?}, expected {all:?}"
            );
        }
    }

    /// Checks a listing with changes. Every permanent row is listed once.
    fn check_changed(&self, state: &State, outcome: &Outcome, conditions: [bool; 5]) {
        let [exact, by_id, has_requested_order, uncertain, opaque] = conditions;
        let good = outcome.rows.iter().filter_map(RowOutcome::id);
        if by_id && (exact || !uncertain) && !self.ignores_offset {
            assert!(
                good.clone().is_sorted_by(|one, next| one < next),
                "out of order, or listed twice: {outcome:?}"
            );
        }
        // If the offset or the requested order is ignored, the position cannot be verified.
        if !has_requested_order || self.ignores_offset || uncertain && !exact {
            return;
        }
        let listed: HashSet<&str> = good.clone().collect();
        let repeats = (good.count() - listed.len()) as u64;
        assert!(repeats <= outcome.summary.repeats_at_most, "{repeats} were listed twice: {outcome:?}");
        assert!(opaque || repeats == 0);
        if outcome.error.is_some() || self.skip() > 0 {
            return;
        }
        for account in state.permanent.iter().filter(|account| matches!(account.row, Row::Good(_))) {
            assert!(listed.contains(account.id.as_str()), "{} is missing: {outcome:?}", account.id);
        }
    }
}
