//! Requests that are held, and sent later.

use std::{fmt::Debug, future::IntoFuture};

use futures::future::BoxFuture;
use headcount::Result;

/// A request that is not sent yet: awaited, it is, and gives what its answer shows of itself.
pub(crate) struct Unsent {
    /// What it shows of itself.
    pub(crate) shown: String,
    answer: BoxFuture<'static, Result<String>>,
}

/// Requests and their names.
pub(crate) type Named = Vec<(&'static str, Unsent)>;

impl IntoFuture for Unsent {
    type Output = Result<String>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.answer
    }
}

impl Unsent {
    /// Takes what `send` gives, which can be spawned, though the request and its client are gone.
    pub(crate) fn new<A: Debug>(
        shown: String,
        answer: impl Future<Output = Result<A>> + Send + 'static,
    ) -> Self {
        Self { shown, answer: Box::pin(async move { answer.await.map(|answer| debug(&answer)) }) }
    }
}

/// On one line, and on many.
pub(crate) fn debug(value: &impl Debug) -> String {
    format!("{value:?}\n{value:#?}")
}

/// [`Named`] requests, each something with a method `send`.
macro_rules! requests {
    ($($name:literal: $request:expr),+ $(,)?) => {
        vec![$({
            let request = $request;
            let shown = $crate::kit::debug(&request);
            ($name, $crate::kit::Unsent::new(shown, request.send()))
        }),+]
    };
}
pub(crate) use requests;
