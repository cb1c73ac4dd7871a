use std::{future::Future, sync::Arc};

use futures::FutureExt;
use tokio::{sync::Mutex, task::coop::unconstrained};
use tracing::Instrument;

use super::NAME;
use crate::{Result, flight::Flight};

/// Work that is done one after the other, in the order in which it was asked for.
#[derive(Clone, Default)]
pub(super) struct Turn(Arc<Mutex<()>>);

impl Turn {
    /// Does `work` when its turn comes. Who drops this ends it; who only leaves it unpolled keeps nobody else
    /// waiting, for it is done on a task of its own, as long as its runtime runs.
    pub(super) async fn take<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let mut turn = Box::pin(Arc::clone(&self.0).lock_owned());
        // It counts who asked first, and not whose task runs first.
        let taken = unconstrained(turn.as_mut()).now_or_never();
        let work = async move {
            let _turn = match taken {
                Some(taken) => taken,
                None => turn.await,
            };
            work.await
        };
        let done = match Flight::launch(work.in_current_span()) {
            Ok(flight) => flight.landed().await.and_then(|done| done),
            Err(error) => Err(error),
        };
        done.map_err(|error| error.with_provider(NAME))
    }
}
