//! No credential is in a plan, a setting, a manifest, a Parquet file, an error or a log.

use std::{
    fs,
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex},
    thread::{self, ThreadId},
};

use datafusion::prelude::SessionContext;
use headcount_datafusion::{Collect, Require, SnapshotPlan, accounts_schema};
use headcount_sim::{ErrorBody, Fault, Faults};
use tracing_subscriber::fmt::{MakeWriter, format::FmtSpan};

use crate::kit::{PROVIDERS, SimulatedTenants, acme_with, local_store, query, query_error, session, shared};

/// The log of one thread, in memory.
#[derive(Clone)]
struct Log {
    thread: ThreadId,
    text: Arc<Mutex<Vec<u8>>>,
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if thread::current().id() == self.thread {
            self.text.lock().unwrap().extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// Every text that must not appear anywhere.
pub(crate) fn secrets(simulated: &SimulatedTenants) -> Vec<String> {
    let identifiers = ["EMAIL", "_AK", "ANNATURE_ID", "CLIENT_ID"];
    let env =
        simulated.env().iter().filter(|(name, _)| !identifiers.iter().any(|suffix| name.ends_with(suffix)));
    let env = env.map(|(_, value)| value.clone());
    let secrets = simulated.simulators().flat_map(|(_, simulator)| simulator.secrets());
    let mut all: Vec<_> = env.chain(secrets).filter(|secret| secret.len() > 5).collect();
    all.sort();
    all.dedup();
    assert!(all.len() >= 4);
    all
}

pub(crate) fn search_files(folder: &Path, secrets: &[String]) -> usize {
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            count += search_files(&path, secrets);
        } else {
            let content = fs::read(&path).unwrap();
            let found = secrets.iter().find(|secret| contains(&content, secret));
            assert!(found.is_none(), "{} contains a credential", path.display());
            count += 1;
        }
    }
    count
}

#[tokio::test]
async fn no_credential_is_in_anything_that_is_written() {
    let log = Log { thread: thread::current().id(), text: Arc::default() };
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    // For all threads: events that another thread saw first would be disabled otherwise.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let mut texts = Vec::new();
    let mut all_secrets = Vec::new();
    for provider in PROVIDERS.map(Some).into_iter().chain([None]) {
        let denied = Fault::Status { status: 401, retry_after: None, body: ErrorBody::Vendor };
        let denied = Faults::none().always(denied);
        let simulated =
            acme_with(60, |name| if Some(name) == provider { denied.clone() } else { Faults::none() }).await;
        let secrets = secrets(&simulated);
        let ctx = session(&simulated);
        texts.push(
            query(&ctx, "explain verbose select * from accounts where id like 'a%'")
                .await
                .unwrap()
                .join("\n"),
        );
        texts.push(query(&ctx, "show all").await.unwrap().join("\n"));
        if provider.is_some() {
            texts.push(query_error(&ctx, "select * from accounts").await);
        }
        ctx.sql("set headcount.require = 'any'").await.unwrap();
        texts.push(query(&ctx, "select * from accounts").await.unwrap().join("\n"));
        texts.push(query(&ctx, "select * from sources").await.unwrap().join("\n"));
        texts.push(format!("{:?}", ctx.table_provider("accounts").await.unwrap()));

        let (folder, store) = local_store();
        let plan = SnapshotPlan::new("r", shared(&simulated).sources()).unwrap();
        let collect = Collect::new(shared(&simulated), store.clone(), plan);
        let snapshot = collect.run().await.unwrap();
        texts.push(format!("{collect:?} {snapshot:?} {snapshot}"));
        if provider.is_some() {
            texts.push(snapshot.accounts(Require::Complete).unwrap_err().to_string());
        }
        assert!(search_files(folder.path(), &secrets) >= 8);
        // The files are compressed: their accounts are searched as rows, with the records.
        let plan = SnapshotPlan::new("all", shared(&simulated).sources()).unwrap();
        let columns: Vec<_> = accounts_schema().fields().iter().map(|field| field.name().clone()).collect();
        let plan = plan.with_columns(columns).unwrap();
        let snapshot = Collect::new(shared(&simulated), store.clone(), plan).run().await.unwrap();
        let ctx = SessionContext::new();
        snapshot.register(&ctx, Require::Any).unwrap();
        texts.push(query(&ctx, "select * from accounts").await.unwrap().join("\n"));
        all_secrets.extend(secrets);
    }
    let log = log.text.lock().unwrap().clone();
    assert!(contains(&log, "headcount"), "the log has the spans of the listings");
    for text in texts.iter().map(String::as_bytes).chain([&log[..]]) {
        let found = all_secrets.iter().find(|secret| contains(text, secret));
        assert!(found.is_none(), "{}", String::from_utf8_lossy(&text[..text.len().min(2000)]));
    }
}
