//! The file of `--checkpoint`.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use headcount::{Account, Checkpoint, Merge};

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
            Err(error) => return Err(error),
        };
        Ok(Self { file: file.to_owned(), saved })
    }

    pub(crate) fn of(&self, source: &str) -> Option<&Checkpoint> {
        self.saved.get(source)
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
        fs::write(&beside, serde_json::to_vec(&self.saved)?)?;
        fs::rename(&beside, &self.file)
    }
}
