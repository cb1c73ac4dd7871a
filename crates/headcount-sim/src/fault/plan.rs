//! Fault plans, and the injector that executes one.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::cursor_loop::CursorLoop;
use super::{Fault, serde_helpers};
use crate::rng;

/// A fault plan, for `faults` of the builders and for `Server::set_faults`.
///
/// At most one fault is injected into a request. If several rules match, the most specific one applies: a
/// request number before a path, a path before a rate, and a rate before `always`. Of two with the same
/// precedence, the one added first applies.
///
/// Requests are counted from when the plan is set, starting at 1. Refused connections are not counted. The
/// same seed and the same sequence of requests produce the same faults. Whether a rate matches a list request
/// depends only on the seed, the rule and the number of the list request.
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
/// An object with `rules` and an optional `seed`, which defaults to 0. Each rule has `on`, which is one of
/// `{"list": n}`, `{"request": n}`, `{"login": n}`, `{"path": "substring"}`, `{"rate": fraction}` and
/// `"always"`. It also has either `fault`, or `faults`, of which one is chosen at random each time. See
/// [`Fault`] for their format.
///
/// ```
/// # use headcount_sim::Faults;
/// let plan = r#"{
///   "seed": 7,
///   "rules": [
///     {"on": {"list": 2}, "fault": {"too_many_requests": {"retry_after": {"seconds": 1}}}},
///     {"on": {"login": 1}, "fault": "token_endpoint_down"},
///     {"on": {"path": "/v1/sys/"}, "fault": {"slow_headers": "250ms"}},
///     {"on": {"rate": 0.05},
///      "faults": ["reset_mid_body", {"status": {"status": 502, "body": "html"}}]},
///     {"on": {"list": 9},
///      "fault": {"concurrent_change": {"remove": 3, "insert": 2, "side": "before"}}}
///   ]
/// }"#;
/// Faults::from_json(plan)?;
/// # Ok::<(), headcount_sim::FaultsError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use = "a plan does nothing until a server uses it"]
pub struct Faults {
    #[serde(default)]
    seed: u64,
    rules: Vec<Rule>,
}

/// A trigger and its faults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "RuleJson", try_from = "RuleJson")]
struct Rule {
    on: Trigger,
    /// One of them is chosen at random.
    faults: Vec<Fault>,
}

