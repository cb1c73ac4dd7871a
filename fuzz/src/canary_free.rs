//! Fuzzer inputs without the secret.

use arbitrary::{Arbitrary, Error, Result, Unstructured};

use crate::clients::CANARY;

/// An input whose bytes do not contain [`CANARY`].
///
/// A coverage-guided fuzzer learns the canary from comparisons. In an id or a cursor it would be allowed in
/// errors.
#[derive(Debug)]
pub struct CanaryFree<T>(pub T);

impl<'a, T: Arbitrary<'a>> Arbitrary<'a> for CanaryFree<T> {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        reject_canary(input)?;
        T::arbitrary(input).map(Self)
    }

    fn arbitrary_take_rest(input: Unstructured<'a>) -> Result<Self> {
        reject_canary(&input)?;
        T::arbitrary_take_rest(input).map(Self)
    }

    fn size_hint(depth: usize) -> (usize, Option<usize>) {
        T::size_hint(depth)
    }
}

fn reject_canary(input: &Unstructured<'_>) -> Result<()> {
    let bytes = input.peek_bytes(input.len()).unwrap_or_default();
    let contains_canary = bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
    if contains_canary { Err(Error::IncorrectFormat) } else { Ok(()) }
}
