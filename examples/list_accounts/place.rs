//! The file of `--checkpoint`.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use headcount::{Account, AnyPaginator, Checkpoint, Error, Items, Merge, Pages};

/// Where each source stands, saved as the program goes.
pub(crate) struct Places {
    file: PathBuf,
    saved: BTreeMap<String, Checkpoint>,
}

impl Places {
    /// Reads `file`, if it is there.
    pub(crate) fn open(file: &Path) -> io::Result<Self> {
        let saved = match fs::read(file) {
            Ok(json) => serde_json::from_slice(&json).map_err(|error| {
                let message = format!("{} is no checkpoint of list_accounts: {error}", file.display());
                io::Error::new(io::ErrorKind::InvalidData, message)
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(about(file, &error)),
        };
        Ok(Self { file: file.to_owned(), saved })
    }

    /// The stream of `source` from its saved place, or from its start.
    pub(crate) fn resume(
        &self,
        source: &str,
        pages: Pages<AnyPaginator<Account>>,
    ) -> headcount::Result<Items<AnyPaginator<Account>>> {
        let Some(place) = self.saved.get(source) else {
            return Ok(pages.items());
        };
        pages.resume(place).map_err(|error| {
            Error::new(error.kind(), format!("{}: {source}: {error}", self.file.display())).with_source(error)
        })
    }

    /// What there is to say when nothing is left to list.
    pub(crate) fn finished(&self) -> io::Error {
        io::Error::other(format!("{}: every list was finished; remove it to list again", self.file.display()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.saved.is_empty()
    }

    /// Saves where `sources` stand. Atomic: a reader finds the old file or the new one. What is saved of
    /// sources that do not take part this time is kept.
    pub(crate) fn save(&mut self, sources: &Merge<Account>) -> io::Result<()> {
        for (name, checkpoint) in sources.checkpoints() {
            self.saved.insert(name.to_owned(), checkpoint);
        }
        let mut beside = self.file.clone().into_os_string();
        beside.push(".new");
        fs::write(&beside, serde_json::to_vec(&self.saved)?)
            .and_then(|()| fs::rename(&beside, &self.file))
            .map_err(|error| about(&self.file, &error))
    }
}

fn about(file: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", file.display()))
}