/// The requests that a rule matches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Trigger {
    List(#[serde(deserialize_with = "serde_helpers::request_number")] u64),
    Login(#[serde(deserialize_with = "serde_helpers::request_number")] u64),
    Request(#[serde(deserialize_with = "serde_helpers::request_number")] u64),
    Path(String),
    Rate(#[serde(deserialize_with = "serde_helpers::fraction")] f64),
    Always,
}

/// The JSON form of a rule.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleJson {
    on: Trigger,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fault: Option<Fault>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    faults: Option<Vec<Fault>>,
}

/// The properties of a request that triggers match.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestContext<'a> {
    /// The number among all requests.
    pub(crate) request: u64,
    /// The number among the list requests, if it is one.
    pub(crate) list: Option<u64>,
    /// The number among the logins, if it is one.
    pub(crate) login: Option<u64>,
    pub(crate) path: &'a str,
}

impl Faults {
    /// Creates a plan without faults.
    pub fn none() -> Self {
        Self::default()
    }

    /// Creates a plan without rules. The seed determines all random choices.
    pub fn new(seed: u64) -> Self {
        Self { seed, rules: Vec::new() }
    }

    /// Injects a fault into the n-th list request. The first is 1. 0 is treated as 1.
    pub fn on_list(self, n: u64, fault: Fault) -> Self {
        self.rule(Trigger::List(n.max(1)), [fault])
    }

    /// Injects a fault into the n-th request, including logins. The first is 1. 0 is treated as 1.
    pub fn on_request(self, n: u64, fault: Fault) -> Self {
        self.rule(Trigger::Request(n.max(1)), [fault])
    }

    /// Injects a fault into the n-th login or token request. The first is 1. 0 is treated as 1.
    pub fn on_login(self, n: u64, fault: Fault) -> Self {
        self.rule(Trigger::Login(n.max(1)), [fault])
    }

    /// Injects a fault into a random fraction of the list requests, from 0 (none) to 1 (all).
    pub fn rate(self, fraction: f64, fault: Fault) -> Self {
        self.rate_any(fraction, [fault])
    }

    /// Injects one of these faults into a random fraction of the list requests, from 0 (none) to 1 (all).
    ///
    /// Other values are clamped. NaN is treated as 0.
    pub fn rate_any(self, fraction: f64, faults: impl IntoIterator<Item = Fault>) -> Self {
        let fraction = if fraction.is_nan() { 0.0 } else { fraction.clamp(0.0, 1.0) };
        self.rule(Trigger::Rate(fraction), faults)
    }

    /// Injects a fault into every request to which it applies.
    pub fn always(self, fault: Fault) -> Self {
        self.rule(Trigger::Always, [fault])
    }

    /// Injects a fault into every request whose path contains this text. The path is as received, without the
    /// query.
    pub fn on_path(self, substring: impl Into<String>, fault: Fault) -> Self {
        self.rule(Trigger::Path(substring.into()), [fault])
    }

    /// Parses a plan in the [JSON format](Self#as-json).
    ///
    /// # Errors
    ///
    /// Fails if the text is not a valid plan. The message includes the position and the expected value.
    pub fn from_json(text: &str) -> Result<Self, FaultsError> {
        serde_json::from_str(text).map_err(|error| FaultsError(error.to_string()))
    }

    /// Serializes the plan in the format of [`from_json`](Self::from_json).
    pub fn to_json(&self) -> String {
        // Plain data: serialization cannot fail.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    fn rule(mut self, on: Trigger, faults: impl IntoIterator<Item = Fault>) -> Self {
        let faults: Vec<Fault> = faults.into_iter().collect();
        if !faults.is_empty() {
            self.rules.push(Rule { on, faults });
        }
        self
    }

    /// Returns the fault to inject into a request, and a seed for its random choices.
    pub(crate) fn pick(&self, context: RequestContext<'_>) -> Option<(Fault, u64)> {
        let rules = (0_u64..).zip(&self.rules);
        let matching = rules.filter(|(index, rule)| rule.on.matches(context, self.seed_for(*index, context)));
        let (index, rule) = matching.min_by_key(|(_, rule)| rule.on.precedence())?;
        let seed = rng::mix(self.seed_for(index, context));
        let fault = rng::seeded(seed, 0).choice(&rule.faults)?.clone();
        Some((fault, rng::mix(seed)))
    }

    /// Returns a random number that depends only on the seed, the rule and the request.
    fn seed_for(&self, rule: u64, context: RequestContext<'_>) -> u64 {
        let number = context.list.unwrap_or(context.request);
        rng::mix(rng::mix(rng::mix(self.seed) ^ rule) ^ number)
    }
}

impl Trigger {
    fn matches(&self, context: RequestContext<'_>, seed: u64) -> bool {
        match self {
            Self::List(n) => context.list == Some(*n),
            Self::Login(n) => context.login == Some(*n),
            Self::Request(n) => context.request == *n,
            Self::Path(substring) => context.path.contains(substring.as_str()),
            Self::Rate(fraction) => {
                context.list.is_some() && fastrand::Rng::with_seed(seed).f64() < *fraction
            }
            Self::Always => true,
        }
    }

    /// The rule with the lowest value applies.
    fn precedence(&self) -> u8 {
        match self {
            Self::List(_) | Self::Login(_) | Self::Request(_) => 0,
            Self::Path(_) => 1,
            Self::Rate(_) => 2,
            Self::Always => 3,
        }
    }
}

impl From<Rule> for RuleJson {
    fn from(mut rule: Rule) -> Self {
        let single = rule.faults.len() == 1;
        Self {
            on: rule.on,
            fault: if single { rule.faults.pop() } else { None },
            faults: if single { None } else { Some(rule.faults) },
        }
    }
}

impl TryFrom<RuleJson> for Rule {
    type Error = &'static str;

    fn try_from(json: RuleJson) -> Result<Self, Self::Error> {
        let faults = match (json.fault, json.faults) {
            (Some(fault), None) => vec![fault],
            (None, Some(faults)) if !faults.is_empty() => faults,
            (None, Some(_)) => return Err("expected at least one fault, got empty `faults`"),
            (Some(_), Some(_)) => return Err("expected either `fault` or `faults`, got both"),
            (None, None) => return Err("expected either `fault` or `faults`, got neither"),
        };
        Ok(Self { on: json.on, faults })
    }
}

/// The error of an invalid fault plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultsError(String);

impl fmt::Display for FaultsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid fault plan, expected an object with `seed` and `rules`: {}", self.0)
    }
}

