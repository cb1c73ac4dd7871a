//! The cost of each request, apart from its transmission.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use headcount::{
    Checkpoint, annature,
    http::{BoxFuture, Bytes, RateLimit, Request, Response, Transport, TransportError},
    huawei, sailpoint,
};

use super::{
    median,
    report::{Section, Table, Target},
    runtime,
};

const CALLS: u32 = 2000;
const ROUNDS: usize = 31;

/// A transport that returns the same body immediately.
struct Memory(&'static str);

impl Transport for Memory {
    fn send(&self, _: Request<Bytes>, _: usize) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(std::future::ready(Ok(Response::new(Bytes::from_static(self.0.as_bytes())))))
    }
}

/// Measures the time of one call in microseconds.
async fn time<F: Future<Output = ()> + Send>(call: impl Fn() -> F + Send + Sync) -> f64 {
    let began = Instant::now();
    for _ in 0..CALLS {
        call().await;
    }
    began.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS)
}

pub(crate) fn run() {
    const URL: &str = "http://127.0.0.1:1";
    let huawei = huawei::Client::builder().access_key("AK").secret_key("SK").base_url(URL);
    let huawei = huawei.transport(Memory(r#"{"account":{"id":"a"}}"#)).build().expect("a client");
    let sailpoint = |limit: Option<RateLimit>| {
        let builder = sailpoint::Client::builder().base_url(URL).token("token").rate_limit(limit);
        builder.transport(Memory(r#"{"id":"a"}"#)).build().expect("a client")
    };
    let free = sailpoint(None);
    let limited = sailpoint(Some(RateLimit::new(1000, Duration::from_millis(1))));
    let annature = annature::Client::builder().id("id").key("key").base_url(URL);
    let annature = annature.transport(Memory(r#"{"id":"a"}"#)).build().expect("a client");
    let list = huawei::Client::builder().access_key("AK").secret_key("SK").base_url(URL);
    let page =
        r#"{"accounts":[{"id":"a"},{"id":"b"}],"page_info":{"next_marker":"marker","current_count":2}}"#;
    let list = list.transport(Memory(page)).build().expect("a client");
    let runtime = runtime(true);
    let saved = runtime.block_on(async {
        let mut items = list.list_accounts().items();
        items.try_next().await.expect("an account");
        serde_json::to_string(&items.checkpoint()).expect("JSON")
    });
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(runtime.block_on(async {
            let signed = time(|| async {
                black_box(huawei.get_account("a").send().await.expect("an account"));
            });
            let tokened = time(|| async {
                black_box(free.get_account("a").send().await.expect("an account"));
            });
            let limited = time(|| async {
                black_box(limited.get_account("a").send().await.expect("an account"));
            });
            let keyed = time(|| async {
                black_box(annature.get_account("a").send().await.expect("an account"));
            });
            let resumed = time(|| async {
                let checkpoint: Checkpoint = serde_json::from_str(&saved).expect("a checkpoint");
                let _ = black_box(list.list_accounts().resume(&checkpoint).expect("a stream"));
            });
            [signed.await, tokened.await, limited.await, keyed.await, resumed.await]
        }));
    }
    let of = |figure: &dyn Fn(&[f64; 5]) -> f64| median(rounds.iter().map(figure).collect());
    let mut table = Table::new(&["microseconds", "", "", "measured as"]);
    for (name, micros, target, method) in [
        (
            "signing a Huawei request",
            of(&|[signed, tokened, ..]| signed - tokened),
            Some(10.0),
            "`get_account` at Huawei, minus `get_account` at SailPoint",
        ),
        (
            "rate limiter, no contention",
            of(&|[_, tokened, limited, ..]| limited - tokened),
            Some(1.0),
            "`get_account` at SailPoint with and without a limit",
        ),
        (
            "token cache",
            of(&|[_, tokened, _, keyed, _]| tokened - keyed),
            Some(1.0),
            "`get_account` at SailPoint, minus that at Annature, which has no token",
        ),
        (
            "resuming a checkpoint",
            of(&|rounds| rounds[4]),
            Some(20.0),
            "decoding from JSON, and `resume` of Huawei's `list_accounts`",
        ),
        ("complete Huawei request", of(&|rounds| rounds[0]), None, "`get_account`"),
        ("complete SailPoint request", of(&|rounds| rounds[1]), None, "`get_account`"),
    ] {
        let judged = target.map_or(String::new(), |target| Target::AtMost(target).judge(micros));
        table.row([name.to_owned(), format!("{micros:.2}"), judged, method.to_owned()]);
    }
    Section {
        name: "small",
        target: "listing",
        title: "Small costs",
        text: "With public calls and an in-memory transport. Medians of 31 rounds of 2,000 calls each. A difference of \
               two calls includes everything else that differs between them."
            .into(),
        tables: vec![table],
    }
    .publish();
}
