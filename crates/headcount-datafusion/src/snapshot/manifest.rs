//! Manifests: which Parquet file belongs to a snapshot, and how its listing ended.

use std::fmt;

use datafusion::{
    error::{DataFusionError, Result},
    object_store::path::Path,
};
use headcount::{ListingReport, Source};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::{
    SnapshotStore,
    plan::{FORMAT, check_format, sha256},
};

/// The manifest of one source in one run. It is written once, after its part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    format: u32,
    /// The digest of the plan.
    pub(crate) plan: String,
    pub(crate) report: ListingReport,
    pub(crate) part: Part,
}

/// A Parquet file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    /// The name of the file, beside the manifest.
    pub(crate) file: String,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) ids: IdsDigest,
}

/// A digest of a multiset of ids: the sum of the first 16 bytes of their SHA-256 digests. It does not depend on their
/// order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct IdsDigest(u128);

impl IdsDigest {
    pub(crate) fn add(&mut self, id: u128) {
        self.0 = self.0.wrapping_add(id);
    }
}

/// Returns the first 16 bytes of the SHA-256 digest of an id.
pub(crate) fn id_digest(id: &str) -> u128 {
    Sha256::digest(id).iter().take(16).fold(0, |sum, &byte| sum << 8 | u128::from(byte))
}

impl fmt::Display for IdsDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl From<IdsDigest> for String {
    fn from(digest: IdsDigest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for IdsDigest {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        u128::from_str_radix(&text, 16).map(Self).map_err(|error| format!("invalid digest of ids: {error}"))
    }
}

/// The file: the manifest with a checksum of its text, which detects that it was edited.
#[derive(Serialize, Deserialize)]
struct Sealed<'a> {
    format: u32,
    sha256: String,
    #[serde(borrow)]
    manifest: &'a RawValue,
}

impl Manifest {
    pub(crate) fn new(plan: String, report: ListingReport, part: Part) -> Self {
        Self { format: FORMAT, plan, report, part }
    }

    /// Reads the manifest of a source, if there is one.
    ///
    /// # Errors
    /// Fails if the store does. The inner error is that of a manifest that is damaged, or of another plan or source.
    pub(crate) async fn read(
        store: &SnapshotStore,
        path: &Path,
        plan: &str,
        source: &Source,
    ) -> Result<Option<Result<Self, String>>> {
        let Some(json) = store.read(path).await? else { return Ok(None) };
        Ok(Some(match Self::from_json(&json) {
            Ok(manifest) if manifest.plan == plan && manifest.report.source == *source => Ok(manifest),
            Ok(_) => Err("manifest.json belongs to another plan or source".into()),
            Err(error) => Err(error.message().into_owned()),
        }))
    }

    pub(crate) fn to_json(&self) -> Result<Vec<u8>> {
        let external = |error| DataFusionError::External(Box::new(error));
        let manifest = serde_json::value::to_raw_value(self).map_err(external)?;
        let sealed =
            Sealed { format: FORMAT, sha256: sha256(manifest.get().as_bytes()), manifest: &manifest };
        serde_json::to_vec(&sealed).map_err(external)
    }

    pub(crate) fn from_json(json: &[u8]) -> Result<Self> {
        check_format("manifest.json", json)?;
        let malformed = |error| DataFusionError::Plan(format!("manifest.json is malformed: {error}"));
        let sealed: Sealed<'_> = serde_json::from_slice(json).map_err(malformed)?;
        if sealed.sha256 != sha256(sealed.manifest.get().as_bytes()) {
            return Err(DataFusionError::Plan("manifest.json was changed after it was written".into()));
        }
        serde_json::from_str(sealed.manifest.get()).map_err(malformed)
    }
}

#[cfg(test)]
mod tests {
    use headcount::Provider;

    use super::*;

    #[test]
    fn the_digest_of_ids_ignores_order_and_counts_repeats() {
        let digest = |ids: &[&str]| {
            let mut digest = IdsDigest::default();
            for id in ids {
                digest.add(id_digest(id));
            }
            digest
        };
        assert_eq!(digest(&["a", "b"]), digest(&["b", "a"]));
        assert_ne!(digest(&["a", "b"]), digest(&["a", "b", "b"]));
        assert_ne!(digest(&["ab"]), digest(&["a", "b"]));
        let text = String::from(digest(&["a"]));
        // The first 16 bytes of SHA-256("a").
        assert_eq!(text, "ca978112ca1bbdcafac231b39a23dc4d");
        assert_eq!(IdsDigest::try_from(text), Ok(digest(&["a"])));
    }

    #[test]
    fn an_edited_manifest_is_refused() {
        let source = Source::new("acme", "hr", Provider::SailPoint).unwrap();
        let part = Part { file: "a.parquet".into(), rows: 1, bytes: 2, ids: IdsDigest::default() };
        let manifest = Manifest::new("digest".into(), ListingReport::start(source), part);
        let json = String::from_utf8(manifest.to_json().unwrap()).unwrap();
        assert_eq!(Manifest::from_json(json.as_bytes()).unwrap(), manifest);
        for (edited, expected) in [
            (json.replace("\"rows\":1", "\"rows\":2"), "was changed after it was written"),
            (json.replace("in_progress", "complete"), "was changed after it was written"),
            (json.replacen("\"format\":1", "\"format\":7", 1), "manifest.json has format 7; this version"),
            (json[..json.len() - 1].to_owned(), "manifest.json is malformed"),
            ("{}".into(), "missing field `format`"),
        ] {
            assert_ne!(edited, json);
            let error = Manifest::from_json(edited.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
