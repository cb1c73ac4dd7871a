//! What a workspace knows besides its accounts.

use std::collections::BTreeMap;

use crate::seed;

/// Held for as long as a change takes, so that changes come one after another.
#[derive(Debug)]
pub(crate) struct Ledger {
    seed: u64,
    made: u64,
    /// The addresses that mails went to.
    pub(crate) mails: Vec<String>,
    /// New addresses that are not confirmed yet, by account.
    pub(crate) pending: BTreeMap<String, String>,
    /// The organisations that partners have registered.
    pub(crate) registered: Vec<Registered>,
}

/// An organisation with an API key of its own.
#[derive(Clone, Debug)]
pub(crate) struct Registered {
    pub(crate) organisation: String,
    pub(crate) id: String,
    pub(crate) key: String,
}

impl Ledger {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, made: 0, mails: Vec::new(), pending: BTreeMap::new(), registered: Vec::new() }
    }

    /// An id that was not there before.
    pub(crate) fn new_id(&mut self) -> String {
        self.made += 1;
        seed::hex_id(&mut seed::rng(self.seed ^ 0x1ED6, self.made))
    }

    pub(crate) fn register(&mut self) -> Registered {
        let (organisation, id, key) = (self.new_id(), self.new_id(), self.new_id());
        let registered = Registered { organisation, id, key };
        self.registered.push(registered.clone());
        registered
    }

    /// The registered organisation that a public key belongs to.
    pub(crate) fn keys(&self, id: &str) -> Option<&Registered> {
        self.registered.iter().find(|registered| registered.id == id)
    }
}
