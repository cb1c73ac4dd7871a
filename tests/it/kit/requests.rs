//! Requests that are built first and sent later.

use std::{fmt::Debug, future::IntoFuture};

use futures::future::BoxFuture;
use headcount::Result;

/// A request that was not sent yet. Awaiting it sends the request and returns the `Debug` output of its
/// response.
pub(crate) struct PendingRequest {
    /// The `Debug` output of the request.
    pub(crate) debug: String,
    response: BoxFuture<'static, Result<String>>,
}

/// Requests with their names.
pub(crate) type NamedRequests = Vec<(&'static str, PendingRequest)>;

impl IntoFuture for PendingRequest {
    type Output = Result<String>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.response
    }
}

impl PendingRequest {
    /// Wraps the future that `send` returned. The bounds require that it can be spawned and borrows nothing.
    pub(crate) fn new<T: Debug>(
        debug: String,
        response: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Self {
        let response = Box::pin(async move { response.await.map(|response| self::debug(&response)) });
        Self { debug, response }
    }
}

/// Formats a value with `{:?}` and with `{:#?}`.
pub(crate) fn debug(value: &impl Debug) -> String {
    format!("{value:?}\n{value:#?}")
}

/// Builds [`NamedRequests`] from builders with a method `send`.
macro_rules! requests {
    ($($name:literal: $request:expr),+ $(,)?) => {
        vec![$({
            let request = $request;
            let debug = $crate::kit::debug(&request);
            ($name, $crate::kit::PendingRequest::new(debug, request.send()))
        }),+]
    };
}
pub(crate) use requests;
