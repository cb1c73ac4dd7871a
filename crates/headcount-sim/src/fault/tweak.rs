//! What a provider itself must do differently for one request.

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use http::StatusCode;

/// Something that only the provider can do. It says so when it has done it.
#[derive(Debug, Default)]
pub(crate) struct Tweak {
    what: What,
    done: AtomicBool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum What {
    #[default]
    Nothing,
    Refuse(StatusCode),
    ShortPage,
    EmptyPage,
    Clock(TimeDelta),
}

impl Tweak {
    pub(crate) fn refuse(status: StatusCode) -> Self {
        Self::new(What::Refuse(status))
    }

    pub(crate) fn short_page() -> Self {
        Self::new(What::ShortPage)
    }

    pub(crate) fn empty_page() -> Self {
        Self::new(What::EmptyPage)
    }

    pub(crate) fn clock(ahead: TimeDelta) -> Self {
        Self::new(What::Clock(ahead))
    }

    fn new(what: What) -> Self {
        Self { what, done: AtomicBool::new(false) }
    }

    /// Whether the provider has done it.
    pub(crate) fn is_done(&self) -> bool {
        self.done.load(Ordering::Relaxed)
    }

    /// The status to refuse the request with, whatever it asks for.
    pub(crate) fn refusal(&self) -> Option<StatusCode> {
        match self.what {
            What::Refuse(status) => Some(status),
            _ => None,
        }
    }

    /// How far the clock that judges this request is ahead.
    pub(crate) fn clock_ahead(&self) -> TimeDelta {
        match self.what {
            What::Clock(ahead) => {
                self.set_done();
                ahead
            }
            _ => TimeDelta::zero(),
        }
    }

    /// Takes rows from the end of a page, half or all of them; true if it did, so that more follow.
    pub(crate) fn cut<T>(&self, rows: &mut Vec<T>) -> bool {
        let left = match self.what {
            What::ShortPage => rows.len().div_ceil(2),
            What::EmptyPage => 0,
            _ => return false,
        };
        if left >= rows.len() {
            return false;
        }
        rows.truncate(left);
        self.set_done();
        true
    }

    fn set_done(&self) {
        self.done.store(true, Ordering::Relaxed);
    }
}
