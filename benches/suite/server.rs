//! A minimal HTTP server in a separate process, with prepared bodies.

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

/// SailPoint's rate limit.
pub(crate) const QUOTA: usize = 100;
pub(crate) const WINDOW: Duration = Duration::from_secs(10);

/// The configuration of a server.
#[derive(Clone, Copy)]
pub(crate) struct Config {
    provider: Provider,
    accounts: u64,
    latency: Duration,
    has_quota: bool,
    is_lazy: bool,
}

impl Config {
    /// Configures a server with this many accounts and no latency.
    pub(crate) fn new(provider: Provider, accounts: u64) -> Self {
        Self { provider, accounts, latency: Duration::ZERO, has_quota: false, is_lazy: false }
    }

    /// Sets the wait before each response.
    pub(crate) fn latency(self, latency: Duration) -> Self {
        Self { latency, ..self }
    }

    /// Rejects more than [`QUOTA`] requests in any [`WINDOW`].
    pub(crate) fn with_quota(self) -> Self {
        Self { has_quota: true, ..self }
    }

    /// Renders each page on request, for more accounts than fit in memory.
    pub(crate) fn lazy(self) -> Self {
        Self { is_lazy: true, ..self }
    }

    fn to_arguments(self) -> [String; 6] {
        [
            "serve".to_owned(),
            self.provider.name().to_owned(),
            self.accounts.to_string(),
            self.latency.as_millis().to_string(),
            self.has_quota.to_string(),
            self.is_lazy.to_string(),
        ]
    }

    fn from_arguments(arguments: &[String]) -> Option<Self> {
        let [provider, accounts, latency, has_quota, is_lazy] = arguments else { return None };
        Some(Self {
            provider: Provider::named(provider)?,
            accounts: accounts.parse().ok()?,
            latency: Duration::from_millis(latency.parse().ok()?),
            has_quota: has_quota.parse().ok()?,
            is_lazy: is_lazy.parse().ok()?,
        })
    }
}

/// Statistics of a server with a quota.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Stats {
    pub(crate) rejected: u64,
    /// The times of accepted requests, in seconds after the first of them.
    pub(crate) accepted: Vec<f64>,
}

/// A running server process.
pub(crate) struct Server {
    process: Child,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn start(config: Config) -> Self {
        let mut process = Command::new(std::env::current_exe().expect("this program"))
            .args(config.to_arguments())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let mut port = String::new();
        let output = process.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut port).expect("a port");
        Self { process, url: format!("http://127.0.0.1:{}", port.trim()) }
    }

    pub(crate) async fn stats(&self) -> Stats {
        let response = reqwest::get(format!("{}/stats", self.url)).await.expect("a response");
        serde_json::from_slice(&response.bytes().await.expect("a body")).expect("statistics")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The process ends at the end of its input.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// Prints the port, and serves until the standard input ends. The entry point of the server process.
pub(crate) fn serve(arguments: &[String]) {
    let config = Config::from_arguments(arguments).expect("a configuration");
    let tenant = Arc::new(Tenant::new(config));
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
            tokio::spawn(async move { tenant.serve_connection(connection).await });
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

/// A response, in parts that are not copied.
struct Response {
    head: Bytes,
    body: Bytes,
    tail: &'static [u8],
}

impl Tenant {
    fn new(config: Config) -> Self {
        let rows = match config.provider {
            Provider::Huawei => Rows::Huawei(HuaweiPages::new(config.accounts, !config.is_lazy)),
            Provider::SailPoint => Rows::SailPoint(SailPointRows::new(config.accounts)),
        };
        let quota = config.has_quota.then(Mutex::default);
        Self { rows, latency: config.latency, quota }
    }

    /// Serves requests without bodies until the connection ends.
    async fn serve_connection(&self, mut connection: TcpStream) -> Option<()> {
        connection.set_nodelay(true).ok()?;
        let mut input = BytesMut::new();
        loop {
            while let Some(end) = input.windows(4).position(|window| window == b"\r\n\r\n") {
                let request = input.split_to(end + 4);
                let target = std::str::from_utf8(&request).ok()?.split(' ').nth(1)?;
                let Response { head, body, tail } = self.respond(target).await;
                connection.write_all_buf(&mut head.chain(body).chain(tail)).await.ok()?;
            }
            if connection.read_buf(&mut input).await.ok()? == 0 {
                return None;
            }
        }
    }

    async fn respond(&self, target: &str) -> Response {
        if target == "/stats" {
            let stats = self.quota.as_ref().map(|quota| lock(quota).stats()).unwrap_or_default();
            return json(serde_json::to_vec(&stats).unwrap_or_default().into());
        }
        if let Some(wait) = self.quota.as_ref().and_then(|quota| lock(quota).check()) {
            return Response {
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
                Response { head: head.into(), body, tail: b"]" }
            }
        }
    }
}

fn head(length: usize) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n")
}

fn json(body: Bytes) -> Response {
    Response { head: format!("{}\r\n", head(body.len())).into(), body, tail: b"" }
}

fn lock(quota: &Mutex<Quota>) -> std::sync::MutexGuard<'_, Quota> {
    quota.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Default)]
struct Quota {
    window: VecDeque<Instant>,
    accepted: Vec<Instant>,
    rejected: u64,
}

impl Quota {
    /// Counts a request. Returns the seconds to wait if it exceeds the quota.
    fn check(&mut self) -> Option<u64> {
        let now = Instant::now();
        while self.window.front().is_some_and(|first| now - *first >= WINDOW) {
            self.window.pop_front();
        }
        if self.window.len() < QUOTA {
            self.window.push_back(now);
            self.accepted.push(now);
            return None;
        }
        self.rejected += 1;
        let remaining =
            self.window.front().map_or(Duration::ZERO, |first| WINDOW.saturating_sub(now - *first));
        Some(remaining.as_secs() + 1)
    }

    fn stats(&self) -> Stats {
        let first = self.accepted.first();
        let seconds = |time: &Instant| first.map_or(0.0, |first| (*time - *first).as_secs_f64());
        Stats { rejected: self.rejected, accepted: self.accepted.iter().map(seconds).collect() }
    }
}
