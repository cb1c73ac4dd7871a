use std::collections::VecDeque;

/// How many ids are remembered. One would do while nothing is deleted; each further one is a row whose
/// deletion is survived.
const LENGTH: usize = 8;

/// The ids of the items last handed out of a page, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Tail(VecDeque<String>);

impl Tail {
    pub(super) fn push(&mut self, id: &str) {
        // Reuses the string that falls out: this runs once an item.
        let mut slot =
            if self.0.len() == LENGTH { self.0.pop_front().unwrap_or_default() } else { String::new() };
        slot.clear();
        slot.push_str(id);
        self.0.push_back(slot);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn to_vec(&self) -> Vec<String> {
        self.0.iter().cloned().collect()
    }
}

impl From<Vec<String>> for Tail {
    fn from(ids: Vec<String>) -> Self {
        Self(ids.into())
    }
}
