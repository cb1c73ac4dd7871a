//! A plan at work.

use super::circle::Circle;
use super::plan::Sight;
use super::{Fault, Faults};

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
