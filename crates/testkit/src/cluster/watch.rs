//! What changes, as it happens, in pieces.

use std::fmt::Write as _;
use std::io;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::answer::{Asked, status};
use super::{Shared, Upset, described, table};
use crate::registry::http::Stream;
use crate::registry::lock;

/// How long a cluster is silent before it sends a bookmark. Real ones take a minute.
const BOOKMARK: Duration = Duration::from_millis(100);

impl Shared {
    /// True when the connection may go on.
    pub(super) fn watch(
        &self,
        about: &Asked,
        mut upset: Option<Upset>,
        stream: &mut dyn Stream,
    ) -> io::Result<bool> {
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )?;
        stream.flush()?;
        let end =
            Instant::now() + Duration::from_secs(about.number("timeoutSeconds").unwrap_or(1800));
        let wants_bookmarks = about.value("allowWatchBookmarks").as_deref() == Some("true");
        let began = lock(&self.state).watches;
        let asked = about.number("resourceVersion").unwrap_or(0);
        // Without a version, all that is there comes first.
        let (mut position, first) = if asked == 0 { self.all(about) } else { (asked, Vec::new()) };
        for object in first {
            send(stream, &event(about, "ADDED", &object))?;
        }
        if upset == Some(Upset::Gone) {
            gone(stream)?;
            return finish(stream);
        }
        if upset == Some(Upset::Close) {
            return finish(stream);
        }
        loop {
            let (events, version) = {
                let mut state = lock(&self.state);
                let quiet = Instant::now() + BOOKMARK;
                loop {
                    let is_over = self.over.load(Ordering::SeqCst) || state.watches != began;
                    if is_over || Instant::now() >= end {
                        drop(state);
                        return finish(stream);
                    }
                    if position < state.forgotten && position < state.version {
                        drop(state);
                        gone(stream)?;
                        return finish(stream);
                    }
                    if state.history.last().is_some_and(|it| it.0 > position) {
                        break;
                    }
                    let now = Instant::now();
                    if now >= quiet {
                        break;
                    }
                    let wait = quiet.min(end).saturating_duration_since(now);
                    state = match self.changed.wait_timeout(state, wait) {
                        Ok((state, _)) => state,
                        Err(poisoned) => poisoned.into_inner().0,
                    };
                }
                let start = state.history.partition_point(|it| it.0 <= position);
                let new = state.history.get(start..).unwrap_or_default();
                let events: Vec<(&'static str, Value)> = new
                    .iter()
                    .filter(|it| it.1 == about.resource && fits(about, &it.3))
                    .map(|it| (it.2, it.3.clone()))
                    .collect();
                (events, state.version)
            };
            let mut events: Vec<Value> =
                events.into_iter().map(|(kind, object)| event(about, kind, &object)).collect();
            position = version;
            if !events.is_empty() {
                match upset {
                    Some(Upset::Reorder) if events.len() > 1 => {
                        events.swap(0, 1);
                        upset = None;
                    }
                    Some(Upset::Twice) => {
                        events = events.into_iter().flat_map(|it| [it.clone(), it]).collect();
                    }
                    Some(Upset::Cut) => {
                        let line = format!("{}\n", events[0]);
                        piece(stream, line.as_bytes().get(..line.len() / 2).unwrap_or_default())?;
                        return Ok(false);
                    }
                    Some(Upset::Junk) => {
                        piece(stream, b"{\"type\": \"ADDED\", \"object\": 7}\n")?;
                        upset = None;
                    }
                    _ => {}
                }
            } else if wants_bookmarks {
                let (kind, group) = described(&about.resource);
                let object = json!({"kind": kind, "apiVersion": group,
                    "metadata": {"resourceVersion": version.to_string(), "creationTimestamp": null}});
                events.push(event(about, "BOOKMARK", &object));
                lock(&self.state).bookmarks += 1;
            }
            // All at once, as they often come.
            let mut lines = String::new();
            for event in &events {
                let _ = writeln!(lines, "{event}");
            }
            if !lines.is_empty() {
                piece(stream, lines.as_bytes())?;
            }
        }
    }

    fn all(&self, about: &Asked) -> (u64, Vec<Value>) {
        let state = lock(&self.state);
        let matching = state
            .objects
            .iter()
            .filter(|((resource, ..), it)| *resource == about.resource && fits(about, it));
        (state.version, matching.map(|(_, it)| it.clone()).collect())
    }
}

fn fits(about: &Asked, object: &Value) -> bool {
    let namespace = object["metadata"]["namespace"].as_str();
    about.namespace.as_deref().is_none_or(|it| namespace == Some(it))
}

fn event(about: &Asked, kind: &str, object: &Value) -> Value {
    if about.as_table && kind != "BOOKMARK" {
        return json!({"type": kind, "object": table::of(&about.resource, &[object], "")});
    }
    json!({"type": kind, "object": object})
}

fn gone(stream: &mut dyn Stream) -> io::Result<()> {
    let status = status(410, "Expired", "too old resource version");
    send(stream, &json!({"type": "ERROR", "object": status}))
}

fn send(stream: &mut dyn Stream, event: &Value) -> io::Result<()> {
    piece(stream, format!("{event}\n").as_bytes())
}

fn piece(stream: &mut dyn Stream, bytes: &[u8]) -> io::Result<()> {
    // Small ones, so that whoever reads has to put them together.
    for part in bytes.chunks(1000) {
        write!(stream, "{:x}\r\n", part.len())?;
        stream.write_all(part)?;
        stream.write_all(b"\r\n")?;
    }
    stream.flush()
}

fn finish(stream: &mut dyn Stream) -> io::Result<bool> {
    stream.write_all(b"0\r\n\r\n")?;
    stream.flush()?;
    Ok(true)
}
