//! The credentials of the caller, and their lockout after repeated failures.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::time::Instant;

use crate::{clock, rng};

/// The maximum number of consecutive failures. The next one locks the key.
const MAX_FAILURES: u32 = 5;
const LOCKOUT: Duration = Duration::from_secs(5 * 60);

pub(crate) struct Credentials {
    pub(crate) ak: String,
    pub(crate) sk: String,
    pub(crate) security_token: Option<String>,
    pub(crate) domain_id: String,
}

impl Credentials {
    pub(crate) fn new(seed: u64, temporary: bool) -> Self {
        let rng = &mut rng::seeded(seed, 0x4857);
        let ak = format!("HSTA{}", rng::string(rng, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 16));
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let sk = rng::string(rng, alphabet, 40);
        let domain_id = rng::hex_id(rng);
        // Real tokens are long and contain `+`, `/` and `=`.
        let bytes: Vec<u8> = (0..25).flat_map(|_| rng::bytes(rng)).collect();
        Self { ak, sk, security_token: temporary.then(|| STANDARD.encode(bytes)), domain_id }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("ak", &self.ak).finish_non_exhaustive()
    }
}

/// Counts consecutive authentication failures.
#[derive(Debug, Default)]
pub(crate) struct Lockout {
    failures: u32,
    until: Option<Instant>,
}

impl Lockout {
    /// Returns whether the key is locked. Resets the count if the lockout has ended.
    pub(crate) fn is_locked(&mut self) -> bool {
        match self.until {
            Some(until) if Instant::now() < until => true,
            Some(_) => {
                *self = Self::default();
                false
            }
            None => false,
        }
    }

    /// Counts a failed authentication.
    pub(crate) fn record_failure(&mut self) {
        self.failures += 1;
        if self.failures > MAX_FAILURES {
            self.until = Some(clock::after(LOCKOUT));
        }
    }

    /// Resets the count.
    pub(crate) fn record_success(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn sixth_failure_locks_for_five_minutes() {
        let mut lockout = Lockout::default();
        for _ in 0..5 {
            lockout.record_failure();
        }
        assert!(!lockout.is_locked());
        lockout.record_success();
        for _ in 0..6 {
            assert!(!lockout.is_locked());
            lockout.record_failure();
        }
        assert!(lockout.is_locked());
        tokio::time::advance(Duration::from_secs(299)).await;
        assert!(lockout.is_locked());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!lockout.is_locked());
        lockout.record_failure();
        assert!(!lockout.is_locked(), "the count was reset");
    }
}
