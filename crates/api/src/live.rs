//! Changes as they come: server-sent events, read.

use std::collections::VecDeque;

use futures_util::StreamExt as _;

use crate::carrier::Pieces;
use crate::client::Error;
use crate::words::Event;

/// Bytes of the longest event that is read.
const LONGEST: usize = 4 << 20;

/// Changes as they come.
pub struct Live {
    what: String,
    pieces: Pieces,
    lines: Lines,
    ready: VecDeque<Told>,
}

/// What came.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// Where to go on from, so that nothing is missed from here on.
    Cursor(String),
    /// Something changed; behind it, where to go on from.
    Event(Box<Event>, String),
    /// Nothing, but somebody is there.
    Alive,
}

impl Live {
    pub(crate) fn new(what: String, pieces: Pieces) -> Self {
        Self { what, pieces, lines: Lines::default(), ready: VecDeque::new() }
    }

    /// The next that comes; none is that whoever answers has ended it.
    pub async fn next(&mut self) -> Result<Option<Told>, Error> {
        loop {
            if let Some(told) = self.ready.pop_front() {
                return Ok(Some(told));
            }
            let Some(piece) = self.pieces.next().await else { return Ok(None) };
            let foreign = |why: String| Error::Foreign { what: self.what.clone(), why };
            self.lines.take(&piece?, &mut self.ready).map_err(foreign)?;
        }
    }
}

/// Lines of a stream of events, and the event that they are part of.
///
/// <https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>
#[derive(Default)]
struct Lines {
    line: Vec<u8>,
    /// Was the last byte a carriage return? A line feed behind it ends nothing.
    returned: bool,
    data: String,
    id: Option<String>,
    commented: bool,
}

impl Lines {
    fn take(&mut self, bytes: &[u8], ready: &mut VecDeque<Told>) -> Result<(), String> {
        for byte in bytes {
            let returned = std::mem::replace(&mut self.returned, *byte == b'\r');
            match byte {
                b'\n' if returned => {}
                b'\r' | b'\n' => {
                    let line = std::mem::take(&mut self.line);
                    self.end_line(&String::from_utf8_lossy(&line), ready)?;
                }
                byte => self.line.push(*byte),
            }
            if self.line.len() + self.data.len() > LONGEST {
                return Err("an event is too long".to_owned());
            }
        }
        Ok(())
    }

    fn end_line(&mut self, line: &str, ready: &mut VecDeque<Told>) -> Result<(), String> {
        if line.is_empty() {
            return self.end_event(ready);
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "" => self.commented = true,
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            _ => {}
        }
        Ok(())
    }

    fn end_event(&mut self, ready: &mut VecDeque<Told>) -> Result<(), String> {
        let (data, id) = (std::mem::take(&mut self.data), self.id.take());
        let commented = std::mem::take(&mut self.commented);
        match (data.is_empty(), id) {
            (true, None) if commented => ready.push_back(Told::Alive),
            (true, None) => {}
            (true, Some(id)) => ready.push_back(Told::Cursor(id)),
            (false, None) => return Err("an event does not say where to go on".to_owned()),
            (false, Some(id)) => {
                let event = serde_json::from_str(&data)
                    .map_err(|error| format!("an event is not understood: {error}"))?;
                ready.push_back(Told::Event(Box::new(event), id));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However it is cut into pieces.
    #[track_caller]
    fn check(text: &str, expect: &str) {
        for size in [1, 2, 3, 7, text.len().max(1)] {
            let (mut lines, mut ready) = (Lines::default(), VecDeque::new());
            let read = text.as_bytes().chunks(size).try_for_each(|it| lines.take(it, &mut ready));
            let mut told: Vec<String> = ready
                .iter()
                .map(|it| match it {
                    Told::Cursor(id) => format!("from {id}"),
                    Told::Event(event, id) => format!("{} {id}", event.about),
                    Told::Alive => "alive".to_owned(),
                })
                .collect();
            told.extend(read.err());
            assert_eq!(told.join(", "), expect, "in pieces of {size}");
        }
    }

    fn event(about: &str) -> String {
        let event = Event {
            id: "1".to_owned(),
            kind: "image-analysed".to_owned(),
            image: None,
            replaced: None,
            at: String::new(),
            who: String::new(),
            origin: String::new(),
            environment: None,
            about: about.to_owned(),
            detail: serde_json::Value::Null,
        };
        serde_json::to_string(&event).unwrap()
    }

    #[test]
    fn what_is_told() {
        let (web, api) = (event("web"), event("é"));
        check("", "");
        check("id: 7.a\n\n", "from 7.a");
        check(":\n\n:\n\n", "alive, alive");
        let two = format!("event: x\ndata: {web}\nid: 1.a\n\nid:2.b\ndata:{api}\n\n");
        check(&two, "web 1.a, é 2.b");
        check(&two.replace('\n', "\r\n"), "web 1.a, é 2.b");
        check(&two.replace('\n', "\r"), "web 1.a, é 2.b");
        // Half an event is none.
        check(&format!("data: {web}\nid: 1.a\n"), "");
        check("retry: 10\nunknown\n\n", "");
        check(&format!("data: {web}\n\n"), "an event does not say where to go on");
        let torn = web.replacen(',', ",\ndata: ", 1);
        check(&format!("data: {torn}\nid: 3\n\n"), "web 3");
    }
}
