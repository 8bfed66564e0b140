//! Getting one file: conditionally, in one piece or several, and never half.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use reqwest::header::{
    CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE,
    IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED, RANGE,
};
use reqwest::{Response, StatusCode};
use sha2::{Sha256, Sha512};

use super::client::{Attempts, Client, host, innermost, tame};
use super::state::{Edition, State};
use super::{Error, ErrorKind, Progress};

/// Fewer bytes than this in the time of a stall are a stall.
const FLOOR: usize = 1 << 10;
/// After so many bytes a broken download counts its attempts anew,
const ENOUGH: u64 = 64 << 10;
/// but not for ever.
const BREAKS_LIMIT: u32 = 1000;
/// Small files that are fetched at the same time.
const AT_ONCE: usize = 8;

/// Fetches files of one part into its folder.
pub(super) struct Getter<'a> {
    /// The feed and the part.
    pub(super) what: String,
    pub(super) folder: &'a Path,
    pub(super) client: &'a Client,
    pub(super) progress: &'a dyn Progress,
    pub(super) state: State,
    /// Files and bytes that came.
    pub(super) came: (usize, u64),
}

/// Which bytes are wanted.
#[derive(Default)]
pub(super) struct Wanted<'a> {
    /// Not this edition.
    pub(super) other_than: Option<&'a Edition>,
    /// Of a download that broke off.
    pub(super) begun: Option<&'a Edition>,
    /// The bytes' digest: its algorithm, and what it is in lower-case hexadecimal.
    pub(super) checksum: Option<(&'a str, &'a str)>,
    /// No more bytes than this, if that is less than the settings allow.
    pub(super) largest: Option<u64>,
    /// That there are none is an answer, too.
    pub(super) may_be_empty: bool,
}

/// How one answer ended.
enum End {
    Whole,
    Broken(Error),
}

impl<'a> Getter<'a> {
    pub(super) fn new(
        what: String,
        folder: &'a Path,
        client: &'a Client,
        progress: &'a dyn Progress,
    ) -> Self {
        Self { what, folder, client, progress, state: State::read(folder), came: (0, 0) }
    }

    pub(super) fn save(&self) -> Result<(), Error> {
        self.state.write(&self.what, self.folder)
    }

    /// Brings the file `name` up to date; true when it was not.
    pub(super) async fn keep(&mut self, url: &str, name: &str) -> Result<bool, Error> {
        self.keep_checked(url, name, None).await
    }

    /// The same for a file whose digest is known.
    pub(super) async fn keep_checked(
        &mut self,
        url: &str,
        name: &str,
        checksum: Option<(&str, &str)>,
    ) -> Result<bool, Error> {
        let former = self.edition(name, url).filter(|_| checksum.is_none());
        let begun = self.state.begun.remove(name).filter(|it| it.url == url);
        let target = self.folder.join(name);
        let wanted = Wanted {
            other_than: former.as_ref(),
            begun: begun.as_ref(),
            checksum,
            ..Wanted::default()
        };
        let mut seen = None;
        let got = self.get(url, &target, &wanted, &mut seen).await;
        match got {
            Ok(None) => Ok(false),
            Ok(Some(mut edition)) => {
                edition.checksum = checksum.map(|(_, hex)| hex.to_owned());
                self.count(edition.size);
                self.state.files.insert(name.to_owned(), edition);
                // What follows may fail; this has come.
                self.save()?;
                Ok(true)
            }
            Err(error) => {
                if let Some(edition) = seen.filter(|it| it.validator().is_some()) {
                    self.state.begun.insert(name.to_owned(), edition);
                    self.save()?;
                }
                Err(error)
            }
        }
    }

    /// The edition of a file that is there, of that address, and has not been touched.
    pub(super) fn edition(&self, name: &str, url: &str) -> Option<Edition> {
        let edition = self.state.files.get(name).filter(|it| it.url == url)?;
        let there = fs_err::metadata(self.folder.join(name)).ok()?;
        (there.is_file() && there.len() == edition.size).then(|| edition.clone())
    }

    pub(super) fn count(&mut self, bytes: u64) {
        self.came = (self.came.0 + 1, self.came.1.saturating_add(bytes));
    }

