use serde::Deserialize;

use crate::open_enum::open_enum;

/// A recommendation to classify an account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Recommendation {
    /// As what.
    #[serde(rename = "type")]
    pub kind: Option<RecommendationType>,
    /// On what grounds.
    pub method: Option<RecommendationMethod>,
}

open_enum! {
    /// What an account is recommended to be classified as.
    pub enum RecommendationType {
        /// A person's.
        Human = "HUMAN",
        /// A machine's.
        Machine = "MACHINE",
        /// An AI agent's.
        Agent = "AGENT",
    }
}

open_enum! {
    /// How a recommendation came about.
    pub enum RecommendationMethod {
        /// Suggested by AI.
        Discovery = "DISCOVERY",
        /// The source is flagged as one of machine accounts.
        Source = "SOURCE",
        /// The account meets the criteria of a classification.
        Criteria = "CRITERIA",
    }
}
