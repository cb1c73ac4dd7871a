//! Changes that are accepted at once and made by tasks, some time later.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use crate::world::World;
use crate::{clock, seed};

/// What a task does.
pub(crate) type Change = Box<dyn FnOnce(&mut World) + Send>;

/// The tasks begun, and those of them that are still to be done.
pub(crate) struct Tasks {
    seed: u64,
    takes: Duration,
    ids: Vec<String>,
    numbers: u64,
    waiting: Vec<(Instant, Change)>,
}

impl Tasks {
    pub(crate) fn new(seed: u64, takes: Duration) -> Self {
        Self { seed: seed ^ 0x7A5C, takes, ids: Vec::new(), numbers: 0, waiting: Vec::new() }
    }

    /// Begins a task; gives its id.
    pub(crate) fn begin(&mut self, change: Change) -> String {
        let id = seed::hex_id(&mut seed::rng(self.seed, self.ids.len() as u64));
        self.ids.push(id.clone());
        self.waiting.push((clock::after(self.takes), change));
        id
    }

    /// Another number each time, for what a task makes.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Those that are to be done by now, in the order in which they were begun.
    pub(crate) fn due(&mut self) -> Vec<Change> {
        let now = Instant::now();
        let (due, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(|(at, _)| *at <= now);
        self.waiting = waiting;
        let due: Vec<(Instant, Change)> = due;
        due.into_iter().map(|(_, change)| change).collect()
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.ids.clone()
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks").field("begun", &self.ids.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_is_done_once_and_when_its_time_is_over() {
        let mut tasks = Tasks::new(1, Duration::from_secs(2));
        let first = tasks.begin(Box::new(|_| ()));
        tokio::time::advance(Duration::from_secs(1)).await;
        let second = tasks.begin(Box::new(|_| ()));
        assert_eq!((tasks.due().len(), tasks.ids()), (0, vec![first, second]));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(tasks.due().len(), 1);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!((tasks.due().len(), tasks.due().len()), (1, 0));
    }
}