    /// Gets small files below `url` into `folder`, several at a time: those that are not there.
    pub(super) async fn each(
        &mut self,
        names: Vec<(String, PathBuf)>,
        largest: u64,
    ) -> Result<Vec<String>, Error> {
        let this = &*self;
        let mut answers = stream::iter(names)
            .map(|(url, target)| async move {
                let wanted = Wanted { largest: Some(largest), ..Wanted::default() };
                let got = this.get(&url, &target, &wanted, &mut None).await;
                (url, got)
            })
            .buffer_unordered(AT_ONCE);
        let mut missing = Vec::new();
        let mut came = Vec::new();
        while let Some((url, got)) = answers.next().await {
            match got {
                Ok(edition) => came.extend(edition.map(|it| it.size)),
                Err(error) if error.kind == ErrorKind::NotFound => missing.push(url),
                Err(error) => return Err(error),
            }
        }
        drop(answers);
        for bytes in came {
            self.count(bytes);
        }
        Ok(missing)
    }

    /// Gets `url` to `target`, by way of a partial file beside it. `None`: it is the edition that is
    /// not wanted. `seen` is the edition of a partial file that stays.
    pub(super) async fn get(
        &self,
        url: &str,
        target: &Path,
        wanted: &Wanted<'_>,
        seen: &mut Option<Edition>,
    ) -> Result<Option<Edition>, Error> {
        let place = self.client.place(&self.what, url)?;
        let host = host(&place);
        let partial = partial(target);
        let mut attempts = Attempts::new(&self.client.settings, self.progress);
        let mut begun = wanted.begun.cloned();
        let mut mark = 0;
        for _ in 0..BREAKS_LIMIT {
            let position = match &begun {
                Some(_) => fs_err::metadata(&partial).map_or(0, |it| it.len()),
                None => 0,
            };
            let rest = begun.as_ref().and_then(|it| Some((it.validator()?, position)));
            let headers = headers(wanted.other_than, rest.filter(|_| position > 0));
            let response = match self.client.ask(&self.what, place.clone(), &headers).await {
                Ok(response) => response,
                Err(Ok(setback)) => {
                    attempts.after(setback).await?;
                    continue;
                }
                Err(Err(error)) => return Err(error),
            };
            if response.status() == StatusCode::NOT_MODIFIED && wanted.other_than.is_some() {
                return Ok(None);
            }
            let mut edition = edition(url, response.headers());
            let end = match start_of(&response).filter(|it| [0, position].contains(it)) {
                // It answers another part than we asked for: begin at the beginning.
                None => {
                    begun = None;
                    let why = format!("{host} resumes elsewhere");
                    End::Broken(self.error(ErrorKind::Unavailable, why))
                }
                Some(start) => {
                    // From here on, what is in the partial file is of this edition.
                    begun = edition.validator().is_some().then(|| edition.clone());
                    seen.clone_from(&begun);
                    self.take(response, &partial, start, wanted, &host).await?
                }
            };
            let size = fs_err::metadata(&partial).map_or(0, |it| it.len());
            match end {
                End::Whole => {
                    edition.size = size;
                    *seen = None;
                    self.accept(&partial, target, wanted.checksum)?;
                    return Ok(Some(edition));
                }
                End::Broken(error) => {
                    if size >= mark + ENOUGH {
                        mark = size;
                        attempts.reset();
                    }
                    attempts.after(error.into()).await?;
                }
            }
        }
        Err(self.error(ErrorKind::Unavailable, format!("{host} breaks off all the time")))
    }

