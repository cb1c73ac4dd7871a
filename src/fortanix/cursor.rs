use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::page;

/// How many accounts before `previous_id` are remembered.
const TAIL: usize = 8;

/// Where a page starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    pub(super) previous_id: Uuid,
    /// The accounts that came before it, oldest first: none of them is to come again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tail: Vec<Uuid>,
    /// Rows behind `previous_id` that were handed out but have no id to page from.
    #[serde(default, skip_serializing_if = "page::is_zero")]
    pub(super) after: u64,
}

impl Cursor {
    /// The place behind an account of which nothing else is known.
    pub(super) fn after(previous_id: Uuid) -> Self {
        Self { previous_id, tail: Vec::new(), after: 0 }
    }

    /// The place behind the last of the rows with these ids, which stand behind `at`; `None` if no row so far has
    /// an id to go on from.
    pub(super) fn behind(ids: &[Option<String>], at: Option<&Self>) -> Option<Self> {
        let last = ids.iter().enumerate().rev().find_map(|(index, id)| Some((index, uuid(id.as_deref())?)));
        let Some((index, previous_id)) = last else {
            return at.map(|at| Self { after: at.after.saturating_add(ids.len() as u64), ..at.clone() });
        };
        // A page may bring few that are new: those before it are still needed.
        let before = at.into_iter().flat_map(|at| at.tail.iter().copied().chain([at.previous_id]));
        let here = ids[..index].iter().filter_map(|id| uuid(id.as_deref()));
        let mut tail: Vec<_> = before.filter(|id| *id != previous_id).chain(here).collect();
        tail.drain(..tail.len().saturating_sub(TAIL));
        Some(Self { previous_id, tail, after: (ids.len() - index - 1) as u64 })
    }

    /// Whether this account came before.
    pub(super) fn knows(&self, id: Uuid) -> bool {
        id == self.previous_id || self.tail.contains(&id)
    }
}

pub(super) fn uuid(id: Option<&str>) -> Option<Uuid> {
    Uuid::parse_str(id?).ok()
}
