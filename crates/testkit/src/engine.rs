//! A stand-in for a container engine: the parts of the Engine API that images are read by, on a
//! socket of its own. It is no engine; what it answers is written after Docker Engine 28.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use crate::image::ImageBuilder;

/// An engine without images.
pub fn engine() -> EngineBuilder {
    EngineBuilder { answers: HashMap::new(), listed: Vec::new(), version: "1.47".to_owned() }
}

/// An engine in the making.
pub struct EngineBuilder {
    answers: HashMap<String, Answer>,
    listed: Vec<Value>,
    version: String,
}

/// What the stand-in answers to a request.
#[derive(Clone)]
pub enum Answer {
    /// That status, and that document.
    Json(u16, Value),
    /// That status, and these bytes.
    Bytes(u16, Vec<u8>),
    /// As many of these bytes, then it hangs up in the middle.
    Cut(Vec<u8>, usize),
    /// Nothing, ever.
    Silence,
    /// What is told as it happens, by `tell`.
    Live,
}

impl EngineBuilder {
    /// Speaks that version of the API.
    #[must_use]
    pub fn version(mut self, version: &str) -> Self {
        version.clone_into(&mut self.version);
        self
    }

    /// Holds that image under `name:tag` and its id, made so many seconds after 1970.
    #[must_use]
    pub fn image(mut self, name: &str, image: &ImageBuilder, created: i64) -> Self {
        let inspected = image.inspected(name);
        let id = inspected["Id"].as_str().unwrap_or_default().to_owned();
        self.listed.push(json!({"Id": id, "RepoTags": [name], "Created": created, "Size": 1}));
        for name in [name, &id] {
            let path = |verb: &str| format!("/images/{name}/{verb}");
            self = self
                .answer(&path("json"), Answer::Json(200, inspected.clone()))
                .answer(&path("history"), Answer::Json(200, image.history()))
                .answer(&path("get"), Answer::Bytes(200, image.saved(name)));
        }
        self
    }

    /// Holds the image of that name for another platform as well, which `query` asks for.
    #[must_use]
    pub fn other_platform(self, name: &str, query: &str, image: &ImageBuilder) -> Self {
        let path = |verb: &str| format!("/images/{name}/{verb}{query}");
        self.answer(&path("json"), Answer::Json(200, image.inspected(name)))
            .answer(&path("history"), Answer::Json(200, image.history()))
            .answer(&path("get"), Answer::Bytes(200, image.saved(name)))
    }

    /// Answers so to `GET path`, its query included.
    #[must_use]
    pub fn answer(mut self, path: &str, answer: Answer) -> Self {
        self.answers.insert(path.to_owned(), answer);
        self
    }

    /// Listens, until it is dropped.
    pub fn start(mut self) -> EngineStandIn {
        let listed = Value::Array(self.listed.clone());
        self.answers.entry("/images/json".to_owned()).or_insert(Answer::Json(200, listed));
        let directory = tempfile::tempdir().expect("a directory for a socket");
        let listener =
            UnixListener::bind(directory.path().join("engine.sock")).expect("a fresh directory");
        let stand_in = EngineStandIn { directory, shared: Arc::default() };
        let (shared, engine) = (stand_in.shared.clone(), Arc::new(self));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.over.load(Ordering::Relaxed) {
                    return;
                }
                let (shared, engine) = (shared.clone(), engine.clone());
                if let Ok(stream) = stream {
                    thread::spawn(move || engine.serve(stream, &shared));
                }
            }
        });
        stand_in
    }

    /// One request and its answer. A client that hangs up has its own reasons.
    fn serve(&self, stream: UnixStream, shared: &Shared) -> Option<()> {
        let mut reader = BufReader::new(stream);
        let mut request = String::new();
        reader.read_line(&mut request).ok()?;
        let mut line = String::from("more");
        while !line.trim().is_empty() {
            line.clear();
            reader.read_line(&mut line).ok()?;
        }
        let path = request.split(' ').nth(1)?.to_owned();
        shared.requests.lock().ok()?.push(path.clone());
        let missing = Answer::Json(404, json!({"message": format!("No such image: {path}")}));
        let mut stream = reader.into_inner();
        let changed = shared.changed.lock().ok()?.get(&path).cloned();
        let answer = changed.or_else(|| self.answers.get(&path).cloned()).unwrap_or(missing);
        let (status, body, cut) = match answer {
            Answer::Json(status, value) => (status, value.to_string().into_bytes(), None),
            Answer::Bytes(status, bytes) => (status, bytes, None),
            Answer::Cut(bytes, at) => (200, bytes, Some(at)),
            Answer::Silence => {
                shared.silenced.lock().ok()?.push(stream);
                return Some(());
            }
            Answer::Live => {
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
                            Transfer-Encoding: chunked\r\n\r\n";
                stream.write_all(head.as_bytes()).ok()?;
                shared.listening.lock().ok()?.push(stream);
                return Some(());
            }
        };
        write!(
            stream,
            "HTTP/1.1 {status} Whatever\r\nApi-Version: {}\r\nConnection: close\r\n\
             Transfer-Encoding: chunked\r\n\r\n",
            self.version
        )
        .ok()?;
        let sent = body.get(..cut.unwrap_or(body.len()))?;
        for piece in sent.chunks(32 << 10) {
            write!(stream, "{:x}\r\n", piece.len()).ok()?;
            stream.write_all(piece).ok()?;
            stream.write_all(b"\r\n").ok()?;
        }
        if cut.is_none() {
            stream.write_all(b"0\r\n\r\n").ok()?;
        }
        Some(())
    }
}

/// An engine that listens.
pub struct EngineStandIn {
    directory: tempfile::TempDir,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    requests: Mutex<Vec<String>>,
    silenced: Mutex<Vec<UnixStream>>,
    listening: Mutex<Vec<UnixStream>>,
    changed: Mutex<HashMap<String, Answer>>,
    over: AtomicBool,
}

impl EngineStandIn {
    /// Where it listens.
    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("engine.sock")
    }

    /// From now on it answers so to `GET path`.
    pub fn change(&self, path: &str, answer: Answer) {
        self.shared
            .changed
            .lock()
            .expect("nobody panics holding it")
            .insert(path.to_owned(), answer);
    }

    /// Tells those something who listen. Says how many they are.
    pub fn tell(&self, value: &Value) -> usize {
        let mut listening = self.shared.listening.lock().expect("nobody panics holding it");
        let line = format!("{value}\n");
        listening.retain_mut(|it| write!(it, "{:x}\r\n{line}\r\n", line.len()).is_ok());
        listening.len()
    }

    /// Hangs up on those who listen, as an engine that is started anew.
    pub fn hang_up(&self) {
        self.shared.listening.lock().expect("nobody panics holding it").clear();
    }

    /// What was asked of it so far.
    pub fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().expect("nobody panics holding it").clone()
    }
}

impl Drop for EngineStandIn {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        // Wakes the listener, which then sees that it is over.
        let _ = UnixStream::connect(self.socket());
    }
}
