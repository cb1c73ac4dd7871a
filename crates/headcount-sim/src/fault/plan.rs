//! Which requests are hit by what.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Fault;
use super::forms;
use crate::seed;

/// A plan of what goes wrong, for the builders' `faults` and for `Server::set_faults`.
///
/// A request is hit by one fault at most. Where several rules name it, the most particular one decides: a
/// number before a path, a path before a share, a share before `always`; of two alike, the one added first.
///
/// Requests are counted from the moment the plan is set; the first is number 1. Only what arrives is counted:
/// connections that were refused are not. The same seed and the same sequence of requests give the same
/// faults; whether a share hits a list request depends on nothing but the seed, the rule and its number.
///
/// ```
/// use headcount_sim::{Fault, Faults, RetryAfter};
///
/// let plan = Faults::new(7)
///     .on_list(2, Fault::TooManyRequests { retry_after: Some(RetryAfter::Seconds(1)) })
///     .on_login(1, Fault::TokenEndpointDown)
///     .rate_any(0.05, [Fault::ResetMidBody, Fault::TruncatedJson]);
/// assert_eq!(Faults::from_json(&plan.to_json())?, plan);
/// # Ok::<(), headcount_sim::FaultsError>(())
/// ```
///
/// # As JSON
///
/// A seed (0 if it is left out) and rules. Each has `on` (one of `{"list": n}`, `{"request": n}`,
/// `{"login": n}`, `{"path": "part of it"}`, `{"rate": share}` and `"always"`) and either `fault`, or `faults`
/// of which one is drawn each time. What faults look like is told at [`Fault`].
///
/// ```
/// # use headcount_sim::Faults;
/// let plan = r#"{
///   "seed": 7,
///   "rules": [
///     {"on": {"list": 2}, "fault": {"too_many_requests": {"retry_after": {"seconds": 1}}}},
///     {"on": {"login": 1}, "fault": "token_endpoint_down"},
///     {"on": {"path": "/v1/sys/"}, "fault": {"slow_headers": "250ms"}},
///     {"on": {"rate": 0.05}, "faults": ["reset_mid_body", {"status": {"status": 502, "body": "html"}}]},
///     {"on": {"list": 9}, "fault": {"world_change": {"remove": 3, "insert": 2, "side": "before"}}}
///   ]
/// }"#;
/// Faults::from_json(plan)?;
/// # Ok::<(), headcount_sim::FaultsError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use = "a plan does nothing until a server has it"]
pub struct Faults {
    #[serde(default)]
    seed: u64,
    rules: Vec<Rule>,
}

/// Some requests and what happens to them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "RuleForm", try_from = "RuleForm")]
struct Rule {
    on: When,
    /// One of them is drawn.
    faults: Vec<Fault>,
}

