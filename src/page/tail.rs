use std::collections::VecDeque;

/// How many ids are remembered where items keep their order. One would do while nothing is deleted; each
/// further one is a row whose deletion is survived.
const IN_ORDER: usize = 8;

/// How many where they do not: each is one that is not given twice. The longest page of any provider here.
const IN_NO_ORDER: usize = 2000;

/// The ids of the items last handed out of a page, oldest first.
#[derive(Clone, Debug)]
pub(super) struct Tail {
    ids: VecDeque<String>,
    most: usize,
}

impl Tail {
    pub(super) fn new(keeps_order: bool) -> Self {
        Self { ids: VecDeque::new(), most: if keeps_order { IN_ORDER } else { IN_NO_ORDER } }
    }

    pub(super) fn push(&mut self, id: &str) {
        // Reuses the string that falls out: this runs once an item.
        let full = self.ids.len() >= self.most;
        let mut slot = if full { self.ids.pop_front().unwrap_or_default() } else { String::new() };
        slot.clear();
        slot.push_str(id);
        self.ids.push_back(slot);
    }

    /// Remembers `ids` instead, oldest first.
    pub(super) fn set(&mut self, ids: &[String]) {
        self.ids = ids.to_vec().into();
    }

    pub(super) fn clear(&mut self) {
        self.ids.clear();
    }

    pub(super) fn to_vec(&self) -> Vec<String> {
        self.ids.iter().cloned().collect()
    }
}
