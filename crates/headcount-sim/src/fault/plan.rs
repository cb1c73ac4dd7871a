//! Which requests are hit by what: a plan, and a plan at work.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Fault, forms};
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

/// A plan and what it has seen.
#[derive(Debug)]
pub(crate) struct Injector {
    plan: Faults,
    requests: u64,
    lists: u64,
    logins: u64,
    circle: Option<Circle>,
    injected: u64,
}

impl Injector {
    pub(crate) fn new(plan: Faults) -> Self {
        Self { plan, requests: 0, lists: 0, logins: 0, circle: None, injected: 0 }
    }

    /// Begins another plan; only the count of injected faults goes on.
    pub(crate) fn set(&mut self, plan: Faults) {
        *self = Self { injected: self.injected, ..Self::new(plan) };
    }

    /// The fault that hits the request that has just come, with a seed for what is random within it.
    pub(crate) fn pick(&mut self, list: bool, login: bool, path: &str) -> Option<(Fault, u64)> {
        let count = |counter: &mut u64, one: bool| {
            *counter += u64::from(one);
            one.then_some(*counter)
        };
        self.requests += 1;
        let list = count(&mut self.lists, list);
        let login = count(&mut self.logins, login);
        self.plan.pick(Sight { request: self.requests, list, login, path })
    }

    /// Lets the listing go round from here on, if it does not yet.
    pub(crate) fn go_round(&mut self, period: u32) {
        self.circle.get_or_insert_with(|| Circle::new(period));
    }

    /// The cursor to answer in place of this one, empty for none, if the listing goes round.
    pub(crate) fn turn(&mut self, cursor: &str) -> Option<String> {
        self.circle.as_mut()?.turn(cursor)
    }

    pub(crate) fn count(&mut self) {
        self.injected += 1;
    }

    pub(crate) fn injected(&self) -> u64 {
        self.injected
    }
}

/// The cursors that were asked for since the circle began, in order.
///
/// Only requests are changed, never answers: a request beyond the circle is answered as if it had asked for
/// a page within. So one rule serves every kind of paging, and the answers are the provider's own.
#[derive(Debug)]
pub(crate) struct Circle {
    period: usize,
    seen: HashMap<String, usize>,
    within: Vec<String>,
}

impl Circle {
    pub(crate) fn new(period: u32) -> Self {
        Self {
            period: usize::try_from(period.max(1)).unwrap_or(usize::MAX),
            seen: HashMap::new(),
            within: Vec::new(),
        }
    }

    /// The cursor to answer in place of this one, empty for none; `None` to answer as asked.
    pub(crate) fn turn(&mut self, cursor: &str) -> Option<String> {
        let next = self.seen.len();
        let index = *self.seen.entry(cursor.to_owned()).or_insert(next);
        if index < self.period {
            if index == self.within.len() {
                self.within.push(cursor.to_owned());
            }
            return None;
        }
        self.within.get(index % self.period).cloned()
    }
}

#[cfg(test)]
mod plan_tests {
    use std::time::Duration;

    use super::*;
    use crate::{BadRow, ErrorBody, RetryAfter, Side};

