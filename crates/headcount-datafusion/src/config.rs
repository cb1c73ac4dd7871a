//! The settings of a session.

use std::{fmt, str::FromStr};

use datafusion::{
    common::{config::ConfigField, config::Visit, error::DataFusionError, extensions_options},
    config::ConfigExtension,
    prelude::SessionConfig,
};

extensions_options! {
    /// The settings of a session under the prefix `headcount`.
    ///
    /// Register it with [`session_config`]; then `SET headcount.require = 'end'` is SQL. Without it, the defaults apply.
    pub struct HeadcountConfig {
        /// How a listing must end, or the query fails: `complete`, `end` or `any`. See [`Require`].
        pub require: Require, default = Require::Complete
    }
}

impl ConfigExtension for HeadcountConfig {
    const PREFIX: &'static str = "headcount";
}

/// How each listing of a query must end. Anything else fails the query.
///
/// With a weaker requirement than [`Complete`](Self::Complete), the table `sources` reports how each listing ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Require {
    /// Every listing must be complete.
    #[default]
    Complete,
    /// Every listing must reach its end. Accounts may be missing.
    End,
    /// A listing may fail: its accounts up to then are part of the result.
    Any,
}

impl Require {
    fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::End => "end",
            Self::Any => "any",
        }
    }
}

impl fmt::Display for Require {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Require {
    type Err = DataFusionError;

    fn from_str(text: &str) -> Result<Self, DataFusionError> {
        [Self::Complete, Self::End, Self::Any]
            .into_iter()
            .find(|require| require.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| {
                let message = format!("headcount.require is '{text}'; expected complete, end or any");
                DataFusionError::Configuration(message)
            })
    }
}

impl ConfigField for Require {
    fn visit<V: Visit>(&self, visitor: &mut V, key: &str, description: &'static str) {
        visitor.some(key, self, description);
    }

    fn set(&mut self, _: &str, value: &str) -> Result<(), DataFusionError> {
        *self = value.parse()?;
        Ok(())
    }
}

/// Returns the settings for a session that queries [`AccountsTable`](crate::AccountsTable).
///
/// They are DataFusion's defaults with [`HeadcountConfig`], and without round-robin repartitioning, which would read
/// pages ahead that a `LIMIT` does not need.
pub fn session_config() -> SessionConfig {
    SessionConfig::new()
        .with_option_extension(HeadcountConfig::default())
        .with_round_robin_repartition(false)
        .with_information_schema(true)
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::SessionContext;

    use super::*;

    #[tokio::test]
    async fn the_requirement_is_set_in_sql() {
        let ctx = SessionContext::new_with_config(session_config());
        ctx.sql("set headcount.require = 'END'").await.unwrap();
        let state = ctx.state();
        assert_eq!(state.config_options().extensions.get::<HeadcountConfig>().unwrap().require, Require::End);
        let error = ctx.sql("set headcount.require = 'some'").await.unwrap_err();
        assert!(error.to_string().contains("expected complete, end or any"), "{error}");
    }
}
