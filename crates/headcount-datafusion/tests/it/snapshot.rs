//! Snapshots: complete, resumable, and never called complete wrongly.

use std::{
    collections::BTreeSet,
    fmt, fs,
    path::{Path as FilePath, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use datafusion::{
    object_store::{
        CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
        PutMultipartOptions, PutOptions, PutPayload, PutResult, Result as StoreResult, memory::InMemory,
        path::Path,
    },
    prelude::SessionContext,
};
use futures::stream::BoxStream;
use headcount::{Account, AccountKind, AnyPaginator, ListingId, Page, Paginator, Provider, Source};
use headcount_datafusion::{
    Collect, ListRequest, Listing, Require, Snapshot, SnapshotDiff, SnapshotPlan, SnapshotStore, Tenants,
};
use headcount_sim::{BadRow, ErrorBody, Fault, Faults, SimConfig};
use serde_json::Value;

use crate::kit::{PROVIDERS, SimulatedTenants, acme, acme_with, ids, local_store, one, query, shared};

fn plan(simulated: &SimulatedTenants) -> SnapshotPlan {
    SnapshotPlan::new("2026-11-29", shared(simulated).sources()).unwrap()
}

async fn collect(simulated: &SimulatedTenants, store: &SnapshotStore) -> Snapshot {
    Collect::new(shared(simulated), store.clone(), plan(simulated)).run().await.unwrap()
}

/// Returns the files below a folder with this suffix.
fn files(folder: &FilePath, suffix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, suffix));
        } else if path.to_str().unwrap().ends_with(suffix) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn problems(snapshot: &Snapshot) -> Vec<String> {
    let problem = |status: &headcount_datafusion::SourceStatus| {
        status.problem.as_ref().map(|problem| format!("{}: {problem}", status.source))
    };
    snapshot.sources().iter().filter_map(problem).collect()
}

#[tokio::test]
async fn a_snapshot_has_every_account_once() {
    let simulated = acme(600).await;
    let (folder, store) = local_store();
    let snapshot = collect(&simulated, &store).await.verify().await.unwrap();
    assert!(snapshot.is_complete(), "{snapshot}");
    assert_eq!(snapshot.to_string(), "run 2026-11-29: 4 of 4 sources complete, 2400 accounts");
    assert_eq!(store.runs().await.unwrap(), ["2026-11-29"]);
    let ctx = SessionContext::new();
    snapshot.register(&ctx, Require::Complete).unwrap();
    for (source, simulator) in simulated.simulators() {
        let sql = format!("select id from accounts where concat(tenant, '/', source) = '{source}'");
        assert_eq!(ids(&ctx, &sql).await, simulator.ids().into_iter().collect::<BTreeSet<_>>(), "{source}");
    }
    let sources = query(&ctx, "select source, state, items from sources order by source").await.unwrap();
    assert_eq!(sources, PROVIDERS.map(|provider| format!("{provider}|complete|600")));
    // One file a source, and nothing else.
    assert_eq!(files(folder.path(), ".parquet").len(), 4);
    assert_eq!(files(folder.path(), "").len(), 9);
}

#[tokio::test]
async fn collecting_again_lists_only_what_is_missing() {
    let simulated = acme(100).await;
    let (folder, store) = local_store();
    collect(&simulated, &store).await;
    let [removed] =
        &files(&folder.path().join("run=2026-11-29/tenant=acme/source=huawei"), "manifest.json")[..]
    else {
        panic!("expected one manifest");
    };
    fs::remove_file(removed).unwrap();
    let snapshot = Snapshot::open(&store, "2026-11-29").await.unwrap();
    assert_eq!(problems(&snapshot), ["acme/huawei: not collected"]);
    simulated.simulators().for_each(|(_, simulator)| simulator.clear_requests());
    let snapshot = collect(&simulated, &store).await.verify().await.unwrap();
    assert!(snapshot.is_complete(), "{snapshot}");
    for (source, simulator) in simulated.simulators() {
        assert_eq!(simulator.requests().is_empty(), source != "acme/huawei", "{source}");
    }
    // The file of the first attempt is still there, and is not a part of the snapshot.
    assert_eq!(files(folder.path(), ".parquet").len(), 5);
    assert_eq!(snapshot.accounts_count(), 400);
    let ctx = SessionContext::new();
    snapshot.register(&ctx, Require::Complete).unwrap();
    assert_eq!(query(&ctx, "select count(*), count(distinct id) from accounts").await.unwrap(), ["400|400"]);
}

