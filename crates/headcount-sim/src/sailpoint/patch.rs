//! JSON Patch (RFC 6902) of accounts, as far as the reference shows it.

use serde_json::{Map, Value, json};

use super::body::wrong;
use super::refusal::Refusal;

/// A change of an account.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Patch {
    op: Op,
    at: Place,
}

#[derive(Clone, Debug, PartialEq)]
enum Op {
    Add(Value),
    Replace(Value),
    Remove,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    IdentityId,
    ManuallyCorrelated,
    Attribute(String),
}

impl Patch {
    /// The operations of a body, which must be an array of them.
    pub(crate) fn parse(body: Value) -> Result<Vec<Self>, Refusal> {
        match body {
            Value::Array(operations) => {
                let mut patches: Vec<Self> =
                    operations.into_iter().map(Self::one).collect::<Result<_, _>>()?;
                // What is said of it counts, wherever it stands beside a new identity.
                patches.sort_by_key(|patch| patch.at == Place::ManuallyCorrelated);
                Ok(patches)
            }
            _ => Err(wrong("the body must be an array of operations")),
        }
    }

    fn one(operation: Value) -> Result<Self, Refusal> {
        let Value::Object(mut members) = operation else {
            return Err(wrong("an operation must be an object"));
        };
        let value = members.remove("value");
        let (Some(Value::String(op)), Some(Value::String(path))) = (members.get("op"), members.get("path"))
        else {
            return Err(wrong("an operation must have op and path"));
        };
        let op = match (op.as_str(), value) {
            ("add", Some(value)) => Op::Add(value),
            ("replace", Some(value)) => Op::Replace(value),
            ("remove", _) => Op::Remove,
            ("add" | "replace", None) => return Err(wrong("value is missing")),
            _ => return Err(wrong("op must be add, replace or remove")),
        };
        let at = match path.as_str() {
            "/identityId" => Place::IdentityId,
            "/manuallyCorrelated" => Place::ManuallyCorrelated,
            path => {
                let name = path.strip_prefix("/attributes/").and_then(unescape);
                Place::Attribute(name.ok_or_else(|| wrong("path can not be changed"))?)
            }
        };
        Ok(Self { op, at })
    }

    /// The identity that the account is to be correlated to.
    pub(crate) fn identity(&self) -> Option<&str> {
        match (&self.at, &self.op) {
            (Place::IdentityId, Op::Add(value) | Op::Replace(value)) => value.as_str(),
            _ => None,
        }
    }

    pub(crate) fn is_of_attributes(&self) -> bool {
        matches!(self.at, Place::Attribute(_))
    }

    /// Changes the record; `identity` is what accounts show of the identity that is named.
    pub(crate) fn apply(&self, record: &mut Map<String, Value>, identity: &Value) -> Result<(), Refusal> {
        match (&self.at, &self.op) {
            (Place::IdentityId, Op::Add(value) | Op::Replace(value)) => {
                if !value.is_string() {
                    return Err(wrong("identityId must be text"));
                }
                record.insert("identityId".to_owned(), value.clone());
                record.insert("identity".to_owned(), identity.clone());
                record.insert("uncorrelated".to_owned(), json!(false));
                record.insert("manuallyCorrelated".to_owned(), json!(true));
            }
            (Place::IdentityId, Op::Remove) => {
                record.remove("identityId").ok_or_else(|| wrong("there is no identityId"))?;
                record.remove("identity");
                record.insert("uncorrelated".to_owned(), json!(true));
                record.insert("manuallyCorrelated".to_owned(), json!(false));
            }
            (Place::ManuallyCorrelated, Op::Add(value) | Op::Replace(value)) => {
                if !value.is_boolean() {
                    return Err(wrong("manuallyCorrelated must be true or false"));
                }
                record.insert("manuallyCorrelated".to_owned(), value.clone());
            }
            (Place::ManuallyCorrelated, Op::Remove) => {
                return Err(wrong("manuallyCorrelated can not be removed"));
            }
            (Place::Attribute(name), op) => attribute(record, name, op)?,
        }
        Ok(())
    }
}

fn attribute(record: &mut Map<String, Value>, name: &str, op: &Op) -> Result<(), Refusal> {
    let attributes = record.entry("attributes").or_insert_with(|| json!({}));
    if attributes.is_null() {
        *attributes = json!({});
    }
    let attributes = attributes.as_object_mut().ok_or_else(|| wrong("the attributes are no object"))?;
    match op {
        Op::Add(value) => drop(attributes.insert(name.to_owned(), value.clone())),
        Op::Replace(value) => {
            *attributes.get_mut(name).ok_or_else(|| wrong("there is no such attribute"))? = value.clone();
        }
        Op::Remove => drop(attributes.remove(name).ok_or_else(|| wrong("there is no such attribute"))?),
    }
    Ok(())
}

/// A segment of a JSON pointer (RFC 6901); `None` if it is more than one, or no such thing.
fn unescape(segment: &str) -> Option<String> {
    let mut parts = segment.split('~');
    let mut name = parts.next()?.to_owned();
    for part in parts {
        let rest = part.strip_prefix('0').map(|rest| ('~', rest));
        let (letter, rest) = rest.or_else(|| part.strip_prefix('1').map(|rest| ('/', rest)))?;
        name.push(letter);
        name.push_str(rest);
    }
    (!segment.contains('/')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_unescaped_and_others_refused() {
        assert_eq!(unescape("a~1b~0c"), Some("a/b~c".to_owned()));
        assert_eq!(unescape("~01"), Some("~1".to_owned()));
        for wrong in ["a/b", "a~", "~2"] {
            assert_eq!(unescape(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_the_reference_does_not_show_is_refused() {
        for body in [
            json!({}),
            json!([1]),
            json!([{"op": "remove"}]),
            json!([{"op": "add", "path": "/identityId"}]),
            json!([{"op": "test", "path": "/identityId", "value": "x"}]),
            json!([{"op": "replace", "path": "/disabled", "value": true}]),
            json!([{"op": "replace", "path": "/attributes", "value": {}}]),
            json!([{"op": "remove", "path": "/attributes/a/b"}]),
        ] {
            assert!(Patch::parse(body.clone()).is_err(), "{body}");
        }
        let mut record = Map::new();
        let patches = json!([
            {"op": "replace", "path": "/attributes/x", "value": 1},
            {"op": "remove", "path": "/identityId"},
            {"op": "replace", "path": "/manuallyCorrelated", "value": "yes"},
        ]);
        for patch in Patch::parse(patches).unwrap() {
            assert!(patch.apply(&mut record, &Value::Null).is_err(), "{patch:?}");
        }
    }
}
