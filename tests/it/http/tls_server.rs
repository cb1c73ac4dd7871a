//! A certificate authority for tests, and a TLS proxy for a simulator.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use headcount_sim::Server;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer},
    },
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Issues certificates to the test's servers.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A server's certificate and its key.
pub(crate) struct ServerCertificate {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Returns the authority's own certificate, for clients that trust it.
    pub(crate) fn certificate(&self) -> &CertificateDer<'static> {
        self.0.der()
    }

    /// Issues a valid certificate for a host.
    pub(crate) fn issue(&self, host: &str) -> ServerCertificate {
        self.issue_until(host, 2)
    }

    /// Issues a certificate for a host that expired yesterday.
    pub(crate) fn issue_expired(&self, host: &str) -> ServerCertificate {
        self.issue_until(host, -1)
    }

    fn issue_until(&self, host: &str, days: i32) -> ServerCertificate {
        let key = KeyPair::generate().unwrap();
        let params = params(host, days);
        let certificate = params.signed_by(&key, &self.0).unwrap();
        ServerCertificate { certificate: certificate.into(), key: key.into() }
    }
}

impl ServerCertificate {
    /// Creates a self-signed certificate.
    pub(crate) fn self_signed(host: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params(host, 2).self_signed(&key).unwrap();
        Self { certificate: certificate.into(), key: key.into() }
    }
}

/// Returns the parameters of a certificate that is valid from ten days ago until `days` from now.
fn params(host: &str, days: i32) -> CertificateParams {
    #[expect(clippy::disallowed_methods, reason = "rustls uses the system clock")]
    let now = SystemTime::now();
    let mut params = CertificateParams::new([host.to_owned()]).unwrap();
    params.not_before = (now - 10 * DAY).into();
    params.not_after = match days {
        0.. => now + days.unsigned_abs() * DAY,
        _ => now - days.unsigned_abs() * DAY,
    }
    .into();
    params
}

/// A proxy for a simulator. It forwards the bytes of a connection, with TLS after the handshake.
pub(crate) struct TlsProxy {
    pub(crate) url: String,
    received: Arc<Mutex<Received>>,
}

/// What a proxy has received.
#[derive(Clone, Default)]
pub(crate) struct Received {
    pub(crate) connections: usize,
    /// The decrypted bytes after the handshake, or all bytes without TLS.
    pub(crate) bytes: Vec<u8>,
}

impl TlsProxy {
    pub(crate) async fn with_tls(server: &Server, certificate: &ServerCertificate) -> Self {
        let config = ServerConfig::builder().with_no_client_auth();
        let chain = vec![certificate.certificate.clone()];
        let config = config.with_single_cert(chain, certificate.key.clone_key()).unwrap();
        Self::start(server, Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    /// Starts a proxy without TLS, although its URL has `https`.
    pub(crate) async fn without_tls(server: &Server) -> Self {
        Self::start(server, None).await
    }

    pub(crate) fn received(&self) -> Received {
        self.received.lock().unwrap().clone()
    }

    async fn start(server: &Server, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let target = server.base_url().trim_start_matches("http://").to_owned();
        let received = Arc::<Mutex<Received>>::default();
        let recorder = Arc::clone(&received);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                recorder.lock().unwrap().connections += 1;
                let (tls, target, recorder) = (tls.clone(), target.clone(), Arc::clone(&recorder));
                tokio::spawn(async move {
                    let Some(tls) = tls else {
                        return relay(client, &target, &recorder).await;
                    };
                    // After a failed handshake there is nothing to forward.
                    if let Ok(client) = tls.accept(client).await {
                        relay(client, &target, &recorder).await;
                    }
                });
            }
        });
        Self { url, received }
    }
}

/// Forwards bytes in both directions, and records what the client sends.
async fn relay(
    client: impl tokio::io::AsyncRead + tokio::io::AsyncWrite,
    target: &str,
    received: &Mutex<Received>,
) {
    let (mut from_client, mut to_client) = tokio::io::split(client);
    let (mut from_server, mut to_server) = TcpStream::connect(target).await.unwrap().into_split();
    let to_target = async {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
            received.lock().unwrap().bytes.extend(&buffer[..count]);
            if to_server.write_all(&buffer[..count]).await.is_err() {
                break;
            }
        }
    };
    let from_target = tokio::io::copy(&mut from_server, &mut to_client);
    tokio::select! {
        () = to_target => {}
        _ = from_target => {}
    }
}