#[tokio::test]
async fn a_run_has_one_plan() {
    let simulated = acme(10).await;
    let (_folder, store) = local_store();
    collect(&simulated, &store).await;
    let fewer = plan(&simulated).with_columns(["status"]).unwrap();
    let error = Collect::new(shared(&simulated), store.clone(), fewer).run().await.unwrap_err().to_string();
    assert!(error.contains("run 2026-11-29 exists with other sources or columns"), "{error}");
    let error = Snapshot::open(&store, "2026-11-30").await.unwrap_err().to_string();
    assert!(error.contains("there is no run 2026-11-30"), "{error}");
    let error = Snapshot::open(&store, "../2026-11-29").await.unwrap_err().to_string();
    assert!(error.contains("run name \"../2026-11-29\""), "{error}");
}

#[tokio::test]
async fn an_incomplete_listing_makes_an_incomplete_snapshot() {
    for provider in PROVIDERS {
        let bad_row = Faults::none().on_list(1, Fault::BadRow { kind: BadRow::NotAnObject });
        let simulated =
            acme_with(60, |name| if name == provider { bad_row.clone() } else { Faults::none() }).await;
        let (_folder, store) = local_store();
        let snapshot = collect(&simulated, &store).await;
        let problem = "possibly incomplete: 1 record could not be decoded";
        assert_eq!(problems(&snapshot), [format!("acme/{provider}: {problem}")]);
        let ctx = SessionContext::new();
        let error = snapshot.register(&ctx, Require::Complete).unwrap_err().to_string();
        assert!(error.contains("the snapshot is not complete") && error.contains(problem), "{error}");
        snapshot.register(&ctx, Require::End).unwrap();
        assert_eq!(query(&ctx, "select count(*) from accounts").await.unwrap(), ["239"]);
        let why = "select source, state, reasons from sources where not complete";
        let reasons = "[1 record could not be decoded]";
        assert_eq!(query(&ctx, why).await.unwrap(), [format!("{provider}|uncertain|{reasons}")]);
    }
}

#[tokio::test]
async fn a_source_that_fails_does_not_stop_the_others_and_is_tried_again() {
    for provider in PROVIDERS {
        let denied = Fault::Status { status: 403, retry_after: None, body: ErrorBody::Vendor };
        let denied = Faults::none().always(denied);
        let simulated =
            acme_with(60, |name| if name == provider { denied.clone() } else { Faults::none() }).await;
        let (folder, store) = local_store();
        let snapshot = collect(&simulated, &store).await;
        let [problem] = &problems(&snapshot)[..] else { panic!("{snapshot}") };
        assert!(problem.starts_with(&format!("acme/{provider}: failed: {provider}: ")), "{problem}");
        assert!(problem.contains("403"), "{problem}");
        // It does not pass, so it was tried once.
        assert_eq!(files(folder.path(), ".json").len(), 1 + 3 + 1);
        let ctx = SessionContext::new();
        for require in [Require::Complete, Require::End] {
            let error = snapshot.register(&ctx, require).unwrap_err().to_string();
            assert!(error.contains("403"), "{error}");
        }
        snapshot.register(&ctx, Require::Any).unwrap();
        assert_eq!(query(&ctx, "select count(*) from accounts").await.unwrap(), ["180"]);
        let failed =
            query(&ctx, "select source, complete from sources where state = 'failed'").await.unwrap();
        assert_eq!(failed, [format!("{provider}|false")]);

        simulated.simulator(&format!("acme/{provider}")).set_faults(Faults::none());
        let snapshot = collect(&simulated, &store).await;
        assert!(snapshot.is_complete(), "{snapshot}");
    }
}

