//! An authority of a test's own, and TLS in front of a simulator.

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

/// What a server shows, and its key.
pub(crate) struct Identity {
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

    /// The authority's own certificate, for those who trust it.
    pub(crate) fn certificate(&self) -> &CertificateDer<'static> {
        self.0.der()
    }

    /// A certificate for a host, good today.
    pub(crate) fn issue(&self, host: &str) -> Identity {
        self.issue_until(host, 2)
    }

    /// A certificate for a host that was good until yesterday.
    pub(crate) fn issue_expired(&self, host: &str) -> Identity {
        self.issue_until(host, -1)
    }

    fn issue_until(&self, host: &str, days: i32) -> Identity {
        let key = KeyPair::generate().unwrap();
        let params = params(host, days);
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Identity { certificate: certificate.into(), key: key.into() }
    }
}

impl Identity {
    /// A certificate that nobody but its own server has signed.
    pub(crate) fn self_signed(host: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params(host, 2).self_signed(&key).unwrap();
        Self { certificate: certificate.into(), key: key.into() }
    }
}

/// Of a certificate that is good for some days from ten days ago, until so many days from now.
fn params(host: &str, days: i32) -> CertificateParams {
    #[expect(clippy::disallowed_methods, reason = "rustls looks at the system's clock")]
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

/// A port before a simulator's. It passes on what comes, once TLS is agreed on if it has TLS.
pub(crate) struct Front {
    pub(crate) url: String,
    seen: Arc<Mutex<Seen>>,
}

/// What came to a front.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    pub(crate) connections: usize,
    /// The bytes behind the handshake, or all of them if there is no TLS.
    pub(crate) read: Vec<u8>,
}

impl Front {
    pub(crate) async fn with_tls(server: &Server, identity: &Identity) -> Self {
        let config = ServerConfig::builder().with_no_client_auth();
        let chain = vec![identity.certificate.clone()];
        let config = config.with_single_cert(chain, identity.key.clone_key()).unwrap();
        Self::start(server, Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    /// No TLS, whatever the URL says.
    pub(crate) async fn without_tls(server: &Server) -> Self {
        Self::start(server, None).await
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }

    async fn start(server: &Server, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let behind = server.base_url().trim_start_matches("http://").to_owned();
        let seen = Arc::<Mutex<Seen>>::default();
        let noting = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                noting.lock().unwrap().connections += 1;
                let (tls, behind, noting) = (tls.clone(), behind.clone(), Arc::clone(&noting));
                tokio::spawn(async move {
                    let Some(tls) = tls else {
                        return relay(client, &behind, &noting).await;
                    };
                    // A handshake that fails has no application layer.
                    if let Ok(client) = tls.accept(client).await {
                        relay(client, &behind, &noting).await;
                    }
                });
            }
        });
        Self { url, seen }
    }
}

/// Passes on what comes either way, and notes what the client sends.
async fn relay(client: impl tokio::io::AsyncRead + tokio::io::AsyncWrite, behind: &str, seen: &Mutex<Seen>) {
    let (mut from_client, mut to_client) = tokio::io::split(client);
    let (mut from_server, mut to_server) = TcpStream::connect(behind).await.unwrap().into_split();
    let there = async {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
            seen.lock().unwrap().read.extend(&buffer[..count]);
            if to_server.write_all(&buffer[..count]).await.is_err() {
                break;
            }
        }
    };
    let back = tokio::io::copy(&mut from_server, &mut to_client);
    tokio::select! {
        () = there => {}
        _ = back => {}
    }
}
