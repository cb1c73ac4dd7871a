use uuid::Uuid;

/// The account that a client works on, and what is known of the one that its session has selected.
#[derive(Default)]
pub(super) struct Selection {
    /// What was asked for: every session is to select it.
    pub(super) wanted: Option<Uuid>,
    /// The last session in which the client has selected something.
    pub(super) made: Made,
}

/// A selection in one session.
#[derive(Clone, Copy, Default)]
pub(super) struct Made {
    /// Of the session's token; there is none of generation 0.
    pub(super) generation: u64,
    /// `None` while it is not known: the request is under way, or was never answered.
    pub(super) account: Option<Uuid>,
}

/// What a session lacks before requests may be sent in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lack {
    /// This account is to be selected.
    Selection(Uuid),
    /// No account was asked for, and one may be selected. That ends with the session only.
    Certainty,
}

impl Selection {
    /// What the session lacks whose token is of this generation.
    pub(super) fn lack(&self, generation: u64) -> Option<Lack> {
        let made = (self.made.generation == generation).then_some(self.made.account);
        match (self.wanted, made) {
            (Some(wanted), made) if made != Some(Some(wanted)) => Some(Lack::Selection(wanted)),
            (None, Some(None)) => Some(Lack::Certainty),
            _ => None,
        }
    }
}
