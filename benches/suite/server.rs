//! A plain HTTP server in a process of its own, with all bodies prepared.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read as _},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::{Buf, Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{
    lister::Provider,
    pause,
    rows::{HuaweiPages, SailPointRows},
};

/// What SailPoint allows.
pub(crate) const QUOTA: usize = 100;
pub(crate) const WINDOW: Duration = Duration::from_secs(10);

/// How a server is to be.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    provider: Provider,
    accounts: u64,
    latency: Duration,
    has_quota: bool,
    is_patched: bool,
}

impl Plan {
    /// A server of so many accounts, which answers at once.
    pub(crate) fn new(provider: Provider, accounts: u64) -> Self {
        Self { provider, accounts, latency: Duration::ZERO, has_quota: false, is_patched: false }
    }

    /// One that waits before each answer.
    pub(crate) fn latency(self, latency: Duration) -> Self {
        Self { latency, ..self }
    }

    /// One that refuses more than [`QUOTA`] requests in any [`WINDOW`].
    pub(crate) fn quota(self) -> Self {
        Self { has_quota: true, ..self }
    }

    /// One that makes each page of another when it is asked for: for more accounts than there is memory.
    pub(crate) fn patched(self) -> Self {
        Self { is_patched: true, ..self }
    }

    fn to_arguments(self) -> [String; 6] {
        [
            "serve".to_owned(),
            self.provider.name().to_owned(),
            self.accounts.to_string(),
            self.latency.as_millis().to_string(),
            self.has_quota.to_string(),
            self.is_patched.to_string(),
        ]
    }

    fn of_arguments(arguments: &[String]) -> Option<Self> {
        let [provider, accounts, latency, has_quota, is_patched] = arguments else { return None };
        Some(Self {
            provider: Provider::named(provider)?,
            accounts: accounts.parse().ok()?,
            latency: Duration::from_millis(latency.parse().ok()?),
            has_quota: has_quota.parse().ok()?,
            is_patched: is_patched.parse().ok()?,
        })
    }
}

/// What a server saw.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) refused: u64,
    /// When requests came that were not refused, in seconds after the first of them. Only with a quota.
    pub(crate) came: Vec<f64>,
}

/// A server's process.
pub(crate) struct Server {
    process: Child,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn start(plan: Plan) -> Self {
        let mut process = Command::new(std::env::current_exe().expect("this program"))
            .args(plan.to_arguments())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let mut port = String::new();
        let output = process.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut port).expect("a port");
        Self { process, url: format!("http://127.0.0.1:{}", port.trim()) }
    }

    pub(crate) async fn seen(&self) -> Seen {
        let answer = reqwest::get(format!("{}/seen", self.url)).await.expect("an answer");
        serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("what it saw")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// The server's process: prints its port, and serves until its input ends.
pub(crate) fn serve(arguments: &[String]) {
    let plan = Plan::of_arguments(arguments).expect("a plan");
    let tenant = Arc::new(Tenant::new(plan));
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("{}", listener.local_addr().expect("a port").port());
        while let Ok((connection, _)) = listener.accept().await {
            let tenant = Arc::clone(&tenant);
            tokio::spawn(async move { tenant.talk(connection).await });
        }
    });
}

struct Tenant {
    rows: Rows,
    latency: Duration,
    quota: Option<Mutex<Quota>>,
}

enum Rows {
    Huawei(HuaweiPages),
    SailPoint(SailPointRows),
}

/// An answer, in pieces that are not copied.
struct Answer {
    head: Bytes,
    body: Bytes,
    tail: &'static [u8],
}

impl Tenant {
    fn new(plan: Plan) -> Self {
        let rows = match plan.provider {
            Provider::Huawei => Rows::Huawei(HuaweiPages::new(plan.accounts, !plan.is_patched)),
            Provider::SailPoint => Rows::SailPoint(SailPointRows::new(plan.accounts)),
        };
        let quota = plan.has_quota.then(Mutex::default);
        Self { rows, latency: plan.latency, quota }
    }

    /// Answers requests, none of which has a body, until the connection ends.
    async fn talk(&self, mut connection: TcpStream) -> Option<()> {
        connection.set_nodelay(true).ok()?;
        let mut input = BytesMut::new();
        loop {
            while let Some(end) = input.windows(4).position(|window| window == b"\r\n\r\n") {
                let request = input.split_to(end + 4);
                let target = std::str::from_utf8(&request).ok()?.split(' ').nth(1)?;
                let Answer { head, body, tail } = self.answer(target).await;
                connection.write_all_buf(&mut head.chain(body).chain(tail)).await.ok()?;
            }
            if connection.read_buf(&mut input).await.ok()? == 0 {
                return None;
            }
        }
    }

    async fn answer(&self, target: &str) -> Answer {
        if target == "/seen" {
            let seen = self.quota.as_ref().map(|quota| lock(quota).seen()).unwrap_or_default();
            return json(serde_json::to_vec(&seen).unwrap_or_default().into());
        }
        if let Some(wait) = self.quota.as_ref().and_then(|quota| lock(quota).refuse()) {
            return Answer {
                head: format!(
                    "HTTP/1.1 429 Too Many Requests\r\nRetry-After: {wait}\r\nContent-Length: 2\r\n\r\n"
                )
                .into(),
                body: Bytes::new(),
                tail: b"{}",
            };
        }
        if !self.latency.is_zero() {
            pause(self.latency).await;
        }
        let (mut limit, mut first, mut count) = (0, 0, false);
        let query = target.split_once('?').map_or("", |(_, query)| query);
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            match name {
                "limit" => limit = value.parse().unwrap_or_default(),
                "offset" | "marker" => first = value.parse().unwrap_or_default(),
                "count" => count = value == "true",
                _ => {}
            }
        }
        match &self.rows {
            Rows::Huawei(pages) => json(pages.get(first)),
            Rows::SailPoint(rows) => {
                let (body, total) = (rows.slice(first, limit), rows.count());
                let count = if count { format!("X-Total-Count: {total}\r\n") } else { String::new() };
                let head = format!("{}{count}\r\n[", head(body.len() + 2));
                Answer { head: head.into(), body, tail: b"]" }
            }
        }
    }
}

fn head(length: usize) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n")
}

fn json(body: Bytes) -> Answer {
    Answer { head: format!("{}\r\n", head(body.len())).into(), body, tail: b"" }
}

fn lock(quota: &Mutex<Quota>) -> std::sync::MutexGuard<'_, Quota> {
    quota.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Default)]
struct Quota {
    window: VecDeque<Instant>,
    came: Vec<Instant>,
    refused: u64,
}

impl Quota {
    /// Counts a request, or says in how many seconds it may come again.
    fn refuse(&mut self) -> Option<u64> {
        let now = Instant::now();
        while self.window.front().is_some_and(|first| now - *first >= WINDOW) {
            self.window.pop_front();
        }
        if self.window.len() < QUOTA {
            self.window.push_back(now);
            self.came.push(now);
            return None;
        }
        self.refused += 1;
        let left = self.window.front().map_or(Duration::ZERO, |first| WINDOW.saturating_sub(now - *first));
        Some(left.as_secs() + 1)
    }

    fn seen(&self) -> Seen {
        let first = self.came.first();
        let since = |came: &Instant| first.map_or(0.0, |first| (*came - *first).as_secs_f64());
        Seen { refused: self.refused, came: self.came.iter().map(since).collect() }
    }
}