impl std::error::Error for FaultsError {}

/// Executes a plan: counts requests and selects their faults.
#[derive(Debug)]
pub(crate) struct Injector {
    plan: Faults,
    requests: u64,
    lists: u64,
    logins: u64,
    cursor_loop: Option<CursorLoop>,
    injected: u64,
}

impl Injector {
    pub(crate) fn new(plan: Faults) -> Self {
        Self { plan, requests: 0, lists: 0, logins: 0, cursor_loop: None, injected: 0 }
    }

    /// Replaces the plan. Keeps only the number of injected faults.
    pub(crate) fn set(&mut self, plan: Faults) {
        *self = Self { injected: self.injected, ..Self::new(plan) };
    }

    /// Counts a request. Returns its fault, and a seed for the random choices of the fault.
    pub(crate) fn pick(&mut self, list: bool, login: bool, path: &str) -> Option<(Fault, u64)> {
        let count = |counter: &mut u64, applies: bool| {
            *counter += u64::from(applies);
            applies.then_some(*counter)
        };
        self.requests += 1;
        let list = count(&mut self.lists, list);
        let login = count(&mut self.logins, login);
        self.plan.pick(RequestContext { request: self.requests, list, login, path })
    }

    /// Starts a cursor loop, unless one is active.
    pub(crate) fn start_loop(&mut self, period: u32) {
        self.cursor_loop.get_or_insert_with(|| CursorLoop::new(period));
    }

    /// Returns the cursor that replaces this one, if the active loop requires it. Empty for the first page.
    pub(crate) fn looped_cursor(&mut self, cursor: &str) -> Option<String> {
        self.cursor_loop.as_mut()?.replace(cursor)
    }

    pub(crate) fn count(&mut self) {
        self.injected += 1;
    }

    pub(crate) fn injected(&self) -> u64 {
        self.injected
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{BadRow, ErrorBody, RetryAfter, Side};

    fn list(number: u64) -> RequestContext<'static> {
        RequestContext { request: number + 1, list: Some(number), login: None, path: "/v1/accounts" }
    }

    fn picked(plan: &Faults, context: RequestContext<'_>) -> Option<String> {
        plan.pick(context).map(|(fault, _)| fault.name())
    }

    fn every_fault() -> Vec<Fault> {
        let retry_after = Some(RetryAfter::Date(-30));
        vec![
            Fault::TooManyRequests { retry_after: Some(RetryAfter::Text("soon".into())) },
            Fault::TooManyRequests { retry_after: None },
            Fault::Status { status: 502, body: ErrorBody::Html, retry_after },
            Fault::RefuseConnections { duration: Duration::from_millis(1500) },
            Fault::ResetBeforeResponse,
            Fault::ResetMidBody,
            Fault::TruncatedJson,
            Fault::MalformedJson,
            Fault::WrongContentType,
            Fault::HtmlPage,
            Fault::NoContent,
            Fault::Redirect { to: "https://else.example/".into() },
            Fault::SlowHeaders(Duration::from_secs(3)),
            Fault::SlowTrickle { chunk: 10, every: Duration::from_nanos(17) },
            Fault::Hang,
            Fault::OversizedBody { bytes: u64::MAX },
            Fault::GzipBomb { bytes: 1 << 30 },
            Fault::BogusContentEncoding("UTF-8".into()),
            Fault::TokenExpiredEarly,
            Fault::TokenEndpointDown,
            Fault::ClockSkew { seconds: -901 },
            Fault::CursorLoop { period: 3 },
            Fault::EmptyPageWithMarker,
            Fault::ShortPage,
            Fault::BadRow { kind: BadRow::NotAnObject },
            Fault::UnknownEnum,
            Fault::ConcurrentChange { remove: 1, insert: 2, side: Side::Before },
        ]
    }

    #[test]
    fn plans_survive_json() {
        let mut plan = Faults::new(u64::MAX).rate_any(0.25, every_fault());
        for fault in every_fault() {
            let name = fault.name();
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
            plan = plan.on_list(3, fault.clone()).on_login(1, fault.clone());
            plan = plan.on_request(2, fault.clone()).on_path("/v1", fault.clone());
            plan = plan.rate(0.1, fault.clone()).always(fault);
        }
        assert_eq!(Faults::from_json(&plan.to_json()), Ok(plan));
        assert_eq!(Faults::from_json("{\"rules\": []}"), Ok(Faults::none()));
    }

