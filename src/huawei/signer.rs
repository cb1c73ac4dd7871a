use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::Request;
use secrecy::SecretString;

use super::{
    credentials::Keys,
    error,
    sign::{self, Credentials},
};
use crate::{
    Error, Result,
    auth::Token,
    http::{Answer, Clock, Problem, Service},
};

/// Signs every attempt anew: a signature holds its date.
pub(super) struct Signer {
    pub(super) keys: Keys,
    pub(super) clock: Clock,
}

impl Signer {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now().into()
    }
}

impl Service for Signer {
    type Permit = Option<Arc<Token<Credentials>>>;

    async fn permit(&self) -> Result<Self::Permit> {
        match &self.keys {
            Keys::Given(_) => Ok(None),
            Keys::Metadata(metadata) => metadata.key().await.map(Some),
        }
    }

    fn authorise(&self, permit: &Self::Permit, request: &mut Request<Bytes>) -> Result<()> {
        match (&self.keys, permit) {
            (_, Some(key)) => sign::sign(request, &key.value, self.now()),
            (Keys::Given(key), None) => sign::sign(request, key, self.now()),
            (Keys::Metadata(_), None) => Err(Error::config("there is no access key to sign with")),
        }
    }

    // A 401 is never replayed: five in a row lock the key.

    fn secrets(&self, permit: &Self::Permit) -> Vec<SecretString> {
        match (&self.keys, permit) {
            (_, Some(key)) => vec![key.value.secret_key.clone()],
            (Keys::Given(key), None) => vec![key.secret_key.clone()],
            (Keys::Metadata(_), None) => Vec::new(),
        }
    }

    fn problem(&self, answer: &Answer) -> Problem {
        error::read(answer, &sign::date(self.now()))
    }
}
