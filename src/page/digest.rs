use serde::{Deserialize, Serialize};

/// A digest of what is put in, one after the other: FNV-1a. It goes into checkpoints, and is the same in every build.
/// It tells whether something is as it was, and not who made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Digest(u64);

impl Digest {
    pub(crate) const NOTHING: Self = Self(0xCBF2_9CE4_8422_2325);

    /// Of everything before, and then `text`.
    pub(crate) fn then(self, text: &str) -> Self {
        let bytes = text.bytes().chain([0]);
        Self(bytes.fold(self.0, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_that_of_fnv_1a_and_tells_where_a_text_ends() {
        // The hash of "a" is AF63DC4C8601EC8C, and a zero byte multiplies it once more.
        let a = 0xAF63_DC4C_8601_EC8C_u64.wrapping_mul(0x0100_0000_01B3);
        assert_eq!(Digest::NOTHING.then("a"), Digest(a));
        assert_ne!(Digest::NOTHING.then("ab").then("c"), Digest::NOTHING.then("a").then("bc"));
        assert_eq!(serde_json::to_string(&Digest(a)).unwrap(), a.to_string());
        assert_eq!(serde_json::from_str::<Digest>(&a.to_string()).unwrap(), Digest(a));
    }
}
