//! Where snapshots are stored, and under which names.

use std::{fmt, path, sync::Arc};

use datafusion::{
    datasource::listing::ListingTableUrl,
    error::{DataFusionError, Result},
    execution::{object_store::ObjectStoreUrl, runtime_env::RuntimeEnv},
    object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, path::Path},
    prelude::SessionContext,
};
use headcount::{Source, reqwest::Url};

use super::plan::check_run;
use crate::session_config;

/// A folder of snapshots in an object store.
///
/// ```text
/// run=2026-11-29/plan.json
/// run=2026-11-29/tenant=acme/source=hr/manifest.json
/// run=2026-11-29/tenant=acme/source=hr/0f8c….parquet
/// run=2026-11-29/tenant=acme/source=cloud/failed-5b1d….json
/// ```
///
/// A Parquet file belongs to the snapshot only if the manifest beside it names it. Other Parquet files are left over
/// from attempts that were interrupted.
#[derive(Clone)]
pub struct SnapshotStore {
    runtime: Arc<RuntimeEnv>,
    store: Arc<dyn ObjectStore>,
    store_url: ObjectStoreUrl,
    url: String,
    folder: Path,
}

impl SnapshotStore {
    /// Opens the folder at `url`: a path of this machine, or a URL such as `s3://bucket/snapshots` whose store is
    /// registered in `runtime`.
    ///
    /// The local file system is always registered. Others are registered by
    /// [`SessionContext::register_object_store`](datafusion::prelude::SessionContext::register_object_store). The
    /// store must support `PutMode::Create`; on a local file system, that needs hard links. An interrupted attempt may
    /// leave an incomplete multipart upload of a file over 5 MiB, which a lifecycle rule of the store removes.
    ///
    /// # Errors
    /// Fails if no store is registered for the URL, or if the URL contains credentials or a query.
    pub fn open(runtime: &Arc<RuntimeEnv>, url: &str) -> Result<Self> {
        let invalid = || {
            DataFusionError::Configuration(
                "the place of the snapshots is no path and no URL scheme://host/path without a user name, password or \
                 query; credentials belong in the object store that the application registers"
                    .into(),
            )
        };
        let mut parsed = if url.contains("://") {
            Url::parse(url).map_err(|_| invalid())?
        } else {
            Url::from_directory_path(path::absolute(url)?).map_err(|()| invalid())?
        };
        if !parsed.username().is_empty()
            || parsed.password().is_some()
            || parsed.query().is_some()
            || parsed.fragment().is_some()
        {
            return Err(invalid());
        }
        if !parsed.path().ends_with('/') {
            parsed.set_path(&format!("{}/", parsed.path()));
        }
        let url = ListingTableUrl::try_new(parsed.clone(), None)?;
        let store = runtime.object_store(&url)?;
        let store_url = url.object_store();
        Ok(Self {
            runtime: runtime.clone(),
            store,
            store_url,
            url: parsed.to_string(),
            folder: url.prefix().clone(),
        })
    }

    /// Returns the URL, which contains no credential.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the names of the runs that were begun, in alphabetical order.
    ///
    /// # Errors
    /// Fails if the store does.
    pub async fn runs(&self) -> Result<Vec<String>> {
        let listed = self.store.list_with_delimiter(Some(&self.folder)).await?;
        let name = |path: &Path| path.filename()?.strip_prefix("run=").map(str::to_owned);
        let mut runs: Vec<_> = listed.common_prefixes.iter().filter_map(name).collect();
        runs.retain(|run| check_run(run).is_ok());
        runs.sort();
        Ok(runs)
    }

    /// Returns a new session that can read this store.
    pub(crate) fn session(&self) -> SessionContext {
        SessionContext::new_with_config_rt(session_config(), self.runtime.clone())
    }

    pub(crate) fn object_store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    fn run_folder(&self, run: &str) -> Path {
        self.folder.clone().join(format!("run={run}"))
    }

    pub(crate) fn plan_path(&self, run: &str) -> Path {
        self.run_folder(run).join("plan.json")
    }

    pub(crate) fn source_folder(&self, run: &str, source: &Source) -> Path {
        self.run_folder(run)
            .join(format!("tenant={}", source.tenant()))
            .join(format!("source={}", source.name()))
    }

    pub(crate) fn store_url(&self) -> &ObjectStoreUrl {
        &self.store_url
    }

    /// Returns `true` if both are in the same object store.
    pub(crate) fn shares_store_with(&self, other: &Self) -> bool {
        self.store_url == other.store_url && Arc::ptr_eq(&self.store, &other.store)
    }

    /// Writes a file unless it exists. Returns `false` if it exists.
    pub(crate) async fn create(&self, path: &Path, content: Vec<u8>) -> Result<bool> {
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.store.put_opts(path, PutPayload::from(content), options).await {
            Ok(_) => Ok(true),
            Err(datafusion::object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the content of a file, or `None` if it does not exist.
    pub(crate) async fn read(&self, path: &Path) -> Result<Option<Vec<u8>>> {
        match self.store.get(path).await {
            Ok(found) => Ok(Some(found.bytes().await?.to_vec())),
            Err(datafusion::object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the size of a file in bytes, or `None` if it does not exist.
    pub(crate) async fn size(&self, path: &Path) -> Result<Option<u64>> {
        match self.store.head(path).await {
            Ok(found) => Ok(Some(found.size)),
            Err(datafusion::object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl fmt::Debug for SnapshotStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SnapshotStore").field(&self.url).finish()
    }
}
