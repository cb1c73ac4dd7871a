use chrono::{DateTime, SecondsFormat, Utc};

use super::Role;
use crate::{Error, Result, http::Call};

/// What both versions of the list can be narrowed by. All filters match exactly.
#[derive(Clone, Debug, Default)]
pub(super) struct Filters {
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) role: Option<Role>,
    pub(super) active: Option<bool>,
    pub(super) group_id: Option<String>,
    pub(super) created_before: Option<DateTime<Utc>>,
    pub(super) created_after: Option<DateTime<Utc>>,
}

impl Filters {
    /// Refuses filters without a value: whether the provider ignores them and lists everything is not
    /// documented.
    fn check(&self) -> Result<()> {
        match self
            .pairs()
            .iter()
            .find(|(_, value)| value.as_ref().is_some_and(|value| value.trim().is_empty()))
        {
            Some((name, _)) => {
                Err(Error::config(format!("the filter {name} is empty; expected a value to match")))
            }
            None => Ok(()),
        }
    }

    /// The filters as query parameters, in a fixed order.
    fn pairs(&self) -> [(&'static str, Option<String>); 7] {
        [
            ("name", self.name.clone()),
            ("email", self.email.clone()),
            ("role", self.role.as_ref().map(|role| role.as_str().to_owned())),
            ("active", self.active.map(|active| active.to_string())),
            ("group_id", self.group_id.clone()),
            ("created_before", self.created_before.map(date)),
            ("created_after", self.created_after.map(date)),
        ]
    }

    pub(super) fn call(&self, path: &str) -> Result<Call> {
        self.check()?;
        let call = Call::get(path);
        Ok(self.pairs().into_iter().fold(call, |call, (name, value)| call.query(name, value)))
    }

    /// The filters as facts of a [`Scope`](crate::Scope).
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        self.pairs().into_iter().map(|(name, value)| (name, value.unwrap_or_default())).collect()
    }
}

/// In UTC, as `…Z`: the provider silently ignores dates that it can not read.
pub(super) fn date(date: DateTime<Utc>) -> String {
    let fraction =
        if date.timestamp_subsec_nanos() == 0 { SecondsFormat::Secs } else { SecondsFormat::Millis };
    date.to_rfc3339_opts(fraction, true)
}

/// The setters of [`Filters`], for a list that has them in a field `filters`.
macro_rules! filter_setters {
    () => {
        /// Only accounts of exactly this name.
        pub fn name(mut self, name: impl Into<String>) -> Self {
            self.filters.name = Some(name.into());
            self
        }

        /// Only the account of exactly this e-mail address.
        pub fn email(mut self, email: impl Into<String>) -> Self {
            self.filters.email = Some(email.into());
            self
        }

        /// Only accounts of this role.
        pub fn role(mut self, role: impl Into<$crate::annature::Role>) -> Self {
            self.filters.role = Some(role.into());
            self
        }

        /// Only active accounts, or only deactivated ones.
        pub fn active(mut self, active: bool) -> Self {
            self.filters.active = Some(active);
            self
        }

        /// Only accounts of this account group.
        pub fn group_id(mut self, id: impl Into<String>) -> Self {
            self.filters.group_id = Some(id.into());
            self
        }

        /// Only accounts made before this moment. Whether one made at this very moment is among them is
        /// not documented. Sent with whole milliseconds.
        pub fn created_before(mut self, moment: chrono::DateTime<chrono::Utc>) -> Self {
            self.filters.created_before = Some(moment);
            self
        }

        /// Only accounts made after this moment. Whether one made at this very moment is among them is
        /// not documented. Sent with whole milliseconds.
        pub fn created_after(mut self, moment: chrono::DateTime<chrono::Utc>) -> Self {
            self.filters.created_after = Some(moment);
            self
        }
    };
}
pub(super) use filter_setters;
