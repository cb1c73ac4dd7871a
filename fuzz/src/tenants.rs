//! A server of Fortanix's accounts: pages that start after, or at, the account `previous_id`.

use arbitrary::Arbitrary;
use bytes::Bytes;
use headcount::{Completeness, Doubt, ErrorKind, fortanix};
use http::Request;
use uuid::Uuid;

use crate::{
    clients,
    rows::{Row, Told},
    server::{Reply, Server, answer, parameter},
    walk::Walked,
};

/// Accounts in one order, and how the server pages them.
#[derive(Arbitrary, Clone, Debug)]
pub struct Tenants {
    rows: Vec<(Row, u16)>,
    paging: Paging,
    /// What the client asks for.
    limit: u8,
    /// The most that the server gives, whatever it is asked for.
    most: Option<u8>,
    sorted_by_another_key: bool,
    ends_without_items: bool,
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

impl Tenants {
    fn rows(&self) -> &[(Row, u16)] {
        &self.rows[..self.rows.len().min(60)]
    }

    fn limit(&self) -> u32 {
        u32::from(self.limit % 12) + 3
    }

    /// A page of two rows that starts at `previous_id` holds nothing new, so a server gives three at least.
    fn most(&self) -> Option<usize> {
        self.most.map(|most| usize::from(most % 12) + 3)
    }

    /// Whether the ids keep one direction, in an order that is not by what can change.
    fn is_stable(&self) -> bool {
        let rows = self.rows().iter().enumerate().filter(|(_, (row, _))| row.has_id());
        let ids: Vec<_> = rows.map(|(row, _)| self.id(row)).collect();
        !self.sorted_by_another_key && (ids.is_sorted() || ids.is_sorted_by(|one, two| one > two))
    }

    /// In no order that can be told from the ids.
    fn id(&self, row: usize) -> Uuid {
        let high = u128::from(self.rows()[row].1) << 112;
        Uuid::from_u128(high | row as u128)
    }

    pub fn list(&self, server: &Server) -> fortanix::ListAccounts {
        let list = clients::fortanix(server).list_accounts().limit(self.limit());
        if self.sorted_by_another_key { list.sort_by("name", headcount::SortOrder::Ascending) } else { list }
    }

    pub fn answer(&self, request: &Request<Bytes>) -> Reply {
        let limit = parameter(request, "limit").and_then(|limit| limit.parse().ok()).unwrap_or(usize::MAX);
        let previous = parameter(request, "previous_id").and_then(|id| Uuid::parse_str(&id).ok());
        let place = previous.map(|id| (0..self.rows().len()).find(|row| self.id(*row) == id));
        if place == Some(None) {
            return answer(404, r#"{"message":"no such account"}"#);
        }
        let from = match (self.paging, place.flatten()) {
            (Paging::After, Some(row)) => row + 1,
            (Paging::At, Some(row)) => row,
            _ => 0,
        };
        let count = match self.paging {
            Paging::Ignored => usize::MAX,
            _ => limit.min(self.most().unwrap_or(usize::MAX)),
        };
        let rows: Vec<_> = (from..self.rows().len())
            .take(count)
            .map(|row| self.rows()[row].0.json("acct_id", &self.id(row).to_string()))
            .collect();
        if rows.is_empty() && self.ends_without_items {
            return answer(200, "{}");
        }
        answer(200, format!(r#"{{"items":[{}]}}"#, rows.join(",")))
    }

    /// Checks that `walked` is what may come of walking the accounts: all of them, once, in order; or else it is
    /// said why not.
    pub fn check(&self, walked: &Walked) {
        let rows = self.rows().iter().enumerate();
        let all: Vec<Told> = rows.map(|(row, (kind, _))| kind.told(&self.id(row).to_string())).collect();
        assert!(all.starts_with(&walked.told), "out of order, or twice: {walked:?}, not {all:?}");
        let doubts = match &walked.summary.completeness {
            Completeness::Doubtful(doubts) => doubts.as_slice(),
            _ => &[],
        };
        let capped = doubts.iter().any(|doubt| matches!(doubt, Doubt::Capped { .. }));
        if walked.error.is_none() && !capped {
            assert_eq!(walked.told, all, "a silent end");
        }
        let nameless = self.rows().iter().any(|(row, _)| !row.has_id());
        let pages = matches!(self.paging, Paging::After | Paging::At);
        if let Some(error) = &walked.error {
            let place_lost = [ErrorKind::Decode, ErrorKind::Drift].contains(&error.kind());
            let expected = error.kind() == ErrorKind::PaginationLoop || nameless && place_lost;
            assert!(expected && (nameless || !pages), "{error}");
        } else {
            let unstable = doubts.contains(&Doubt::UnstableOrder);
            assert!(!unstable || !self.is_stable(), "{doubts:?}");
            let page = self.most().unwrap_or(usize::MAX).min(self.limit() as usize);
            if pages && self.rows().len() > page {
                assert_eq!(unstable, !self.is_stable(), "{doubts:?}");
            }
            if pages && !nameless {
                assert!(!capped, "{doubts:?}");
            }
        }
    }
}
