//! The little HTTP/1.1 that a fake needs.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;

use super::{Fault, Seen, State, lock};

/// A request, with header names in lower case.
#[derive(Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) bytes: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// Every header.
    pub(crate) fn all_headers(&self) -> &[(String, String)] {
        &self.headers
    }
}

/// An answer, and the way in which it is spoiled.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) headerless: bool,
    pub(crate) stall_after: Option<usize>,
    pub(crate) break_after: Option<usize>,
    pub(crate) drip: bool,
}

impl Reply {
    pub(crate) fn new(status: u16, content_type: &str, body: &[u8]) -> Self {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Self {
            status,
            headers,
            body: body.to_vec(),
            headerless: false,
            stall_after: None,
            break_after: None,
            drip: false,
        }
    }

    pub(crate) fn ok(content_type: &str, body: &[u8]) -> Self {
        Self::new(200, content_type, body)
    }

    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        let body = json!({"errors": [{"code": code, "message": message}]}).to_string();
        Self::new(status, "application/json", body.as_bytes())
    }

    /// The header takes the place of one of the same name.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(it, _)| it != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A blob, or what `range` (`bytes=N-`) asks of it.
    pub(crate) fn blob(bytes: &[u8], range: Option<&str>) -> Self {
        let start = range
            .and_then(|it| it.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
        match start {
            None => Self::new(200, "application/octet-stream", bytes),
            Some(start) if start < bytes.len() => {
                let range = format!("bytes {start}-{}/{}", bytes.len() - 1, bytes.len());
                Self::new(206, "application/octet-stream", bytes.get(start..).unwrap_or_default())
                    .header("Content-Range", &range)
            }
            Some(_) => Self::new(416, "", b""),
        }
    }
}

pub(crate) trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// The certificate that the fixtures hold.
pub(crate) fn tls() -> Arc<rustls::ServerConfig> {
    let pem = include_bytes!("../../fixtures/tls/localhost.pem");
    let key = include_bytes!("../../fixtures/tls/localhost.key");
    let certificates = vec![CertificateDer::from_pem_slice(pem).expect("our own fixture")];
    let key = PrivateKeyDer::from_pem_slice(key).expect("our own fixture");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the defaults are consistent")
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .expect("our own fixture");
    Arc::new(config)
}

/// Answers the requests of one connection until it ends.
pub(super) fn serve(state: &State, connection: TcpStream) {
    // A client that forgets us must not keep a thread for ever.
    let _ = connection.set_read_timeout(Some(Duration::from_secs(20)));
    let _ = connection.set_nodelay(true);
    let mut stream: Box<dyn Stream> = match &state.tls {
        None => Box::new(connection),
        Some(config) => match rustls::ServerConnection::new(Arc::clone(config)) {
            Ok(tls) => Box::new(rustls::StreamOwned::new(tls, connection)),
            Err(_) => return,
        },
    };
    while let Ok(Some(mut request)) = read_request(&mut stream) {
        if state.stopped.load(Ordering::SeqCst) {
            return;
        }
        lock(&state.seen).push(Seen {
            method: request.method.clone(),
            path: request.path.clone(),
            authorization: request.header("authorization").map(str::to_owned),
            range: request.header("range").map(str::to_owned),
            if_none_match: request.header("if-none-match").map(str::to_owned),
            length: request.bytes.len(),
            body: request.body.clone(),
        });
        if request.method == "GET" && request.path.contains("/blobs/") {
            state.gate.pass();
        }
        let fault = state.fault(&request.path);
        if fault == Some(Fault::IgnoreRange) {
            request.headers.retain(|(name, _)| name != "range");
        }
        let reply = state.answer(&request);
        let reply = match fault {
            Some(fault) => fault.apply(reply),
            None => reply,
        };
        if !matches!(write_reply(&mut stream, &reply, request.method == "HEAD"), Ok(true)) {
            return;
        }
    }
}

pub(crate) fn read_request(stream: &mut dyn Stream) -> io::Result<Option<Request>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > 64 << 10 || stream.read(&mut byte)? == 0 {
            return Ok(None);
        }
        head.extend_from_slice(&byte);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let mut request = Request {
        method: first.next().unwrap_or_default().to_owned(),
        path: first.next().unwrap_or_default().to_owned(),
        ..Request::default()
    };
    for (name, value) in lines.filter_map(|it| it.split_once(':')) {
        request.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    // To a proxy the whole URL is given.
    if let Some(rest) = request.path.strip_prefix("http://") {
        request.path =
            rest.find('/').and_then(|it| rest.get(it..)).map_or("/".into(), str::to_owned);
    }
    let length = request.header("content-length").and_then(|it| it.parse::<usize>().ok());
    let mut body = vec![0; length.unwrap_or(0).min(64 << 20)];
    stream.read_exact(&mut body)?;
    // What is long is no text.
    request.body = String::from_utf8_lossy(body.get(..64 << 10).unwrap_or(&body)).into_owned();
    request.bytes = body;
    Ok(Some(request))
}

/// True when the connection may go on.
pub(crate) fn write_reply(stream: &mut dyn Stream, reply: &Reply, bare: bool) -> io::Result<bool> {
    if reply.headerless {
        return Ok(false);
    }
    let mut head = format!("HTTP/1.1 {} Fake\r\n", reply.status);
    for (name, value) in &reply.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let _ = write!(head, "Content-Length: {}\r\n\r\n", reply.body.len());
    stream.write_all(head.as_bytes())?;
    if bare {
        stream.flush()?;
        return Ok(true);
    }
    if reply.drip {
        for byte in &reply.body {
            stream.write_all(&[*byte])?;
            stream.flush()?;
            // Whoever is worth the name of a slow server takes its time.
            std::thread::sleep(Duration::from_millis(20));
        }
        return Ok(true);
    }
    let count = reply.stall_after.or(reply.break_after).unwrap_or(usize::MAX);
    stream.write_all(reply.body.get(..count).unwrap_or(&reply.body))?;
    stream.flush()?;
    if reply.stall_after.is_some() {
        // Until the client gives up.
        let _ = stream.read(&mut [0]);
    }
    Ok(reply.stall_after.is_none() && reply.break_after.is_none())
}
