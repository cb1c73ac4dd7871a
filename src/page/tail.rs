use std::collections::VecDeque;

use crate::digest::Digest;

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
    /// Of all ids since it was cleared, also of those that are not remembered any more. Where items keep their
    /// order, the last ones tell enough.
    digest: Option<Digest>,
    /// Strings to use again: one is needed for each item.
    spare: Vec<String>,
}

impl Tail {
    pub(super) fn new(keeps_order: bool) -> Self {
        let (most, digest) =
            if keeps_order { (IN_ORDER, None) } else { (IN_NO_ORDER, Some(Digest::NOTHING)) };
        Self { ids: VecDeque::new(), most, digest, spare: Vec::new() }
    }

    pub(super) fn push(&mut self, id: &str) {
        let full = self.ids.len() >= self.most;
        let slot = if full { self.ids.pop_front() } else { self.spare.pop() };
        let mut slot = slot.unwrap_or_default();
        slot.clear();
        slot.push_str(id);
        self.ids.push_back(slot);
        self.digest = self.digest.map(|digest| digest.then(id));
    }

    /// Remembers `ids` instead, oldest first, and the digest of them and those before.
    pub(super) fn set(&mut self, ids: &[String], digest: Option<Digest>) {
        (self.ids, self.digest) = (ids.to_vec().into(), digest);
    }

    pub(super) fn clear(&mut self) {
        self.spare.extend(self.ids.drain(..));
        self.digest = self.digest.map(|_| Digest::NOTHING);
    }

    pub(super) fn digest(&self) -> Option<Digest> {
        self.digest
    }

    pub(super) fn to_vec(&self) -> Vec<String> {
        self.ids.iter().cloned().collect()
    }
}
