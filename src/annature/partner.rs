use std::fmt;

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    Result,
    auth::{credential, sensitive},
};

/// Whether a call goes out as a partner's.
#[derive(Clone, Default)]
pub(super) enum Partner {
    /// As the client is set.
    #[default]
    Client,
    /// With this key.
    With(SecretString),
    /// Without one, whatever the client has.
    Without,
}

impl fmt::Debug for Partner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "as the client",
            Self::With(_) => "[redacted]",
            Self::Without => "none",
        })
    }
}

/// The header that a partner key goes out in.
pub(super) fn partner_header(key: &SecretString) -> Result<HeaderValue> {
    sensitive("partner key", credential("partner key", key)?.expose_secret())
}

/// The setters of [`Partner`], for a call that has it in a field `partner`.
macro_rules! partner_setters {
    () => {
        /// This call with the partner key `key`, whatever the client has. What that does is documented for
        /// some calls only: see [the module](crate::annature#endpoints).
        pub fn partner_key(mut self, key: impl Into<secrecy::SecretString>) -> Self {
            self.partner = $crate::annature::partner::Partner::With(key.into());
            self
        }

        /// This call without a partner key, whatever the client has.
        pub fn without_partner_key(mut self) -> Self {
            self.partner = $crate::annature::partner::Partner::Without;
            self
        }
    };
}
pub(super) use partner_setters;