#[tokio::test]
async fn a_listing_that_changed_while_it_ran_is_listed_again() {
    // An account is created before the second page, and the provider's count changes.
    let changed = Arc::new(AtomicUsize::new(0));
    let counter = changed.clone();
    let config = SimConfig::new().accounts(600).seed(5).before_list(move |n, world| {
        if n == 2 && counter.fetch_add(1, Ordering::Relaxed) == 0 {
            world.generate(1);
        }
    });
    let simulated = one("sailpoint", config).await;
    let (folder, store) = local_store();
    let snapshot = collect(&simulated, &store).await;
    assert!(snapshot.is_complete(), "{snapshot}");
    assert_eq!(snapshot.accounts_count(), 601);
    let failed =
        files(folder.path(), ".json").into_iter().find(|path| path.to_str().unwrap().contains("uncertain-"));
    let failed = fs::read_to_string(failed.expect("the first attempt is recorded")).unwrap();
    assert!(failed.contains("total_changed"), "{failed}");
}

#[tokio::test]
async fn a_listing_that_always_changes_is_committed_as_uncertain() {
    let config = SimConfig::new().accounts(600).seed(5).before_list(|n, world| {
        if n % 2 == 0 {
            world.generate(1);
        }
    });
    let simulated = one("sailpoint", config).await;
    let (_folder, store) = local_store();
    let snapshot = Collect::new(shared(&simulated), store, plan(&simulated)).attempts(2).run().await.unwrap();
    assert!(!snapshot.is_complete());
    assert!(problems(&snapshot)[0].contains("the provider's count changed"), "{snapshot}");
    assert!(snapshot.accounts(Require::End).is_ok());
}

#[tokio::test]
async fn two_collectors_of_one_run_commit_each_source_once() {
    let simulated = acme(300).await;
    let (folder, store) = local_store();
    let (one, two) = tokio::join!(collect(&simulated, &store), collect(&simulated, &store));
    for snapshot in [one, two] {
        let snapshot = snapshot.verify().await.unwrap();
        assert!(snapshot.is_complete(), "{snapshot}");
        assert_eq!(snapshot.accounts_count(), 1200);
    }
    assert_eq!(files(folder.path(), "manifest.json").len(), 4);
    assert_eq!(files(folder.path(), ".parquet").len(), 4, "the slower file is removed");
}

#[tokio::test]
async fn a_manifest_that_was_edited_and_a_missing_file_are_noticed() {
    let simulated = acme(40).await;
    let (folder, store) = local_store();
    let intact = collect(&simulated, &store).await;
    assert!(intact.is_complete());
    let source = |name: &str| folder.path().join(format!("run=2026-11-29/tenant=acme/source={name}"));
    let edit = |path: &FilePath, from: &str, to: &str| {
        let text = fs::read_to_string(path).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(path, text.replace(from, to)).unwrap();
    };

    edit(&source("annature").join("manifest.json"), "\"rows\":40", "\"rows\":39");
    edit(&source("fortanix").join("manifest.json"), "\"format\":1", "\"format\":2");
    fs::remove_file(&files(&source("huawei"), ".parquet")[0]).unwrap();
    let part = files(&source("sailpoint"), ".parquet").remove(0);
    let bytes = fs::read(&part).unwrap();
    fs::write(&part, &bytes[1..]).unwrap();

    let snapshot = Snapshot::open(&store, "2026-11-29").await.unwrap();
    let found = problems(&snapshot);
    for (problem, expected) in found.iter().zip([
        "acme/annature: manifest.json was changed after it was written",
        "acme/fortanix: manifest.json has format 2; this version of headcount-datafusion reads format 1",
        "parquet is missing",
        &format!("bytes; its manifest says {}", bytes.len()),
    ]) {
        assert!(problem.contains(expected), "{problem}");
    }
    assert_eq!(found.len(), 4);
    assert_eq!(snapshot.accounts_count(), 0);
    let ctx = SessionContext::new();
    assert!(snapshot.register(&ctx, Require::End).is_err());
    snapshot.register(&ctx, Require::Any).unwrap();
    assert_eq!(query(&ctx, "select count(*) from accounts").await.unwrap(), ["0"]);
    assert_eq!(query(&ctx, "select count(*) from sources where state = 'failed'").await.unwrap(), ["4"]);

    // A damaged manifest is not replaced: collecting again reports it.
    let again = collect(&simulated, &store).await;
    assert_eq!(problems(&again).len(), 4);
    assert!(files(folder.path(), ".json").iter().all(|path| !path.to_str().unwrap().contains("failed-")));
}

