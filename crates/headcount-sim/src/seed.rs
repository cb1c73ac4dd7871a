//! Everything made up comes from a seed, so that a failing test fails again.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fastrand::Rng;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A generator for one thing of a seeded world.
///
/// Neighbouring seeds give streams that look alike at first, so both numbers are mixed (`SplitMix64`).
pub(crate) fn rng(seed: u64, thing: u64) -> Rng {
    Rng::with_seed(mix(mix(seed) ^ thing))
}

/// Numbers a server's answers, from 1 on.
pub(crate) struct Answers {
    seed: u64,
    count: AtomicU64,
}

impl Answers {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, count: AtomicU64::new(0) }
    }

    /// The number of one more answer, and a generator for its id.
    pub(crate) fn next(&self) -> (u64, Rng) {
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        (number, rng(self.seed ^ 0x1D, number))
    }
}

/// A number spread over 64 bits.
pub(crate) fn mix(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// Sixteen random bytes.
pub(crate) fn bytes(rng: &mut Rng) -> [u8; 16] {
    rng.u128(..).to_be_bytes()
}

/// Thirty-two lower-case hexadecimal digits.
pub(crate) fn hex_id(rng: &mut Rng) -> String {
    hex::encode(bytes(rng))
}

/// A UUID of version 4.
pub(crate) fn uuid(rng: &mut Rng) -> String {
    uuid::Builder::from_random_bytes(bytes(rng)).into_uuid().to_string()
}

/// True once in `n` times.
pub(crate) fn one_in(rng: &mut Rng, n: u32) -> bool {
    rng.u32(..n.max(1)) == 0
}

/// One of several; the default of `T` when there are none.
pub(crate) fn pick<T: Copy + Default>(rng: &mut Rng, of: &[T]) -> T {
    if of.is_empty() {
        return T::default();
    }
    of.get(rng.usize(..of.len())).copied().unwrap_or_default()
}

/// One of several known words or, once in fifty times, a word that no reference knows yet.
pub(crate) fn pick_or(rng: &mut Rng, known: &[&'static str], unknown: &'static str) -> &'static str {
    if one_in(rng, 50) { unknown } else { pick(rng, known) }
}

/// Letters and digits, as keys and passwords have them.
pub(crate) fn word(rng: &mut Rng, alphabet: &[u8], length: usize) -> String {
    (0..length).map(|_| char::from(pick(rng, alphabet))).collect()
}

/// Text that looks like a signed token: a header, the claims, and a digest where the signature would be.
/// Nobody can verify it, and nobody should.
pub(crate) fn token(claims: &Value) -> String {
    let header = URL_SAFE_NO_PAD.encode(json!({"alg": "ES256", "typ": "JWT"}).to_string());
    let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
    let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{header}.{claims}")));
    format!("{header}.{claims}.{digest}")
}