    fn list(number: u64) -> Sight<'static> {
        Sight { request: number + 1, list: Some(number), login: None, path: "/v1/accounts" }
    }

    fn picked(plan: &Faults, sight: Sight<'_>) -> Option<String> {
        plan.pick(sight).map(|(fault, _)| fault.name())
    }

    fn every_fault() -> Vec<Fault> {
        let retry_after = Some(RetryAfter::Date(-30));
        vec![
            Fault::TooManyRequests { retry_after: Some(RetryAfter::Text("in a while".into())) },
            Fault::TooManyRequests { retry_after: None },
            Fault::Status { status: 502, body: ErrorBody::Html, retry_after },
            Fault::RefuseConnections { lasting: Duration::from_millis(1500) },
            Fault::ResetBeforeAnswer,
            Fault::ResetMidBody,
            Fault::TruncatedJson,
            Fault::MalformedJson,
            Fault::WrongContentType,
            Fault::HtmlOk,
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
            Fault::RepeatedMarker { period: 3 },
            Fault::EmptyPageWithMarker,
            Fault::ShortPage,
            Fault::BadRow { kind: BadRow::NotAnObject },
            Fault::UnknownEnum,
            Fault::WorldChange { remove: 1, insert: 2, side: Side::Before },
        ]
    }

    #[test]
    fn every_plan_comes_back_from_json() {
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
    fn errors_say_where_and_what_was_expected() {
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
            (rule(r#"{"on": {"list": 0}, "fault": "hang"}"#), "the first is 1"),
            (rule(r#"{"on": {"list": "2"}, "fault": "hang"}"#), "expected u64"),
            (rule(r#"{"on": {"lists": 2}, "fault": "hang"}"#), "expected one of `list`, `login`"),
            (rule(r#"{"on": {"rate": 5}, "fault": "hang"}"#), "a share from 0 to 1"),
            (rule(r#"{"on": "always", "fault": {"status": {"status": 42}}}"#), "from 200 to 599"),
            (rule(r#"{"on": "always", "fault": {"slow_headers": "3"}}"#), "such as \"250ms\""),
            (rule(r#"{"on": "always", "fault": {"slow_headers": 3}}"#), "expected a string"),
            (rule(r#"{"on": "always", "fault": {"repeated_marker": {}}}"#), "missing field `period`"),
            (rule(r#"{"on": "always"}"#), "neither `fault` nor `faults`"),
            (rule(r#"{"on": "always", "fault": "hang", "faults": ["hang"]}"#), "one of the two"),
            (rule(r#"{"on": "always", "faults": []}"#), "one fault or more"),
        ];
        for (error, expected) in cases {
            assert!(error.contains(expected), "{error:?} does not say {expected:?}");
            assert!(error.contains(" at line 1 column "), "{error}");
        }
    }

    #[test]
    fn the_same_seed_hits_the_same_requests_and_another_seed_others() {
        let hits = |seed: u64| -> Vec<Option<String>> {
            let plan = Faults::new(seed).rate_any(0.3, [Fault::Hang, Fault::NoContent]);
            (1..=500).map(|number| picked(&plan, list(number))).collect()
        };
        assert_eq!(hits(7), hits(7));
        assert_ne!(hits(7), hits(8));
        let hit = hits(7).into_iter().flatten().collect::<Vec<_>>();
        assert!((110..190).contains(&hit.len()), "{} of 500", hit.len());
        let hung = hit.iter().filter(|name| *name == "hang").count();
        assert!((1..hit.len()).contains(&hung));
    }

    #[test]
    fn shares_of_nothing_and_of_all() {
        let plan = |share: f64| Faults::new(1).rate(share, Fault::Hang);
        let hits = |share: f64| (1..=50).filter(|n| picked(&plan(share), list(*n)).is_some()).count();
        assert_eq!([hits(0.0), hits(-1.0), hits(f64::NAN)], [0, 0, 0]);
        assert_eq!([hits(1.0), hits(9.0)], [50, 50]);
        let login = Sight { list: None, login: Some(1), ..list(1) };
        assert_eq!(picked(&plan(1.0), login), None, "a share is one of list requests");
    }

    #[test]
    fn the_most_particular_rule_decides() {
        let plan = Faults::new(1)
            .always(Fault::Hang)
            .rate(1.0, Fault::NoContent)
            .on_path("accounts", Fault::HtmlOk)
            .on_list(2, Fault::ResetMidBody)
            .on_request(3, Fault::ShortPage);
        assert_eq!(picked(&plan, list(1)).as_deref(), Some("html_ok"));
        // The second list request is the third of all; the rule added first has it.
        assert_eq!(picked(&plan, list(2)).as_deref(), Some("reset_mid_body"));
        let elsewhere = Sight { path: "/", ..list(1) };
        assert_eq!(picked(&plan, elsewhere).as_deref(), Some("no_content"));
        let login = Sight { request: 1, list: None, login: Some(1), path: "/oauth/token" };
        assert_eq!(picked(&plan, login).as_deref(), Some("hang"));
        assert_eq!(picked(&Faults::none(), login), None);
    }
}

#[cfg(test)]
mod circle_tests {
    use super::Circle;

    #[test]
    fn behind_the_last_page_comes_the_first() {
        let mut circle = Circle::new(2);
        assert_eq!(circle.turn(""), None);
        assert_eq!(circle.turn("a"), None);
        assert_eq!(circle.turn("a"), None, "asked again, answered again");
        assert_eq!(circle.turn("b").as_deref(), Some(""));
        assert_eq!(circle.turn("a"), None);
        assert_eq!(circle.turn("b").as_deref(), Some(""));
        // Offsets go on for ever.
        assert_eq!(circle.turn("c").as_deref(), Some("a"));
        assert_eq!(circle.turn("d").as_deref(), Some(""));
    }
}