#[tokio::test]
async fn a_damaged_file_is_noticed_by_verify() {
    let simulated = one("huawei", SimConfig::new().accounts(40)).await;
    let (folder, store) = local_store();
    collect(&simulated, &store).await;
    let part = files(folder.path(), ".parquet").remove(0);
    let mut bytes = fs::read(&part).unwrap();
    let end = bytes.len();
    bytes[end - 100..end - 60].fill(0x55);
    fs::write(&part, &bytes).unwrap();
    let snapshot = Snapshot::open(&store, "2026-11-29").await.unwrap();
    assert!(snapshot.is_complete(), "its size is the same");
    let snapshot = snapshot.verify().await.unwrap();
    assert!(problems(&snapshot)[0].contains("parquet is unreadable"), "{snapshot}");
}

#[tokio::test]
async fn a_manifest_of_another_source_is_noticed() {
    let simulated = acme(40).await;
    let (folder, store) = local_store();
    collect(&simulated, &store).await;
    let from = folder.path().join("run=2026-11-29/tenant=acme/source=huawei/manifest.json");
    let to = folder.path().join("run=2026-11-29/tenant=acme/source=sailpoint/manifest.json");
    fs::copy(from, to).unwrap();
    let snapshot = Snapshot::open(&store, "2026-11-29").await.unwrap();
    assert_eq!(problems(&snapshot), ["acme/sailpoint: manifest.json belongs to another plan or source"]);
}

#[tokio::test]
async fn a_file_that_goes_missing_after_the_snapshot_was_opened_fails_the_query() {
    let simulated = acme(40).await;
    let (folder, store) = local_store();
    let snapshot = collect(&simulated, &store).await;
    let ctx = SessionContext::new();
    snapshot.register(&ctx, Require::Complete).unwrap();
    fs::remove_file(&files(folder.path(), ".parquet")[2]).unwrap();
    for sql in ["select count(*) from accounts", "select id from accounts"] {
        let error = crate::kit::query_error(&ctx, sql).await;
        assert!(error.contains("not found") || error.contains("No such file"), "{error}");
    }
}

#[tokio::test]
async fn any_path_can_be_the_store() {
    let simulated = one("huawei", SimConfig::new().accounts(40)).await;
    let folder = tempfile::TempDir::new().unwrap();
    let runtime = SessionContext::new().runtime_env();
    for name in ["a#1", "a%20b", "[a]", "*", "ä ö", "a?b=c"] {
        let path = folder.path().join(name).join("snapshots");
        let store = SnapshotStore::open(&runtime, path.to_str().unwrap()).unwrap();
        let snapshot = collect(&simulated, &store).await.verify().await.unwrap();
        assert!(snapshot.is_complete() && snapshot.accounts_count() == 40, "{name}: {snapshot}");
        assert_eq!(files(&path, ".parquet").len(), 1, "{name}");
        let ctx = SessionContext::new();
        snapshot.register(&ctx, Require::Complete).unwrap();
        assert_eq!(query(&ctx, "select count(*) from accounts").await.unwrap(), ["40"], "{name}");
    }
}

