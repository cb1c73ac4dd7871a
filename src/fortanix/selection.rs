use uuid::Uuid;

/// The account that a client works on, and what is known of the one that its session has selected.
#[derive(Default)]
pub(super) struct Selection {
    /// What was asked for: every session is to select it.
    pub(super) wanted: Option<Uuid>,
    /// The last session in which the client has selected something.
    pub(super) made: Made,
    /// The generation of a token that was refused once. It is asked about before it is used again.
    pub(super) doubted: u64,
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
    /// Its token was refused, and may be good all the same.
    Trust,
    /// This account is to be selected.
    Selection(Uuid),
    /// No account was asked for, and one may be selected. That ends with the session only.
    Certainty,
}

impl Selection {
    /// The token of this generation was taken.
    pub(super) fn trust(&mut self, generation: u64) {
        if self.doubted == generation {
            self.doubted = 0;
        }
    }

    /// What the session lacks whose token is of this generation.
    pub(super) fn lack(&self, generation: u64) -> Option<Lack> {
        if self.doubted == generation {
            return Some(Lack::Trust);
        }
        let made = (self.made.generation == generation).then_some(self.made.account);
        match (self.wanted, made) {
            (Some(wanted), made) if made != Some(Some(wanted)) => Some(Lack::Selection(wanted)),
            (None, Some(None)) => Some(Lack::Certainty),
            _ => None,
        }
    }
}