    #[test]
    fn errors_include_position_and_expectation() {
        let error = |json: &str| Faults::from_json(json).expect_err(json).to_string();
        let rule = |rule: &str| error(&format!("{{\"rules\": [{rule}]}}"));
        let cases = [
            (error("[]"), "expected struct Faults"),
            (error("{}"), "missing field `rules`"),
            (error(r#"{"rule": []}"#), "expected `seed` or `rules`"),
            (error(r#"{"seed": -1}"#), "expected u64"),
            (
                rule(r#"{"on": "always", "fault": "too_many"}"#),
                "unknown variant `too_many`, expected one of `too_many_requests`, `status`",
            ),
            (rule(r#"{"on": {"list": 0}, "fault": "hang"}"#), "a request number from 1"),
            (rule(r#"{"on": {"list": "2"}, "fault": "hang"}"#), "expected u64"),
            (rule(r#"{"on": {"lists": 2}, "fault": "hang"}"#), "expected one of `list`, `login`"),
            (rule(r#"{"on": {"rate": 5}, "fault": "hang"}"#), "a number from 0 to 1"),
            (rule(r#"{"on": "always", "fault": {"status": {"status": 42}}}"#), "from 200 to 599"),
            (rule(r#"{"on": "always", "fault": {"slow_headers": "3"}}"#), "such as \"250ms\""),
            (rule(r#"{"on": "always", "fault": {"slow_headers": 3}}"#), "expected a string"),
            (rule(r#"{"on": "always", "fault": {"cursor_loop": {}}}"#), "missing field `period`"),
            (rule(r#"{"on": "always"}"#), "expected either `fault` or `faults`, got neither"),
            (
                rule(r#"{"on": "always", "fault": "hang", "faults": ["hang"]}"#),
                "expected either `fault` or `faults`, got both",
            ),
            (rule(r#"{"on": "always", "faults": []}"#), "expected at least one fault"),
        ];
        for (error, expected) in cases {
            assert!(error.contains(expected), "{error:?} does not contain {expected:?}");
            assert!(error.contains(" at line 1 column "), "{error}");
        }
    }

    #[test]
    fn seed_determines_the_faults() {
        let hits = |seed: u64| -> Vec<Option<String>> {
            let plan = Faults::new(seed).rate_any(0.3, [Fault::Hang, Fault::NoContent]);
            (1..=500).map(|number| picked(&plan, list(number))).collect()
        };
        assert_eq!(hits(7), hits(7));
        assert_ne!(hits(7), hits(8));
        let hit = hits(7).into_iter().flatten().collect::<Vec<_>>();
        assert!((110..190).contains(&hit.len()), "{} of 500", hit.len());
        let hangs = hit.iter().filter(|name| *name == "hang").count();
        assert!((1..hit.len()).contains(&hangs));
    }

    #[test]
    fn rates_of_zero_and_one() {
        let plan = |fraction: f64| Faults::new(1).rate(fraction, Fault::Hang);
        let hits = |fraction: f64| (1..=50).filter(|n| picked(&plan(fraction), list(*n)).is_some()).count();
        assert_eq!([hits(0.0), hits(-1.0), hits(f64::NAN)], [0, 0, 0]);
        assert_eq!([hits(1.0), hits(9.0)], [50, 50]);
        let login = RequestContext { list: None, login: Some(1), ..list(1) };
        assert_eq!(picked(&plan(1.0), login), None, "a rate applies to list requests only");
    }

    #[test]
    fn most_specific_rule_applies() {
        let plan = Faults::new(1)
            .always(Fault::Hang)
            .rate(1.0, Fault::NoContent)
            .on_path("accounts", Fault::HtmlPage)
            .on_list(2, Fault::ResetMidBody)
            .on_request(3, Fault::ShortPage);
        assert_eq!(picked(&plan, list(1)).as_deref(), Some("html_page"));
        // The second list request is the third request. The rule added first applies.
        assert_eq!(picked(&plan, list(2)).as_deref(), Some("reset_mid_body"));
        let other_path = RequestContext { path: "/", ..list(1) };
        assert_eq!(picked(&plan, other_path).as_deref(), Some("no_content"));
        let login = RequestContext { request: 1, list: None, login: Some(1), path: "/oauth/token" };
        assert_eq!(picked(&plan, login).as_deref(), Some("hang"));
        assert_eq!(picked(&Faults::none(), login), None);
    }
}
