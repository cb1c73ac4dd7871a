use serde::Deserialize;

use crate::Owner;

/// A reference to another object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Reference {
    /// What sort of object, as `IDENTITY`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Its id.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
}

impl Reference {
    /// The object as an owner; `None` if nothing of it is told.
    pub(super) fn into_owner(self) -> Option<Owner> {
        (self.id.is_some() || self.name.is_some()).then(|| Owner::new(self.id, self.name))
    }
}