    /// Appends what comes to the partial file, from `start` on.
    async fn take(
        &self,
        mut response: Response,
        partial: &Path,
        start: u64,
        wanted: &Wanted<'_>,
        host: &str,
    ) -> Result<End, Error> {
        let limit = self.client.settings.largest;
        let limit = wanted.largest.map_or(limit, |it| it.min(limit));
        let too_large = || self.error(ErrorKind::Limit, format!("it is over {limit} bytes"));
        let kind = response.headers().get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
        if kind.is_some_and(|it| it.to_ascii_lowercase().starts_with("text/html")) {
            return Err(self
                .error(ErrorKind::Unavailable, format!("{host} answers with a web page"))
                .with_hint("does a proxy or a login page stand before it?"));
        }
        let coming = response.content_length();
        if coming.is_some_and(|it| start.saturating_add(it) > limit) {
            return Err(too_large());
        }
        self.progress.expect(coming.unwrap_or(0));
        let disk = |why: std::io::Error| Error::disk(&self.what, &why);
        let mut file = fs_err::OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .open(partial)
            .map_err(disk)?;
        file.file().set_len(start).map_err(disk)?;
        std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(start)).map_err(disk)?;
        let stall = self.client.settings.stall;
        let (mut position, mut patience, mut arrived) = (start, stall, 0);
        loop {
            let asked = Instant::now();
            let chunk = match tokio::time::timeout(patience, response.chunk()).await {
                Err(_) => return Ok(End::Broken(self.client.stalled(&self.what, host))),
                Ok(Err(why)) => {
                    let why = format!("{host} broke off: {}", tame(&innermost(&why)));
                    return Ok(End::Broken(self.error(ErrorKind::Unavailable, why)));
                }
                Ok(Ok(None)) => break,
                Ok(Ok(Some(chunk))) => chunk,
            };
            arrived += chunk.len();
            patience = if arrived >= FLOOR {
                arrived = 0;
                stall
            } else {
                patience.saturating_sub(asked.elapsed()).max(Duration::from_millis(1))
            };
            position = position.saturating_add(chunk.len() as u64);
            if position > limit {
                // What is too large once is so the next time.
                drop(file);
                let _ = fs_err::remove_file(partial);
                return Err(too_large());
            }
            file.write_all(&chunk).map_err(disk)?;
            self.progress.advance(chunk.len() as u64);
        }
        if position == 0 && !wanted.may_be_empty {
            let why = format!("{host} answers with nothing");
            return Ok(End::Broken(self.error(ErrorKind::Unavailable, why)));
        }
        file.sync_all().map_err(disk)?;
        Ok(End::Whole)
    }

    /// Puts a whole partial file in its place.
    fn accept(
        &self,
        partial: &Path,
        target: &Path,
        checksum: Option<(&str, &str)>,
    ) -> Result<(), Error> {
        let disk = |why: std::io::Error| Error::disk(&self.what, &why);
        if let Some((algorithm, wanted)) = checksum {
            let mut file = fs_err::File::open(partial).map_err(disk)?;
            let got = match algorithm {
                "sha512" => hexadecimal::<Sha512>(&mut file),
                _ => hexadecimal::<Sha256>(&mut file),
            };
            let got = got.map_err(disk)?;
            if got != wanted {
                let _ = fs_err::remove_file(partial);
                let why = format!("its digest is {got}, not {}", tame(wanted));
                return Err(self.error(ErrorKind::Corrupt, why).with_hint(
                    "its publisher may be in the middle of an update: try again later",
                ));
            }
        }
        fs_err::rename(partial, target).map_err(disk)
    }

    pub(super) fn error(&self, kind: ErrorKind, why: impl Into<String>) -> Error {
        Error::new(kind, &self.what, why)
    }

    /// A text file of ours, of some megabytes at most.
    pub(super) fn text(&self, name: &str) -> Result<String, Error> {
        let bytes =
            fs_err::read(self.folder.join(name)).map_err(|why| Error::disk(&self.what, &why))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Takes one of our files away, if it is there.
    pub(super) fn remove(&self, path: &Path) -> Result<(), Error> {
        let removed = match fs_err::symlink_metadata(path) {
            Err(_) => return Ok(()),
            Ok(it) if it.is_dir() => fs_err::remove_dir_all(path),
            Ok(_) => fs_err::remove_file(path),
        };
        removed.map_err(|why| Error::disk(&self.what, &why))
    }
}

/// `fetched.all.zip.partial` of `all.zip`.
fn partial(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let own = if name.starts_with(crate::walk::OWN) { "" } else { crate::walk::OWN };
    target.with_file_name(format!("{own}{name}.partial"))
}

fn hexadecimal<D: sha2::Digest>(file: &mut fs_err::File) -> std::io::Result<String> {
    use std::fmt::Write as _;
    let mut hash = D::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        match std::io::Read::read(file, &mut buffer)? {
            0 => break,
            count => hash.update(buffer.get(..count).unwrap_or_default()),
        }
    }
    let mut text = String::new();
    for byte in &hash.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

fn headers(former: Option<&Edition>, begun: Option<(&str, u64)>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    if let Some(former) = former {
        match (&former.etag, &former.last_modified) {
            (Some(etag), _) => set(IF_NONE_MATCH, etag),
            (None, Some(date)) => set(IF_MODIFIED_SINCE, date),
            (None, None) => {}
        }
    }
    if let Some((validator, position)) = begun {
        set(RANGE, &format!("bytes={position}-"));
        set(IF_RANGE, validator);
    }
    headers
}

fn edition(url: &str, headers: &HeaderMap) -> Edition {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::to_owned);
    Edition {
        url: url.to_owned(),
        etag: text(ETAG).filter(|it| it.len() < 300),
        last_modified: text(LAST_MODIFIED).filter(|it| it.len() < 100),
        ..Edition::default()
    }
}

/// Where the body begins in the file.
fn start_of(response: &Response) -> Option<u64> {
    if response.status() != StatusCode::PARTIAL_CONTENT {
        // Whoever does not know ranges, or has another edition, begins at the beginning.
        return (response.status() == StatusCode::OK).then_some(0);
    }
    let range = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}
