//! Seeded random values, so that a failing test is reproducible.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fastrand::Rng;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Creates a generator for one stream of a seed.
///
/// Both numbers are mixed with `SplitMix64`, because adjacent seeds of the generator yield similar values at
/// first.
pub(crate) fn seeded(seed: u64, stream: u64) -> Rng {
    Rng::with_seed(mix(mix(seed) ^ stream))
}

/// Counts the requests of a server, starting at 1.
pub(crate) struct RequestCounter {
    seed: u64,
    count: AtomicU64,
}

impl RequestCounter {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, count: AtomicU64::new(0) }
    }

    /// Returns the number of the next request, and a generator for its request id.
    pub(crate) fn next(&self) -> (u64, Rng) {
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        (number, seeded(self.seed ^ 0x1D, number))
    }
}

/// Hashes a number to 64 bits (`SplitMix64`).
pub(crate) fn mix(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// Returns 16 random bytes.
pub(crate) fn bytes(rng: &mut Rng) -> [u8; 16] {
    rng.u128(..).to_be_bytes()
}

/// Returns 32 random hexadecimal digits in lower case.
pub(crate) fn hex_id(rng: &mut Rng) -> String {
    hex::encode(bytes(rng))
}

/// Returns a random UUID (version 4).
pub(crate) fn uuid(rng: &mut Rng) -> String {
    uuid::Builder::from_random_bytes(bytes(rng)).into_uuid().to_string()
}

/// Returns true with probability 1/`n`.
pub(crate) fn chance(rng: &mut Rng, n: u32) -> bool {
    rng.u32(..n.max(1)) == 0
}

/// Returns a random element, or the default of `T` if there is none.
pub(crate) fn pick<T: Copy + Default>(rng: &mut Rng, values: &[T]) -> T {
    if values.is_empty() {
        return T::default();
    }
    values.get(rng.usize(..values.len())).copied().unwrap_or_default()
}

/// Returns a random documented value or, with probability 1/50, the undocumented one.
pub(crate) fn pick_or_unknown(
    rng: &mut Rng,
    documented: &[&'static str],
    unknown: &'static str,
) -> &'static str {
    if chance(rng, 50) { unknown } else { pick(rng, documented) }
}

/// Returns a random string over an alphabet.
pub(crate) fn string(rng: &mut Rng, alphabet: &[u8], length: usize) -> String {
    (0..length).map(|_| char::from(pick(rng, alphabet))).collect()
}

/// Formats a token like a JWT: a header, the claims, and a digest in place of the signature.
pub(crate) fn token(claims: &Value) -> String {
    let header = URL_SAFE_NO_PAD.encode(json!({"alg": "ES256", "typ": "JWT"}).to_string());
    let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
    let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{header}.{claims}")));
    format!("{header}.{claims}.{digest}")
}
