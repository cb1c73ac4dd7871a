use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Brent's cycle detection over the cursors of a walk: finds a loop of any period, and holds one cursor.
///
/// It travels with checkpoints, so that a loop is found also by a program that never runs long enough
/// to go round it once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CycleGuard {
    mark: Option<Value>,
    steps: u64,
    limit: u64,
    /// The last cursor closed a loop.
    #[serde(default)]
    found: bool,
}

impl CycleGuard {
    pub(super) fn new() -> Self {
        Self { mark: None, steps: 0, limit: 1, found: false }
    }

    /// Notes the next cursor; `true` if the walk has come back to an earlier one.
    pub(super) fn step(&mut self, next: &Value) -> bool {
        if self.mark.as_ref() == Some(next) {
            self.found = true;
            return true;
        }
        self.steps = self.steps.saturating_add(1);
        if self.steps >= self.limit {
            self.mark = Some(next.clone());
            self.limit = self.limit.saturating_mul(2);
            self.steps = 0;
        }
        false
    }

    pub(super) fn found(&self) -> bool {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_of_any_tail_and_period_is_found_within_three_rounds() {
        for tail in 0..20_u64 {
            for period in 1..20_u64 {
                let mut guard = CycleGuard::new();
                let found = (0..1000).find(|step: &u64| {
                    let cursor = if *step < tail { *step } else { tail + (step - tail) % period };
                    guard.step(&cursor.into())
                });
                let limit = 3 * (tail + period) + 1;
                assert!(found.is_some_and(|steps| steps <= limit), "{tail} {period} {found:?}");
            }
        }
    }

    #[test]
    fn distinct_cursors_are_no_loop_across_a_saved_position() {
        let mut guard = CycleGuard::new();
        for cursor in 0..1000_u64 {
            assert!(!guard.step(&cursor.into()));
            guard = serde_json::from_value(serde_json::to_value(&guard).unwrap()).unwrap();
        }
    }
}
