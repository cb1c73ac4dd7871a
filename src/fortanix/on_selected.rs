use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use secrecy::SecretString;
use uuid::Uuid;

use super::{login::Opened, session::Session};
use crate::{
    Result,
    auth::Token,
    http::{Answer, Call, Problem, Service, read_nothing},
};

/// A session in which no account is selected meanwhile: for who has the turn.
struct Held(Session);

impl Session {
    /// Sends a request that removes `user` from the account that is selected, and does not name it. However often it
    /// is sent, the account stays the same: who selects another waits for the answer. Of who leaves it oneself, no
    /// session selects it any more.
    pub(super) async fn leave_selected(&self, user: Uuid, call: Call) -> Result<()> {
        let held = Held(self.clone());
        let send = async move {
            let selected = held.0.selected();
            held.0.channel().send(&held, Ok(call), read_nothing).await?;
            if let Some(left) = selected
                && held.0.subject().await == Some(user)
            {
                held.0.forget(left);
            }
            Ok(())
        };
        self.in_turn(send).await
    }
}

impl Service for Held {
    type Permit = Arc<Token<Opened>>;

    async fn permit(&self) -> Result<Arc<Token<Opened>>> {
        self.0.settled().await
    }

    fn authorise(&self, token: &Arc<Token<Opened>>, request: &mut Request<Bytes>) -> Result<()> {
        self.0.authorise(token, request)
    }

    async fn refused(&self, token: &Arc<Token<Opened>>) -> bool {
        self.0.refused(token).await
    }

    fn secrets(&self, token: &Arc<Token<Opened>>) -> Vec<SecretString> {
        self.0.secrets(token)
    }

    fn problem(&self, answer: &Answer) -> Problem {
        self.0.problem(answer)
    }
}