/// The requests that a rule is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum When {
    List(#[serde(deserialize_with = "forms::nth")] u64),
    Login(#[serde(deserialize_with = "forms::nth")] u64),
    Request(#[serde(deserialize_with = "forms::nth")] u64),
    Path(String),
    Rate(#[serde(deserialize_with = "forms::share")] f64),
    Always,
}

/// A rule as it is written.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleForm {
    on: When,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fault: Option<Fault>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    faults: Option<Vec<Fault>>,
}

/// A request as a plan sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sight<'a> {
    /// Its number among all requests.
    pub(crate) request: u64,
    /// Its number among the list requests, if it is one.
    pub(crate) list: Option<u64>,
    /// Its number among the logins, if it is one.
    pub(crate) login: Option<u64>,
    pub(crate) path: &'a str,
}

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self::default()
    }

    /// A plan without rules, whose draws come from this seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, rules: Vec::new() }
    }

    /// Hits the n-th list request; the first is 1, and 0 is taken for 1.
    pub fn on_list(self, n: u64, fault: Fault) -> Self {
        self.rule(When::List(n.max(1)), [fault])
    }

    /// Hits the n-th of all requests, logins included; the first is 1, and 0 is taken for 1.
    pub fn on_request(self, n: u64, fault: Fault) -> Self {
        self.rule(When::Request(n.max(1)), [fault])
    }

    /// Hits the n-th login or token request; the first is 1, and 0 is taken for 1.
    pub fn on_login(self, n: u64, fault: Fault) -> Self {
        self.rule(When::Login(n.max(1)), [fault])
    }

    /// Hits a random share of the list requests, from 0 for none to 1 for all.
    pub fn rate(self, share: f64, fault: Fault) -> Self {
        self.rate_any(share, [fault])
    }

    /// Hits a random share of the list requests, from 0 for none to 1 for all, each with one of these. What
    /// is outside is taken for the nearer of the two, what is no number for 0.
    pub fn rate_any(self, share: f64, faults: impl IntoIterator<Item = Fault>) -> Self {
        let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
        self.rule(When::Rate(share), faults)
    }

    /// Hits every request, where it applies.
    pub fn always(self, fault: Fault) -> Self {
        self.rule(When::Always, [fault])
    }

    /// Hits every request whose path, as it arrived and without the query, holds this text.
    pub fn on_path(self, part: impl Into<String>, fault: Fault) -> Self {
        self.rule(When::Path(part.into()), [fault])
    }

    /// Reads a plan; the format is told [above](Self#as-json).
    ///
    /// # Errors
    ///
    /// When the text is no such plan; says where, and what was expected.
    pub fn from_json(text: &str) -> Result<Self, FaultsError> {
        serde_json::from_str(text).map_err(|error| FaultsError(error.to_string()))
    }

    /// Writes the plan, so that [`from_json`](Self::from_json) gives it back.
    pub fn to_json(&self) -> String {
        // A plan is plain data, so this cannot fail.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    fn rule(mut self, on: When, faults: impl IntoIterator<Item = Fault>) -> Self {
        let faults: Vec<Fault> = faults.into_iter().collect();
        if !faults.is_empty() {
            self.rules.push(Rule { on, faults });
        }
        self
    }

    /// The fault that hits a request, and a seed for what is random within it.
    pub(crate) fn pick(&self, sight: Sight<'_>) -> Option<(Fault, u64)> {
        let rules = (0_u64..).zip(&self.rules);
        let named = rules.filter(|(index, rule)| rule.on.names(sight, self.draw(*index, sight)));
        let (index, rule) = named.min_by_key(|(_, rule)| rule.on.rank())?;
        let draw = seed::mix(self.draw(index, sight));
        let fault = seed::rng(draw, 0).choice(&rule.faults)?.clone();
        Some((fault, seed::mix(draw)))
    }

    /// A number that is random, and always the same for this rule and this request.
    fn draw(&self, rule: u64, sight: Sight<'_>) -> u64 {
        let number = sight.list.unwrap_or(sight.request);
        seed::mix(seed::mix(seed::mix(self.seed) ^ rule) ^ number)
    }
}

impl When {
    fn names(&self, sight: Sight<'_>, draw: u64) -> bool {
        match self {
            Self::List(n) => sight.list == Some(*n),
            Self::Login(n) => sight.login == Some(*n),
            Self::Request(n) => sight.request == *n,
            Self::Path(part) => sight.path.contains(part.as_str()),
            Self::Rate(share) => sight.list.is_some() && fastrand::Rng::with_seed(draw).f64() < *share,
            Self::Always => true,
        }
    }

    /// The most particular is the lowest.
    fn rank(&self) -> u8 {
        match self {
            Self::List(_) | Self::Login(_) | Self::Request(_) => 0,
            Self::Path(_) => 1,
            Self::Rate(_) => 2,
            Self::Always => 3,
        }
    }
}

impl From<Rule> for RuleForm {
    fn from(mut rule: Rule) -> Self {
        let single = rule.faults.len() == 1;
        Self {
            on: rule.on,
            fault: if single { rule.faults.pop() } else { None },
            faults: if single { None } else { Some(rule.faults) },
        }
    }
}

impl TryFrom<RuleForm> for Rule {
    type Error = &'static str;

    fn try_from(form: RuleForm) -> Result<Self, Self::Error> {
        let faults = match (form.fault, form.faults) {
            (Some(fault), None) => vec![fault],
            (None, Some(faults)) if !faults.is_empty() => faults,
            (None, Some(_)) => return Err("`faults` is empty, expected one fault or more"),
            (Some(_), Some(_)) => return Err("both `fault` and `faults`, expected one of the two"),
            (None, None) => return Err("neither `fault` nor `faults`, expected one of the two"),
        };
        Ok(Self { on: form.on, faults })
    }
}

/// Why a text is no plan of faults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultsError(String);

impl fmt::Display for FaultsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this is no plan of faults, which is an object with `seed` and `rules`: {}", self.0)
    }
}

impl std::error::Error for FaultsError {}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
