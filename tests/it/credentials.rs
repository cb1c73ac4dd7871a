//! Credential sources, over real HTTP and real files.

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

/// A metadata service on loopback. It returns the keys of a simulator, and requires a session token.
struct MetadataService {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl MetadataService {
    async fn start(server: &sim::Huawei) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the client uses the system clock too")]
        let expires_at = (Utc::now() + TimeDelta::hours(24)).to_rfc3339_opts(SecondsFormat::Micros, true);
        let key = serde_json::json!({"credential": {
            "access": server.ak(),
            "secret": server.sk(),
            "securitytoken": server.security_token(),
            "expires_at": expires_at,
        }});
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let serving = tokio::spawn({
            let requests = Arc::clone(&requests);
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
                    requests.lock().unwrap().push(head.lines().next().unwrap().to_owned());
                    let length = body.len();
                    let response = format!(
                        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                    );
                    connection.write_all(response.as_bytes()).await.unwrap();
                }
            }
        });
        Self { url, requests, serving }
    }

    fn request_count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

impl Drop for MetadataService {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn count(client: &huawei::Client) -> Result<usize> {
    Ok(client.list_accounts().limit(7).items().try_collect::<Vec<_>>().await?.len())
}

#[tokio::test]
async fn metadata_key_is_fetched_once() {
    let server = sim::Huawei::builder().temporary(true).accounts(30).start().await.unwrap();
    let metadata = MetadataService::start(&server).await;
    let builder =
        huawei::Client::builder_from_metadata().metadata_endpoint(&metadata.url).base_url(server.base_url());
    let client = builder.build().unwrap();
    assert_eq!(metadata.request_count(), 0, "nothing is fetched before the first request");
    assert_eq!(count(&client).await.unwrap(), 30);
    assert_eq!(count(&client.clone()).await.unwrap(), 30);
    assert_eq!(metadata.request_count(), 2, "a token and a key");
    let debug = format!("{client:?}");
    for secret in [server.sk(), server.security_token().unwrap()] {
        assert!(!debug.contains(secret), "{debug}");
    }
}

#[tokio::test]
async fn credentials_file_errors_name_the_path() {
    let server = sim::Huawei::builder().temporary(true).accounts(5).start().await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("credentials");
    let token = server.security_token().unwrap();
    let text = format!("[global]\nak = {}\nsk = {}\nsecurity_token = {token}\n", server.ak(), server.sk());
    std::fs::write(&path, text).unwrap();
    let builder = huawei::Client::builder_from_credentials_file(&path).unwrap();
    let debug = format!("{builder:?}");
    assert!(!debug.contains(server.sk()) && !debug.contains(token), "{debug}");
    let client = builder.base_url(server.base_url()).build().unwrap();
    assert_eq!(count(&client).await.unwrap(), 5);

    std::fs::write(&path, "[global]\nregion = x\n").unwrap();
    for path in [path, home.path().join("elsewhere")] {
        let error = huawei::Client::builder_from_credentials_file(&path).unwrap_err();
        assert_eq!((error.kind(), error.provider()), (ErrorKind::Config, Some(headcount::Provider::Huawei)));
        assert!(error.message().contains(path.to_str().unwrap()), "{error}");
    }
}

#[tokio::test]
async fn unreachable_metadata_error_names_the_url() {
    // The port is bound but does not listen, so it refuses connections.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let unreachable = format!("http://{}", socket.local_addr().unwrap());
    let builder = huawei::Client::builder_from_metadata().metadata_endpoint(&unreachable);
    let error = count(&builder.build().unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.provider()), (ErrorKind::Auth, Some(headcount::Provider::Huawei)));
    assert!(
        error.message().contains("the metadata service: PUT") && error.message().contains(&unreachable),
        "{error}"
    );
    let builder = huawei::Client::builder_from_metadata().security_token("of what key");
    assert_eq!(builder.build().unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn metadata_listings_are_bound_to_the_domain() {
    let id = |domain: Option<&str>| {
        let builder = huawei::Client::builder_from_metadata();
        let builder = domain.into_iter().fold(builder, huawei::ClientBuilder::domain_id);
        builder.build().unwrap().list_accounts().listing_id()
    };
    assert_eq!(id(Some("a")), id(Some("a")));
    assert_ne!(id(Some("a")), id(Some("b")));
    assert_ne!(id(Some("a")), id(None));
}

#[test]
fn missing_settings_are_named() {
    let huawei = huawei::Client::builder;
    let annature = headcount::annature::Client::builder;
    for (error, message) in [
        (huawei().build().unwrap_err(), "missing access key; call access_key()"),
        (huawei().access_key("AK").build().unwrap_err(), "missing secret key; call secret_key()"),
        (huawei().secret_key("SK").build().unwrap_err(), "missing access key; call access_key()"),
        (annature().build().unwrap_err(), "missing id; call id()"),
        (annature().id("id").build().unwrap_err(), "missing key; call key()"),
    ] {
        assert_eq!((error.kind(), error.message()), (ErrorKind::Config, message));
    }
    let error = headcount::sailpoint::Client::builder().token("t").build().unwrap_err();
    assert!(error.message().starts_with("invalid base URL"), "{error}");
}
