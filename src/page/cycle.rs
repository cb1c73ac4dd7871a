use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Brent's cycle detection over the cursors of a listing: detects a cycle of any period and stores one
/// cursor.
///
/// It is part of each checkpoint, so that a cycle is also detected by a program that is interrupted within
/// it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CycleDetector {
    anchor: Option<Value>,
    steps: u64,
    limit: u64,
    /// The last cursor closed a cycle.
    #[serde(default)]
    detected: bool,
}

impl CycleDetector {
    pub(super) fn new() -> Self {
        Self { anchor: None, steps: 0, limit: 1, detected: false }
    }

    /// Adds the next cursor, and returns `true` if it is an earlier one.
    pub(super) fn observe(&mut self, next: &Value) -> bool {
        if self.anchor.as_ref() == Some(next) {
            self.detected = true;
            return true;
        }
        self.steps = self.steps.saturating_add(1);
        if self.steps >= self.limit {
            self.anchor = Some(next.clone());
            self.limit = self.limit.saturating_mul(2);
            self.steps = 0;
        }
        false
    }

    pub(super) fn detected(&self) -> bool {
        self.detected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detects_any_tail_and_period_within_three_rounds() {
        for tail in 0..20_u64 {
            for period in 1..20_u64 {
                let mut detector = CycleDetector::new();
                let found = (0..1000).find(|step: &u64| {
                    let cursor = if *step < tail { *step } else { tail + (step - tail) % period };
                    detector.observe(&cursor.into())
                });
                let limit = 3 * (tail + period) + 1;
                assert!(found.is_some_and(|steps| steps <= limit), "{tail} {period} {found:?}");
            }
        }
    }

    #[test]
    fn distinct_cursors_are_not_a_cycle_across_checkpoints() {
        let mut detector = CycleDetector::new();
        for cursor in 0..1000_u64 {
            assert!(!detector.observe(&cursor.into()));
            detector = serde_json::from_value(serde_json::to_value(&detector).unwrap()).unwrap();
        }
    }
}
