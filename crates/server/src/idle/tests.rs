//! Whoever connects and asks nothing, by each way to do so.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};

use super::*;
use crate::{Bound, Limits, Listening, front};

/// What begins HTTP/2, and settings that say nothing.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
const ASKED: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";

/// For so long those are waited for who ask nothing.
const SOON: Duration = Duration::from_millis(100);
/// Whoever means to ask may be slower than that, on a busy machine: then they are waited for longer.
const LONGER: [Duration; 3] = [SOON, Duration::from_secs(1), Duration::from_secs(10)];

/// A server that soon loses patience.
async fn serving(tls: bool, soon: Duration) -> SocketAddr {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let file = |name| Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tls").join(name);
    let tls = tls.then(|| (file("certificate.pem"), file("key.pem")));
    let listening = Listening { address: "127.0.0.1:0".parse().unwrap(), tls, workers: 0 };
    let mut bound = Bound::to(&listening).await.unwrap();
    bound.waits = Waits { first: soon, between: soon, within: Duration::from_mins(1) };
    let app = crate::tests::app().await;
    app.store().create_organisation(&act(&app), "local").await.unwrap();
    let (address, router) = (bound.address(), front(app.clone(), Limits::default()));
    tokio::spawn(bound.serve(app, router, std::future::pending()));
    address
}

fn act(app: &crate::App) -> model::Act {
    model::Act { who: "ann".to_owned(), origin: String::new(), at: app.now() }
}

/// Connects, says that, and listens until nobody is there any more, for a minute at most.
async fn heard(address: SocketAddr, alpn: Option<&'static [u8]>, said: &'static [u8]) -> Heard {
    let talking = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        // Whoever is slow to say it finds nobody there.
        if let Some(alpn) = alpn {
            let mut config = ClientConfig::builder()
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Anyone))
                .with_no_client_auth();
            config.alpn_protocols = vec![alpn.to_vec()];
            let name = ServerName::try_from("localhost").unwrap();
            let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
            while client.is_handshaking() {
                client.complete_io(&mut stream).unwrap();
            }
            client.writer().write_all(said).unwrap();
            let _ = client.complete_io(&mut stream);
        } else {
            let _ = stream.write_all(said);
        }
        let mut heard = Vec::new();
        let mut part = [0; 4096];
        loop {
            match stream.read(&mut part) {
                Ok(0) => return Heard { heard, closed: true },
                Ok(length) => heard.extend_from_slice(&part[..length]),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                    return Heard { heard, closed: true };
                }
                Err(_) => return Heard { heard, closed: false },
            }
        }
    };
    tokio::task::spawn_blocking(talking).await.unwrap()
}

struct Heard {
    heard: Vec<u8>,
    closed: bool,
}

#[tokio::test]
async fn who_asks_nothing_is_not_waited_for() {
    let address = serving(false, SOON).await;
    for said in [b"", PREFACE, &[PREFACE, SETTINGS].concat().leak()[..]] {
        assert!(heard(address, None, said).await.closed, "{said:?}");
    }
}

#[tokio::test]
async fn nor_is_who_asks_nothing_more() {
    let mut answered = false;
    for soon in LONGER {
        let Heard { heard, closed } = heard(serving(false, soon).await, None, ASKED).await;
        assert!(closed, "it is over after {soon:?}");
        answered = heard.ends_with(b"ok\n");
        if answered {
            break;
        }
    }
    assert!(answered);
}

#[tokio::test]
async fn nor_is_who_speaks_tls() {
    let address = serving(true, SOON).await;
    for alpn in [&b"http/1.1"[..], b"h2"] {
        assert!(heard(address, Some(alpn), b"").await.closed, "{alpn:?}");
    }
    for said in [PREFACE, &[PREFACE, SETTINGS].concat().leak()[..]] {
        assert!(heard(address, Some(b"h2"), said).await.closed, "{said:?}");
    }
}

#[tokio::test]
async fn who_listens_is() {
    let live = "GET /api/v1/orgs/local/events/live HTTP/1.1\r\nhost: x\r\n\r\n";
    for soon in LONGER {
        let address = serving(false, soon).await;
        let listening = tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            let _ = stream.write_all(live.as_bytes());
            // Much longer than nobody is waited for who asks nothing.
            stream.set_read_timeout(Some(soon * 6)).unwrap();
            let (mut heard, mut part) = (0, [0; 4096]);
            loop {
                match stream.read(&mut part) {
                    Ok(0) => return (heard, false),
                    Ok(length) => heard += length,
                    Err(error) => return (heard, error.kind() == io::ErrorKind::WouldBlock),
                }
            }
        });
        let (heard, open) = listening.await.unwrap();
        if heard > 0 {
            assert!(open, "whoever is answered goes on listening");
            return;
        }
    }
    panic!("nobody is answered");
}

/// All of an answer was handed out, and is taken slowly.
#[tokio::test]
async fn who_takes_an_answer_slowly_is_waited_for() {
    let between = Duration::from_millis(500);
    let now = Instant::now();
    let doings = Doings { asked: true, under_way: 0, last: now };
    let (ours, mut theirs) = tokio::io::duplex(1 << 10);
    let waits = Waits { first: between, between, within: between };
    let timer = Box::pin(tokio::time::sleep_until(now + between));
    let doings = Arc::new(Mutex::new(doings));
    let mut watched = Watched { stream: ours, waits, doings, timer };
    let taking = tokio::spawn(async move {
        let mut part = [0; 1 << 10];
        let began = Instant::now();
        while began.elapsed() < between * 2 {
            tokio::time::sleep(between / 10).await;
            theirs.read_exact(&mut part).await.unwrap();
        }
        theirs
    });
    let began = Instant::now();
    let whole = vec![0; 1 << 20];
    let error = watched.write_all(&whole).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut, "and no longer when they stop");
    assert!(began.elapsed() > between * 2);
    drop(taking.await.unwrap());
}

/// Takes everybody for who they say they are.
#[derive(Debug)]
struct Anyone;

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let provider = CryptoProvider::get_default().unwrap();
        provider.signature_verification_algorithms.supported_schemes()
    }
}
