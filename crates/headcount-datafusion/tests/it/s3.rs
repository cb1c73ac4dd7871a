//! Snapshots in a store with the protocol of S3: the server of the Python package `moto`.
//!
//! Runs if the variable `HEADCOUNT_MOTO_SERVER` has the path of the program `moto_server`, as `.ci/run` sets it.

use std::{
    env,
    io::{Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use datafusion::prelude::SessionContext;
use headcount_datafusion::{Collect, Require, Snapshot, SnapshotPlan, SnapshotStore};
use object_store::aws::AmazonS3Builder;

use crate::kit::{acme, free_port, query, shared};

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    async fn start(program: &str, port: u16) -> Self {
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        let server = Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        for _ in 0..300 {
            if create_bucket(port).is_some() {
                return server;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{program} does not answer");
    }
}

fn create_bucket(port: u16) -> Option<()> {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let request = "PUT /bucket HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    connection.write_all(request.as_bytes()).ok()?;
    let mut response = String::new();
    connection.read_to_string(&mut response).ok()?;
    response.starts_with("HTTP/1.1 200").then_some(())
}

#[tokio::test]
async fn a_snapshot_is_collected_into_s3() {
    let Some(program) = env::var("HEADCOUNT_MOTO_SERVER").ok() else {
        eprintln!("HEADCOUNT_MOTO_SERVER is not set: nothing was tested");
        return;
    };
    let port = free_port().unwrap();
    let _server = Server::start(&program, port).await;
    let s3 = AmazonS3Builder::new()
        .with_endpoint(format!("http://127.0.0.1:{port}"))
        .with_allow_http(true)
        .with_bucket_name("bucket")
        .with_region("us-east-1")
        .with_access_key_id("canary-key")
        .with_secret_access_key("canary-secret")
        .build()
        .unwrap();
    let ctx = SessionContext::new();
    ctx.register_object_store(&url::Url::parse("s3://bucket").unwrap(), Arc::new(s3));
    let store = SnapshotStore::open(&ctx.runtime_env(), "s3://bucket/snapshots").unwrap();

    let simulated = acme(600).await;
    let plan = SnapshotPlan::new("r", shared(&simulated).sources()).unwrap();
    let collect = Collect::new(shared(&simulated), store.clone(), plan);
    // Each manifest is written once, though both collectors list everything.
    let (one, two) = tokio::join!(collect.run(), collect.run());
    let (one, two) = (one.unwrap().verify().await.unwrap(), two.unwrap());
    assert!(one.is_complete() && two.is_complete(), "{one}; {two}");
    let snapshot = Snapshot::open(&store, "r").await.unwrap();
    assert!(!format!("{snapshot:?} {snapshot} {store:?} {}", store.url()).contains("canary"));
    snapshot.register(&ctx, Require::Complete).unwrap();
    let counts = "select count(*), count(distinct id), count(distinct source) from accounts";
    assert_eq!(query(&ctx, counts).await.unwrap(), ["2400|2400|4"]);
    assert_eq!(store.runs().await.unwrap(), ["r"]);

    // A committed source is not listed again.
    simulated.simulators().for_each(|(_, simulator)| simulator.clear_requests());
    assert!(collect.run().await.unwrap().is_complete());
    assert!(simulated.simulators().all(|(_, simulator)| simulator.requests().is_empty()));
}
