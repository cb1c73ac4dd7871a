use serde::{Deserialize, Serialize};

/// An FNV-1a hash over a sequence of texts.
///
/// It is stored in checkpoints, so its value is the same in every build. It detects changes, not forgery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Fnv1a(u64);

impl Fnv1a {
    pub(crate) const EMPTY: Self = Self(0xCBF2_9CE4_8422_2325);

    /// Returns the hash of everything before and `text`, which a zero byte ends.
    pub(crate) fn update(self, text: &str) -> Self {
        let bytes = text.bytes().chain([0]);
        Self(bytes.fold(self.0, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_fnv_1a_with_terminated_texts() {
        // The hash of "a" is AF63DC4C8601EC8C, and a zero byte multiplies it once more.
        let a = 0xAF63_DC4C_8601_EC8C_u64.wrapping_mul(0x0100_0000_01B3);
        assert_eq!(Fnv1a::EMPTY.update("a"), Fnv1a(a));
        assert_ne!(Fnv1a::EMPTY.update("ab").update("c"), Fnv1a::EMPTY.update("a").update("bc"));
        assert_eq!(serde_json::to_string(&Fnv1a(a)).unwrap(), a.to_string());
        assert_eq!(serde_json::from_str::<Fnv1a>(&a.to_string()).unwrap(), Fnv1a(a));
    }
}
