//! Bytes from somewhere: read within bounds, and what it means when that fails.

use std::io::{self, Read};

use tarball::Problem;

use crate::contract::{Error, Progress};

/// Everything `reader` has, unless it is more than `limit` bytes.
pub(crate) fn read_bounded(reader: impl Read, what: &str, limit: u64) -> Result<Vec<u8>, Error> {
    read_into(Vec::new(), reader, what, limit)
}

/// The same of a file, which says how much room it takes.
pub(crate) fn read_file(file: fs_err::File, what: &str, limit: u64) -> Result<Vec<u8>, Error> {
    let size = file.metadata().map_or(0, |it| it.len()).min(limit);
    let bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    read_into(bytes, file, what, limit)
}

fn read_into(
    mut bytes: Vec<u8>,
    reader: impl Read,
    what: &str,
    limit: u64,
) -> Result<Vec<u8>, Error> {
    reader
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| from_io(what, error))?;
    if bytes.len() as u64 > limit {
        return Err(Error::limit(what, format!("it is larger than {limit} bytes")));
    }
    Ok(bytes)
}

/// The error that travelled inside `error`, or one that says `what` could not be read.
pub(crate) fn from_io(what: &str, error: io::Error) -> Error {
    let error = match error.downcast::<Error>() {
        Ok(inner) => return inner,
        Err(error) => error,
    };
    let error = match error.downcast::<Problem>() {
        Ok(problem) => return from_problem(what, problem),
        Err(error) => error,
    };
    let why = error.to_string();
    match error.kind() {
        io::ErrorKind::NotFound => Error::not_found(what, "there is no such file"),
        io::ErrorKind::PermissionDenied => Error::denied(what, why),
        io::ErrorKind::UnexpectedEof => Error::corrupt(what, "it ends too early"),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => Error::corrupt(what, why),
        _ => Error::unavailable(what, why),
    }
}

/// The same for what a tar archive had to say.
pub(crate) fn from_problem(what: &str, problem: Problem) -> Error {
    match problem {
        Problem::Io(error) => from_io(what, error),
        Problem::Limit(why) => Error::limit(what, why),
        Problem::Corrupt(_) | Problem::Truncated(_) => Error::corrupt(what, problem.to_string())
            .with_hint("it was damaged or cut off: get it anew"),
    }
}

/// A reader that tells somebody how far it is.
pub(crate) struct Watched<'a, R> {
    pub(crate) inner: R,
    pub(crate) progress: &'a dyn Progress,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.progress.advance(count as u64);
        Ok(count)
    }
}
