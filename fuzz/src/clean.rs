//! Inputs that do not know the secret.

use arbitrary::{Arbitrary, Error, Result, Unstructured};

use crate::clients::CANARY;

/// An input made of bytes without [`CANARY`]: a fuzzer that watches comparisons learns it, and an id or a cursor that
/// holds it may be shown.
#[derive(Debug)]
pub struct Clean<T>(pub T);

impl<'a, T: Arbitrary<'a>> Arbitrary<'a> for Clean<T> {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        refuse_canary(input)?;
        T::arbitrary(input).map(Self)
    }

    fn arbitrary_take_rest(input: Unstructured<'a>) -> Result<Self> {
        refuse_canary(&input)?;
        T::arbitrary_take_rest(input).map(Self)
    }

    fn size_hint(depth: usize) -> (usize, Option<usize>) {
        T::size_hint(depth)
    }
}

fn refuse_canary(input: &Unstructured<'_>) -> Result<()> {
    let bytes = input.peek_bytes(input.len()).unwrap_or_default();
    let holds = bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
    if holds { Err(Error::IncorrectFormat) } else { Ok(()) }
}
