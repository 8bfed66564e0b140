//! Many who ask at once: each has a connection that stays, and asks again as soon as it is answered.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) tag: Option<String>,
}

/// A connection that stays.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    head: String,
}

impl Connection {
    /// To a server on this machine, in the name of whom `token` is.
    pub(crate) fn to(address: SocketAddr, token: &str) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let stream = BufReader::with_capacity(64 << 10, stream);
        let head = format!("Host: {address}\r\nAuthorization: Bearer {token}\r\n");
        Ok(Self { stream, head })
    }

    /// Asks, with more lines of a head and a body.
    pub(crate) fn ask(
        &mut self,
        method: &str,
        path: &str,
        lines: &str,
        body: &str,
    ) -> std::io::Result<Answer> {
        let length = body.len();
        let text = format!(
            "{method} /api/v1{path} HTTP/1.1\r\n{}{lines}Content-Length: {length}\r\n\
             Content-Type: application/json\r\n\r\n{body}",
            self.head
        );
        self.stream.get_mut().write_all(text.as_bytes())?;
        self.answer()
    }

    fn answer(&mut self) -> std::io::Result<Answer> {
        let odd = || std::io::Error::other("this is no answer");
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|it| it.parse().ok()).ok_or_else(odd)?;
        let (mut length, mut tag) = (0, None);
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            match name {
                "content-length" => length = value.parse().map_err(|_| odd())?,
                "etag" => tag = Some(value.to_owned()),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(Answer { status, body, tag })
    }
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    /// Requests a second.
    pub(crate) rate: f64,
    /// Microseconds that half of them took at most.
    pub(crate) median: u32,
    /// Microseconds that 99 of 100 took at most.
    pub(crate) slow: u32,
    /// Bytes of an answer, on average.
    pub(crate) bytes: usize,
    /// How many there were.
    pub(crate) requests: usize,
}

/// Asks for these paths in turn, over so many connections, for so long. Each answer must have that
/// status.
pub(crate) fn drive(
    address: SocketAddr,
    token: &str,
    paths: &[(String, String)],
    expected: u16,
    connections: usize,
    span: Duration,
) -> std::io::Result<Figures> {
    let (end, next) = (AtomicBool::new(false), AtomicUsize::new(0));
    let began = Instant::now();
    let (mut took, mut bytes) = (Vec::new(), 0);
    std::thread::scope(|scope| {
        let ask = || -> std::io::Result<(Vec<u32>, usize)> {
            let mut connection = Connection::to(address, token)?;
            let (mut took, mut bytes) = (Vec::new(), 0);
            while !end.load(Ordering::Relaxed) {
                let number = next.fetch_add(1, Ordering::Relaxed) % paths.len();
                let (path, lines) = &paths[number];
                let asked = Instant::now();
                let answer = connection.ask("GET", path, lines, "")?;
                if answer.status != expected {
                    let text = String::from_utf8_lossy(&answer.body).into_owned();
                    return Err(std::io::Error::other(format!(
                        "{path}: {}: {text}",
                        answer.status
                    )));
                }
                took.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
                bytes += answer.body.len();
            }
            Ok((took, bytes))
        };
        let asking: Vec<_> = (0..connections).map(|_| scope.spawn(ask)).collect();
        std::thread::sleep(span);
        end.store(true, Ordering::Relaxed);
        for one in asking {
            let (times, length) = one.join().expect("it does not panic")?;
            took.extend(times);
            bytes += length;
        }
        Ok::<(), std::io::Error>(())
    })?;
    let span = began.elapsed();
    took.sort_unstable();
    let requests = took.len().max(1);
    let part = |of: usize| took.get(requests * of / 100).or(took.last()).copied().unwrap_or(0);
    #[expect(clippy::cast_precision_loss, reason = "nobody asks so often")]
    let rate = requests as f64 / span.as_secs_f64();
    Ok(Figures { rate, median: part(50), slow: part(99), bytes: bytes / requests, requests })
}
