//! Where credentials come from, over real HTTP and real files.

use std::sync::{Arc, Mutex};

use chrono::{SecondsFormat, TimeDelta, Utc};
use futures::TryStreamExt;
use headcount::{ErrorKind, Paginator, Result, huawei};
use headcount_sim as sim;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket},
    task::JoinHandle,
};

/// A metadata service on loopback that gives the keys of a simulator, and only to who has a token.
struct Metadata {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Metadata {
    async fn start(server: &sim::Huawei) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the client's clock is the system's too")]
        let end = (Utc::now() + TimeDelta::hours(24)).to_rfc3339_opts(SecondsFormat::Micros, true);
        let key = serde_json::json!({"credential": {
            "access": server.ak(),
            "secret": server.sk(),
            "securitytoken": server.security_token(),
            "expires_at": end,
        }});
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let serving = tokio::spawn({
            let asked = Arc::clone(&asked);
            async move {
                loop {
                    let (mut connection, _) = listener.accept().await.unwrap();
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        head.push(connection.read_u8().await.unwrap());
                    }
                    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
                    let (status, body) = if head.starts_with("put /meta-data/latest/api/token ")
                        && head.contains("\r\nx-metadata-token-ttl-seconds: 21600\r\n")
                    {
                        ("200 OK", "the-token".to_owned())
                    } else if head.starts_with("get /openstack/latest/securitykey ")
                        && head.contains("\r\nx-metadata-token: the-token\r\n")
                    {
                        ("200 OK", key.to_string())
                    } else {
                        ("400 Bad Request", String::new())
                    };
                    asked.lock().unwrap().push(head.lines().next().unwrap().to_owned());
                    let length = body.len();
                    let answer = format!(
                        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                    );
                    connection.write_all(answer.as_bytes()).await.unwrap();
                }
            }
        });
        Self { url, asked, serving }
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl Drop for Metadata {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn count(client: &huawei::Client) -> Result<usize> {
    Ok(client.list_accounts().limit(7).items().try_collect::<Vec<_>>().await?.len())
}

#[tokio::test]
async fn the_metadata_services_key_signs_and_is_asked_for_once() {
    let server = sim::Huawei::builder().temporary(true).accounts(30).start().await.unwrap();
    let metadata = Metadata::start(&server).await;
    let builder =
        huawei::Client::builder_from_metadata().metadata_endpoint(&metadata.url).base_url(server.base_url());
    let client = builder.build().unwrap();
    assert_eq!(metadata.asked(), 0, "not before a request is made");
    assert_eq!(count(&client).await.unwrap(), 30);
    assert_eq!(count(&client.clone()).await.unwrap(), 30);
    assert_eq!(metadata.asked(), 2, "a token and a key");
    let shown = format!("{client:?}");
    for secret in [server.sk(), server.security_token().unwrap()] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[tokio::test]
async fn a_profile_file_signs_and_one_without_a_key_is_an_error_with_its_path() {
    let server = sim::Huawei::builder().temporary(true).accounts(5).start().await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("credentials");
    let token = server.security_token().unwrap();
    let text = format!("[global]\nak = {}\nsk = {}\nsecurity_token = {token}\n", server.ak(), server.sk());
    std::fs::write(&path, text).unwrap();
    let builder = huawei::Client::builder_from_profile(&path).unwrap();
    let shown = format!("{builder:?}");
    assert!(!shown.contains(server.sk()) && !shown.contains(token), "{shown}");
    let client = builder.base_url(server.base_url()).build().unwrap();
    assert_eq!(count(&client).await.unwrap(), 5);

    std::fs::write(&path, "[global]\nregion = x\n").unwrap();
    for path in [path, home.path().join("elsewhere")] {
        let error = huawei::Client::builder_from_profile(&path).unwrap_err();
        assert_eq!((error.kind(), error.provider()), (ErrorKind::Config, Some("huawei")));
        assert!(error.message().contains(path.to_str().unwrap()), "{error}");
    }
}

#[tokio::test]
async fn without_a_metadata_service_a_request_says_what_was_asked() {
    // Its port is taken, and refuses connections: it never listens.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let nowhere = format!("http://{}", socket.local_addr().unwrap());
    let builder = huawei::Client::builder_from_metadata().metadata_endpoint(&nowhere);
    let error = count(&builder.build().unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.provider()), (ErrorKind::Auth, Some("huawei")));
    assert!(
        error.message().contains("the metadata service: PUT") && error.message().contains(&nowhere),
        "{error}"
    );
    let builder = huawei::Client::builder_from_metadata().security_token("of what key");
    assert_eq!(builder.build().unwrap_err().kind(), ErrorKind::Config);
}
