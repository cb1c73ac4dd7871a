//! The keys of the one caller, and the lock that too many failures put on them.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::time::Instant;

use crate::{clock, seed};

/// More failures in a row than this lock the key.
const MAX_FAILURES: u32 = 5;
const LOCKED_FOR: Duration = Duration::from_secs(5 * 60);

pub(crate) struct Keys {
    pub(crate) ak: String,
    pub(crate) sk: String,
    pub(crate) security_token: Option<String>,
    pub(crate) domain_id: String,
}

impl Keys {
    pub(crate) fn new(seed: u64, temporary: bool) -> Self {
        let rng = &mut seed::rng(seed, 0x4857);
        let ak = format!("HSTA{}", seed::word(rng, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 16));
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let sk = seed::word(rng, alphabet, 40);
        let domain_id = seed::hex_id(rng);
        // Real ones are long and hold `+`, `/` and `=`.
        let noise: Vec<u8> = (0..25).flat_map(|_| seed::bytes(rng)).collect();
        Self { ak, sk, security_token: temporary.then(|| STANDARD.encode(noise)), domain_id }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("ak", &self.ak).finish_non_exhaustive()
    }
}

/// Counts failures in a row.
#[derive(Debug, Default)]
pub(crate) struct Lockout {
    failures: u32,
    until: Option<Instant>,
}

impl Lockout {
    /// Whether the key is locked now. A lock that has run out starts the count again.
    pub(crate) fn locked(&mut self) -> bool {
        match self.until {
            Some(until) if Instant::now() < until => true,
            Some(_) => {
                *self = Self::default();
                false
            }
            None => false,
        }
    }

    pub(crate) fn failed(&mut self) {
        self.failures += 1;
        if self.failures > MAX_FAILURES {
            self.until = Some(clock::after(LOCKED_FOR));
        }
    }

    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_sixth_failure_in_a_row_locks_for_five_minutes() {
        let mut lockout = Lockout::default();
        for _ in 0..5 {
            lockout.failed();
        }
        assert!(!lockout.locked());
        lockout.succeeded();
        for _ in 0..6 {
            assert!(!lockout.locked());
            lockout.failed();
        }
        assert!(lockout.locked());
        tokio::time::advance(Duration::from_secs(299)).await;
        assert!(lockout.locked());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!lockout.locked());
        lockout.failed();
        assert!(!lockout.locked(), "the count has started again");
    }
}
