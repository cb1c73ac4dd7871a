//! Orders and filters other than the default, worked out once per state of the world.

use std::sync::Arc;

/// How many are kept: a test walks one or two at a time.
const KEPT: usize = 4;

/// The last few views: positions in the default order, sorted or filtered in some way.
#[derive(Debug, Default)]
pub(crate) struct Views {
    kept: Vec<View>,
}

#[derive(Debug)]
struct View {
    revision: u64,
    what: String,
    positions: Arc<[usize]>,
}

impl Views {
    /// The view named `what` of the world at this revision, built if it is not there.
    pub(crate) fn view(
        &mut self,
        revision: u64,
        what: &str,
        build: impl FnOnce() -> Vec<usize>,
    ) -> Arc<[usize]> {
        let found = self.kept.iter().find(|view| view.revision == revision && view.what == what);
        if let Some(view) = found {
            return Arc::clone(&view.positions);
        }
        let positions: Arc<[usize]> = build().into();
        self.kept.retain(|view| view.revision == revision);
        if self.kept.len() >= KEPT {
            self.kept.remove(0);
        }
        self.kept.push(View { revision, what: what.to_owned(), positions: Arc::clone(&positions) });
        positions
    }
}