/// A listing of three accounts, of which the second is on both pages, and of which the provider counts `total`.
struct Repeating {
    total: Option<u64>,
}

impl Paginator for Repeating {
    type Item = Account;
    type Cursor = u32;

    fn listing_id(&self) -> ListingId {
        ListingId::new("repeating", [])
    }

    async fn fetch(&self, at: Option<&u32>) -> headcount::Result<Page<Account, u32>> {
        let (ids, next) = if at.is_none() { (["a", "b"], Some(1)) } else { (["b", "c"], None) };
        let account = |id| Account::new(Provider::Huawei, AccountKind::CloudAccount, id);
        Ok(Page::new(ids.map(account).into(), next).with_total(self.total))
    }
}

impl Tenants for Repeating {
    fn sources(&self) -> Vec<Source> {
        vec![Source::new("acme", "cloud", Provider::Huawei).unwrap()]
    }

    fn open(&self, _: &Source, _: &ListRequest) -> headcount::Result<Listing> {
        Ok(Listing {
            accounts: AnyPaginator::new(Self { total: self.total }),
            endpoint: "none".into(),
            filter: None,
        })
    }
}

#[tokio::test]
async fn an_account_that_is_listed_twice_is_stored_once() {
    let (_folder, store) = local_store();
    let tenants = Repeating { total: None };
    let plan = SnapshotPlan::new("r", tenants.sources()).unwrap();
    let snapshot = Collect::new(Arc::new(tenants), store, plan).run().await.unwrap().verify().await.unwrap();
    assert!(snapshot.is_complete(), "{snapshot}");
    let ctx = SessionContext::new();
    snapshot.register(&ctx, Require::Complete).unwrap();
    assert_eq!(ids(&ctx, "select id from accounts").await, ["a", "b", "c"].map(str::to_owned).into());
    assert_eq!(query(&ctx, "select items from sources").await.unwrap(), ["4"]);
}

#[tokio::test]
async fn a_repeat_does_not_hide_a_missing_account() {
    let (_folder, store) = local_store();
    let tenants = Repeating { total: Some(4) };
    let plan = SnapshotPlan::new("r", tenants.sources()).unwrap();
    let snapshot = Collect::new(Arc::new(tenants), store, plan).attempts(1).run().await.unwrap();
    assert_eq!(
        problems(&snapshot),
        ["acme/cloud: possibly incomplete: the provider reports 4 rows, 3 listed"]
    );
}

#[tokio::test]
async fn verify_compares_the_ids() {
    let simulated = one("huawei", SimConfig::new().accounts(40)).await;
    let other = one("huawei", SimConfig::new().accounts(40).seed(99)).await;
    let (folder, store) = local_store();
    let (other_folder, other_store) = local_store();
    collect(&simulated, &store).await;
    collect(&other, &other_store).await;
    // The same number of rows, of other accounts; the size is made equal in the manifest by a forger.
    let part = files(folder.path(), ".parquet").remove(0);
    let other_part = files(other_folder.path(), ".parquet").remove(0);
    fs::copy(&other_part, &part).unwrap();
    let manifest = files(folder.path(), "manifest.json").remove(0);
    let mut json: Value = serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
    json["manifest"]["part"]["bytes"] = fs::metadata(&part).unwrap().len().into();
    // The checksum is that of the text, which a forger can compute.
    let inner = json["manifest"].to_string();
    let sum = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(inner.as_bytes()));
    fs::write(&manifest, format!("{{\"format\":1,\"sha256\":\"{sum}\",\"manifest\":{inner}}}")).unwrap();
    let snapshot = Snapshot::open(&store, "2026-11-29").await.unwrap();
    assert!(snapshot.is_complete(), "{snapshot}");
    let snapshot = snapshot.verify().await.unwrap();
    assert!(problems(&snapshot)[0].contains("has other accounts than its manifest says"), "{snapshot}");
}

