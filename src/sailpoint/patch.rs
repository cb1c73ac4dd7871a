//! JSON Patch (RFC 6902), as far as accounts can be changed by it.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::attributes::check_name;
use crate::{Error, Result, http::segment};

/// What of an account can be changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AccountPath {
    /// `/identityId`: the identity that the account is correlated to.
    IdentityId,
    /// `/manuallyCorrelated`: whether it was correlated by hand.
    ManuallyCorrelated,
    /// `/attributes/…`: an attribute by its name. Of accounts on sources of delimited files only.
    Attribute(String),
}

impl AccountPath {
    /// The attribute `name`; of any characters, as they are escaped where that is needed.
    pub fn attribute(name: impl Into<String>) -> Self {
        Self::Attribute(name.into())
    }
}

impl fmt::Display for AccountPath {
    /// As a JSON pointer (RFC 6901).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IdentityId => f.write_str("/identityId"),
            Self::ManuallyCorrelated => f.write_str("/manuallyCorrelated"),
            // In this order, or the `~` of `~1` would be escaped again.
            Self::Attribute(name) => {
                write!(f, "/attributes/{}", name.replace('~', "~0").replace('/', "~1"))
            }
        }
    }
}

/// What is done at a place. The standard's `move`, `copy` and `test` are left out: the reference shows none of
/// them, and a server that passed over a `test` would change what it should not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Add,
    Replace,
    Remove,
}

impl Op {
    fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Replace => "replace",
            Self::Remove => "remove",
        }
    }
}

/// One change.
#[derive(Clone)]
pub(super) struct Operation {
    pub(super) op: Op,
    pub(super) path: AccountPath,
    /// `None` for a removal.
    pub(super) value: Option<Value>,
}

/// An operation as it is sent.
#[derive(Serialize)]
pub(super) struct Written<'a> {
    op: &'static str,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a Value>,
}

impl Operation {
    pub(super) fn written(&self) -> Written<'_> {
        Written { op: self.op.as_str(), path: self.path.to_string(), value: self.value.as_ref() }
    }

    pub(super) fn check(&self) -> Result<()> {
        match (&self.path, &self.value) {
            (AccountPath::IdentityId, Some(Value::String(id))) => segment("identity id", id).map(drop),
            (AccountPath::IdentityId, Some(_)) => {
                Err(self.refuse("is no text; expected the id of an identity"))
            }
            (AccountPath::ManuallyCorrelated, Some(Value::Bool(_))) | (AccountPath::IdentityId, None) => {
                Ok(())
            }
            (AccountPath::ManuallyCorrelated, Some(_)) => {
                Err(self.refuse("is neither true nor false; expected one of them"))
            }
            (AccountPath::ManuallyCorrelated, None) => {
                Err(self.refuse("can not be removed; expected true or false in its place"))
            }
            (AccountPath::Attribute(name), _) => check_name(name),
        }
    }

    fn refuse(&self, why: &str) -> Error {
        Error::config(format!("{} {why}", self.path))
    }
}

impl fmt::Debug for Operation {
    /// `replace /attributes/mail`: without the value, which may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.op.as_str(), self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_attributes_are_escaped_as_json_pointers_have_it() {
        for (name, pointer) in [
            ("mail", "/attributes/mail"),
            ("a/b", "/attributes/a~1b"),
            ("m~n", "/attributes/m~0n"),
            ("~1", "/attributes/~01"),
            ("~/~", "/attributes/~0~1~0"),
            ("urn:x:2.0:User", "/attributes/urn:x:2.0:User"),
            ("a \"b\" é", "/attributes/a \"b\" é"),
        ] {
            assert_eq!(AccountPath::attribute(name).to_string(), pointer);
        }
    }
}
