//! A server of SailPoint's accounts, or of an account's entitlements: pages by `offset`, as short as it likes, of a list
//! that may change before any request, and between a page and its count.

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
    rows::{Row, Told},
    server::{Reply, Server, answer, headers, parameter, with_headers},
    walk::Walked,
};

/// Rows on sources, and how the server pages them.
#[derive(Arbitrary, Clone, Debug)]
pub struct Sources {
    rows: Vec<(Row, Prefix)>,
    order: Order,
    /// What the client asks for.
    limit: u8,
    count: Option<bool>,
    /// How many rows the client leaves out.
    skip: Option<u8>,
    /// How many rows less than asked for each page has, by its offset, or in turns.
    short: Vec<u8>,
    in_turns: bool,
    counting: Counting,
    /// Whether an offset behind the last row is a 400.
    refuses_beyond: bool,
    ignores_offset: bool,
    /// Which requests are answered with no rows, for no reason.
    empty: Vec<u8>,
    changes: Vec<Change>,
}

/// What is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Accounts,
    /// In an order that the provider does not document.
    Entitlements,
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

/// In which order the server has its rows.
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
    /// By the last change, as the client asks for it: rows move.
    Modified,
}

/// What the server says in `X-Total-Count` when it is asked to count.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
enum Counting {
    Right,
    Never,
    Nonsense,
    Zero,
    /// So many at most.
    Truncated(u8),
    /// The rows of the page.
    Page,
}

/// What happens before the request of this number, or between its page and its count.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Change {
    request: u8,
    late: bool,
    what: What,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum What {
    Remove(u8),
    RemoveMany(u8, u8),
    Make(Row, Prefix),
    MakeMany(Prefix, u8),
    /// Only in an order by the last change.
    Touch(u8),
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
            Self::Own | Self::Modified => {}
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
    last_empty: Option<usize>,
    changed: bool,
    /// Whether all rows that ever were have ids.
    named: bool,
}

impl State {
    fn change(&mut self, number: usize, what: What, order: Order) -> bool {
        let place = |place: u8, len: usize| usize::from(place) % len.max(1);
        let (made, gone) = match what {
            What::Remove(at) => {
                let at = place(at, self.now.len());
                (Vec::new(), at..self.now.len().min(at + 1))
            }
            What::RemoveMany(at, many) => {
                let at = place(at, self.now.len());
                (Vec::new(), at..self.now.len().min(at + usize::from(many % 32)))
            }
            What::Make(row, prefix) => (vec![Account::new(row, prefix, 900 + number)], 0..0),
            What::MakeMany(prefix, many) => {
                let numbers = (0..usize::from(many % 32)).map(|more| 1000 + 32 * number + more);
                (numbers.map(|number| Account::new(Row::Good(0), prefix, number)).collect(), 0..0)
            }
            What::Touch(at) if order == Order::Modified && !self.now.is_empty() => {
                let touched = self.now.remove(place(at, self.now.len()));
                self.now.push(touched);
                return true;
            }
            What::Touch(_) => return false,
        };
        let any = !gone.is_empty() || !made.is_empty();
        for gone in self.now.drain(gone) {
            self.lasting.retain(|account| account.id != gone.id);
        }
        self.named &= made.iter().all(|account| account.row.has_id());
        self.now.extend(made);
        order.sort(&mut self.now);
        any
    }
}

impl Sources {
    fn limit(&self) -> u32 {
        u32::from(self.limit % 20) + 2
    }

    /// A server that ignores offsets leaves out nothing.
    fn skip(&self) -> usize {
        self.skip.filter(|_| !self.ignores_offset).map_or(0, |skip| usize::from(skip % 8))
    }

    /// The list of accounts.
    pub fn list(&self, server: &Server) -> sailpoint::ListAccounts {
        let list = clients::sailpoint(server).list_accounts().limit(self.limit()).offset(self.skip() as u64);
        let list = match self.order {
            Order::Bytes | Order::Letters | Order::Own => list,
            Order::Created => list.sort_by(Field::Created, SortOrder::Ascending),
            Order::CreatedDescending => list.sort_by(Field::Created, SortOrder::Descending),
            Order::Modified => list.sort_by(Field::Modified, SortOrder::Ascending),
        };
        match self.count {
            Some(count) => list.count(count),
            None => list,
        }
    }