/// A store in memory that fails some of its operations.
#[derive(Debug)]
struct Flaky {
    inner: InMemory,
    puts: AtomicUsize,
    /// Fails the puts with these numbers, from 0.
    fail: fn(usize, &Path) -> bool,
    /// Whether a put that fails was carried out, and is said to have met an existing file.
    lost_response: bool,
}

impl fmt::Display for Flaky {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Flaky")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Flaky {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> StoreResult<PutResult> {
        if (self.fail)(self.puts.fetch_add(1, Ordering::SeqCst), location) {
            if self.lost_response {
                self.inner.put_opts(location, payload, opts).await?;
                let (path, source) = (location.to_string(), "412".into());
                return Err(datafusion::object_store::Error::AlreadyExists { path, source });
            }
            let source = "the store is full".into();
            return Err(datafusion::object_store::Error::Generic { store: "Flaky", source });
        }
        self.inner.put_opts(location, payload, opts).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> StoreResult<GetResult> {
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, StoreResult<Path>>,
    ) -> BoxStream<'static, StoreResult<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> StoreResult<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> StoreResult<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

fn flaky(fail: fn(usize, &Path) -> bool) -> (SessionContext, SnapshotStore) {
    flaky_store(fail, false)
}

fn flaky_store(fail: fn(usize, &Path) -> bool, lost_response: bool) -> (SessionContext, SnapshotStore) {
    let ctx = SessionContext::new();
    let store = Flaky { inner: InMemory::new(), puts: AtomicUsize::new(0), fail, lost_response };
    ctx.register_object_store(&url::Url::parse("memory://bucket").unwrap(), Arc::new(store));
    let store = SnapshotStore::open(&ctx.runtime_env(), "memory://bucket/snapshots").unwrap();
    (ctx, store)
}

#[tokio::test]
async fn a_store_that_fails_a_put_costs_an_attempt() {
    let simulated = acme(40).await;
    let (ctx, store) = flaky(|n, path| (1..8).contains(&n) && !path.as_ref().contains("failed-"));
    let snapshot = collect(&simulated, &store).await;
    assert!(snapshot.is_complete(), "{snapshot}");
    snapshot.register(&ctx, Require::Complete).unwrap();
    assert_eq!(query(&ctx, "select count(distinct id) from accounts").await.unwrap(), ["160"]);

    // The first put of each manifest.
    let simulated = one("huawei", SimConfig::new().accounts(40)).await;
    let (_ctx, store) = flaky(|n, path| n < 3 && path.as_ref().ends_with("manifest.json"));
    let snapshot = collect(&simulated, &store).await.verify().await.unwrap();
    assert!(snapshot.is_complete(), "{snapshot}");
}

#[tokio::test]
async fn a_manifest_whose_response_was_lost_is_a_commit() {
    let simulated = acme(40).await;
    let (ctx, store) = flaky_store(|_, path| path.as_ref().ends_with("manifest.json"), true);
    let snapshot = collect(&simulated, &store).await.verify().await.unwrap();
    assert!(snapshot.is_complete(), "{snapshot}");
    snapshot.register(&ctx, Require::Complete).unwrap();
    assert_eq!(query(&ctx, "select count(distinct id) from accounts").await.unwrap(), ["160"]);
}

#[tokio::test]
async fn a_store_that_takes_no_files_leaves_an_incomplete_snapshot() {
    let simulated = acme(40).await;
    let (_ctx, store) =
        flaky(|_, path| path.as_ref().contains("source=huawei/") && !path.as_ref().contains("failed-"));
    let snapshot = collect(&simulated, &store).await;
    let [problem] = &problems(&snapshot)[..] else { panic!("{snapshot}") };
    assert!(problem.starts_with("acme/huawei: failed: cannot write the snapshot: "), "{problem}");
    assert!(problem.contains("the store is full"), "{problem}");

    // Not even the failures can be recorded.
    let (_ctx, store) = flaky(|n, _| n > 0);
    let snapshot = collect(&simulated, &store).await;
    assert_eq!(problems(&snapshot).len(), 4);
    let (_ctx, store) = flaky(|_, _| true);
    let error = Collect::new(shared(&simulated), store, plan(&simulated)).run().await.unwrap_err();
    assert!(error.to_string().contains("the store is full"), "{error}");
}

#[tokio::test]
async fn credentials_in_the_url_of_a_store_are_refused() {
    let runtime = SessionContext::new().runtime_env();
    for url in ["s3://key:canary@bucket/x", "s3://bucket/x?secret=canary"] {
        let error = SnapshotStore::open(&runtime, url).unwrap_err().to_string();
        assert!(error.contains("no URL scheme://host/path without") && !error.contains("canary"), "{error}");
    }
    let error = SnapshotStore::open(&runtime, "s3://bucket/x").unwrap_err().to_string();
    assert!(error.contains("No suitable object store found"), "{error}");
}

#[tokio::test]
async fn a_diff_shows_who_joined_left_and_changed() {
    let simulated = acme(100).await;
    let (_folder, store) = local_store();
    let earlier = collect(&simulated, &store).await;
    let (huawei, annature) = (simulated.simulator("acme/huawei"), simulated.simulator("acme/annature"));
    let joined = huawei.generate(2);
    let left = huawei.ids().remove(7);
    huawei.remove(&left);
    let changed = annature.ids().remove(3);
    annature.update(&changed, |record| {
        record["email"] = "new@example.com".into();
        record["active"] = (!record["active"].as_bool().unwrap()).into();
    });
    let later = SnapshotPlan::new("later", shared(&simulated).sources()).unwrap();
    let later = Collect::new(shared(&simulated), store.clone(), later).run().await.unwrap();
    let diff = SnapshotDiff::new(&earlier, &later, Require::Complete).await.unwrap();
    let ctx = SessionContext::new();
    ctx.register_table("changes", diff.changes.into_view()).unwrap();
    let rows: BTreeSet<_> =
        query(&ctx, "select change, source, id, fields from changes").await.unwrap().into_iter().collect();
    let mut expected: BTreeSet<_> = joined.iter().map(|id| format!("joined|huawei|{id}|")).collect();
    expected.insert(format!("left|huawei|{left}|"));
    expected.insert(format!("changed|annature|{changed}|email,status,raw_status"));
    assert_eq!(rows, expected);

    // No difference.
    let same = SnapshotDiff::new(&later, &later, Require::Complete).await.unwrap();
    assert_eq!(same.changes.count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_diff_needs_complete_snapshots_and_common_sources() {
    let mut simulated = acme(30).await;
    let (_folder, store) = local_store();
    let earlier = collect(&simulated, &store).await;
    simulated.add("beta", "hr", "sailpoint", SimConfig::new().accounts(30).seed(77)).await.unwrap();
    simulated
        .simulator("acme/huawei")
        .set_faults(Faults::none().on_list(1, Fault::BadRow { kind: BadRow::NotAnObject }));
    let later = SnapshotPlan::new("later", shared(&simulated).sources()).unwrap();
    let later = Collect::new(shared(&simulated), store.clone(), later).run().await.unwrap();
    let error = SnapshotDiff::new(&earlier, &later, Require::Complete).await.unwrap_err().to_string();
    assert!(error.contains("the snapshot is not complete") && error.contains("acme/huawei"), "{error}");
    let diff = SnapshotDiff::new(&earlier, &later, Require::End).await.unwrap();
    assert_eq!(
        diff.changes.count().await.unwrap(),
        1,
        "the row that could not be decoded seems to have left"
    );
    assert!(diff.only_earlier.is_empty());
    assert_eq!(diff.only_later.iter().map(ToString::to_string).collect::<Vec<_>>(), ["beta/hr"]);
}
