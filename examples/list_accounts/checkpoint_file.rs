//! The file of `--checkpoint`.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use headcount::{Account, AnyPaginator, Checkpoint, Error, Items, Merge, Pages};

/// How to resume a simulated list.
pub(crate) const SIMULATE: &str = "to resume their lists, start the program `simulate` in another terminal, and set the \
                                   variables that it prints";

/// The checkpoints of all sources, in a JSON file.
pub(crate) struct CheckpointFile {
    file: PathBuf,
    checkpoints: BTreeMap<String, Checkpoint>,
}

impl CheckpointFile {
    /// Reads `file` if it exists, and checks that it can be replaced.
    pub(crate) fn open(file: &Path) -> io::Result<Self> {
        // Through a symbolic link, the file is replaced instead of the link.
        let target = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
        let file = target.as_path();
        let checkpoints = match fs::read(file) {
            Ok(json) => serde_json::from_slice(&json).map_err(|error| {
                let message = format!("{} is not a checkpoint of list_accounts: {error}", file.display());
                io::Error::new(io::ErrorKind::InvalidData, message)
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(with_path(file, &error)),
        };
        if fs::metadata(file).is_ok_and(|metadata| metadata.permissions().readonly()) {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!("{} is read-only; expected a file that can be replaced", file.display()),
            ));
        }
        let this = Self { file: file.to_owned(), checkpoints };
        let temporary = this.temporary();
        let existed = temporary.exists();
        let probe = fs::OpenOptions::new().write(true).create(true).truncate(false).open(&temporary);
        probe
            .and_then(|_| if existed { Ok(()) } else { fs::remove_file(&temporary) })
            .map_err(|error| with_path(file, &error))?;
        Ok(this)
    }

    /// Returns the path of the file that replaces the checkpoint.
    fn temporary(&self) -> PathBuf {
        let mut temporary = self.file.clone().into_os_string();
        temporary.push(".new");
        temporary.into()
    }

    /// Returns the error for a file of simulators that no longer exist.
    pub(crate) fn simulated_error(&self) -> io::Error {
        io::Error::other(format!(
            "{}: it has checkpoints, but the built-in simulators are new in each run; {SIMULATE}",
            self.file.display()
        ))
    }

    /// Resumes `source` from its checkpoint, or starts it if there is none.
    pub(crate) fn resume(
        &self,
        source: &str,
        pages: Pages<AnyPaginator<Account>>,
    ) -> headcount::Result<Items<AnyPaginator<Account>>> {
        let Some(checkpoint) = self.checkpoints.get(source) else {
            return Ok(pages.items());
        };
        pages.resume(checkpoint).map_err(|error| {
            Error::new(error.kind(), format!("{}: {error}", self.file.display())).with_source(error)
        })
    }

    /// Returns the error for a file in which every list is finished.
    pub(crate) fn all_finished_error(&self) -> io::Error {
        io::Error::other(format!(
            "{}: every list is finished; remove the file to list again",
            self.file.display()
        ))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.checkpoints.is_empty()
    }

    /// Saves the checkpoints of `sources`. Checkpoints of sources that are not part of this run are kept.
    ///
    /// Replaces the file atomically.
    pub(crate) fn save(&mut self, sources: &Merge<Account>) -> io::Result<()> {
        for (name, checkpoint) in sources.checkpoints() {
            self.checkpoints.insert(name.to_owned(), checkpoint);
        }
        let temporary = self.temporary();
        fs::write(&temporary, serde_json::to_vec(&self.checkpoints)?)
            .and_then(|()| fs::rename(&temporary, &self.file))
            .map_err(|error| with_path(&self.file, &error))
    }
}

fn with_path(file: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", file.display()))
}