    /// The same as the entitlements of an account.
    pub fn entitlements(&self, server: &Server) -> sailpoint::ListEntitlements {
        let list = clients::sailpoint(server).list_entitlements("a").limit(self.limit());
        let list = list.offset(self.skip() as u64);
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
        World(Arc::new(Mutex::new(State {
            named: now.iter().all(|account| account.row.has_id()),
            lasting: now.clone(),
            now,
            requests: 0,
            last_empty: None,
            changed: false,
        })))
    }

    pub fn answer(&self, world: &World, request: &Request<Bytes>) -> Reply {
        let state = &mut *world.0.lock().unwrap();
        let turn = state.requests;
        state.requests += 1;
        self.pass_time(state, turn, false);
        if turn == 0 {
            state.lasting = state.now.clone();
        }
        let number = |name: &str| parameter(request, name).and_then(|text| text.parse::<usize>().ok());
        let offset = number("offset").filter(|_| !self.ignores_offset).unwrap_or(0);
        if self.refuses_beyond && offset > 0 && offset >= state.now.len() {
            return answer(400, r#"{"detailCode":"400.1 Bad Request Content"}"#);
        }
        let place = if self.in_turns { turn } else { offset } % self.short.len().max(1);
        let missing = self.short.get(place).map_or(0, |missing| usize::from(*missing));
        let count = number("limit").unwrap_or(250);
        let count = count.saturating_sub(missing).max(count.min(1));
        // Not twice in a row: then it could not be told from an empty list.
        let due = self.empty.iter().take(16).any(|empty| usize::from(*empty) == turn);
        let empty = due && state.last_empty.is_none_or(|last| turn > last + 3);
        if empty {
            state.last_empty = Some(turn);
        }
        let page = state.now.iter().skip(offset).take(if empty { 0 } else { count });
        let rows: Vec<_> = page.map(|account| account.row.json("id", &account.id)).collect();
        self.pass_time(state, turn, true);
        let total = match self.counting {
            Counting::Right => state.now.len().to_string(),
            Counting::Never => return answer(200, format!("[{}]", rows.join(","))),
            Counting::Nonsense => "many".into(),
            Counting::Zero => "0".into(),
            Counting::Truncated(most) => state.now.len().min(usize::from(most)).to_string(),
            Counting::Page => rows.len().to_string(),
        };
        let total = [("x-total-count", total.as_bytes())];
        let total = if parameter(request, "count").is_some() { headers(total) } else { headers([]) };
        with_headers(200, format!("[{}]", rows.join(",")), total)
    }

    fn pass_time(&self, state: &mut State, request: usize, late: bool) {
        let changes = self.changes.iter().take(12).enumerate();
        let due = changes.filter(|(_, change)| usize::from(change.request) == request && change.late == late);
        for (number, change) in due {
            let changed = state.change(number, change.what, self.order);
            state.changed |= changed && (request > 0 || late);
        }
    }

    /// Checks that `walked` is what may come of walking the world: every row that was there throughout comes once and
    /// in order, or it is said that it may not.
    pub fn check(&self, kind: Kind, world: &World, walked: &Walked) {
        let state = &*world.0.lock().unwrap();
        let says = |doubt: fn(&IncompleteReason) -> bool| match &walked.summary.completeness {
            Completeness::Uncertain(doubts) => doubts.iter().any(doubt),
            _ => false,
        };
        let seams = says(|doubt| matches!(doubt, IncompleteReason::BoundariesUnverified));
        let unstable = says(|doubt| matches!(doubt, IncompleteReason::UnstableOrder));
        let fewer = says(|doubt| matches!(doubt, IncompleteReason::CountMismatch { .. }));
        // A list that failed says no more of its pages.
        let unsure = seams || fewer || unstable || walked.error.is_some();
        let by_id = kind == Kind::Accounts && self.order == Order::Bytes;
        // The order that the client has asked for, if it has asked for one.
        let in_order = kind == Kind::Entitlements || !matches!(self.order, Order::Letters | Order::Own);
        let cut = self.short.iter().any(|missing| *missing > 0);
        let emptied = state.last_empty.is_some();
        let lies = match self.counting {
            Counting::Zero | Counting::Page | Counting::Truncated(_) => cut || emptied,
            Counting::Right | Counting::Never | Counting::Nonsense => false,
        };
        // A cut page whose count is that of the page looks like the last. One thing that goes wrong is made good.
        let kept = state.named && !self.ignores_offset && !lies;
        let clean = kept && !cut && !emptied;
        let exact = clean && by_id || kept && in_order && !state.changed && !(cut && emptied);

        let opaque = kind == Kind::Entitlements || self.order == Order::Modified;
        assert!(opaque || walked.summary.repeats_at_most == 0, "{walked:?}");
        assert!(!unstable || kind == Kind::Accounts && self.order == Order::Modified, "{walked:?}");
        if let Some(error) = &walked.error {
            let expected = [ErrorKind::ListingChanged, ErrorKind::PaginationLoop].contains(&error.kind());
            // Where rows are removed and made again and again, an offset is refused although it is shown. The first
            // one is never the end.
            let refused = self.refuses_beyond && error.status() == Some(400);
            let refused = refused && (state.changed || self.skip() > 0);
            assert!(expected && !exact || refused, "{error}: {walked:?}");
        }
        if state.changed {
            self.check_changed(state, walked, [exact, by_id, in_order, unsure || lies, opaque]);
        } else {
            let lost = (seams || walked.error.is_some()) && cut && emptied;
            self.check_still(state, walked, [exact, in_order, unsure || lies, lost]);
        }
    }

    /// Nothing changed: every row comes once, in order, and the list ends, or says that it may have ended early. A list
    /// that goes on where it may have lost its place rather gives a row twice.
    fn check_still(&self, state: &State, walked: &Walked, promised: [bool; 4]) {
        let [exact, in_order, unsure, lost] = promised;
        let rows = state.now.iter().skip(self.skip());
        let all: Vec<Told> = rows.map(|account| account.row.told(&account.id)).collect();
        if exact {
            assert!(walked.told == all || walked.error.is_some(), "{walked:?}, not {all:?}");
            return;
        }
        let mut rest = all.iter();
        // Where it is said that the pages may not join, a row without an id may be told again.
        let counts = |told: &&Told| !unsure || **told != Told::Bad;
        let once = walked.told.iter().filter(counts).all(|told| rest.any(|row| row == told));
        // The same rows come for any offset, or in an order that is not the one asked for: some may come twice
        // until that is noticed, but then it is an error, or it is said that the pages may not join.
        let odd = self.ignores_offset || !in_order;
        let said = walked.error.is_some() || unsure;
        assert!(once || lost || odd && said, "out of order, or twice: {walked:?}, not {all:?}");
        if walked.error.is_none() {
            assert!(walked.told == all || unsure, "a silent end: {walked:?}, not {all:?}");
        }
    }

    /// What was there throughout comes once.
    fn check_changed(&self, state: &State, walked: &Walked, promised: [bool; 5]) {
        let [exact, by_id, in_order, unsure, opaque] = promised;
        let good = walked.told.iter().filter_map(Told::id);
        if by_id && (exact || !unsure) && !self.ignores_offset {
            assert!(good.clone().is_sorted_by(|one, next| one < next), "out of order, or twice: {walked:?}");
        }
        // Where the offset does nothing, or the order is not the one asked for, there is nothing to tell rows by.
        if !in_order || self.ignores_offset || unsure && !exact {
            return;
        }
        let listed: HashSet<&str> = good.clone().collect();
        let twice = (good.count() - listed.len()) as u64;
        assert!(twice <= walked.summary.repeats_at_most, "{twice} came twice: {walked:?}");
        assert!(opaque || twice == 0);
        if walked.error.is_some() || self.skip() > 0 {
            return;
        }
        for account in state.lasting.iter().filter(|account| matches!(account.row, Row::Good(_))) {
            assert!(listed.contains(account.id.as_str()), "{} went missing: {walked:?}", account.id);
        }
    }
}
