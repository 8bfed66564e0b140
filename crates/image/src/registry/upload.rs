//! Bringing blobs and manifests to a registry.
//!
//! <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#push>

use std::io::Read;

use hyper::body::Bytes;
use model::Digest;
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Method, Response, StatusCode, Url};

use super::attempts::{Attempts, Setback};
use super::client::{Call, Client};
use crate::Error;

/// A larger blob goes in pieces of this size. Some registries want pieces of five megabytes at least.
pub(crate) const PIECE: u64 = 8 << 20;
/// How often a blob whose upload broke in the middle is begun anew.
const ANEW: u32 = 3;

/// Why a blob did not arrive.
enum Fall {
    /// It will not get better.
    Final(Error),
    /// The registry lost the thread: only from the beginning it may work.
    Lost(Error),
}

impl From<Error> for Fall {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

impl Client {
    /// Does the registry have that blob in this repository?
    pub(crate) async fn has_blob(&self, digest: &Digest) -> Result<bool, Error> {
        let mut attempts = Attempts::new(&self.settings, &self.progress);
        let call = Call { method: Method::HEAD, absent: true, ..Call::default() };
        let response = self.open(&format!("blobs/{digest}"), &call, &mut attempts).await?;
        Ok(response.status() == StatusCode::OK)
    }

    /// Brings a blob of `size` bytes, which `open` gives from the beginning whenever it is asked.
    pub(crate) async fn push_blob(
        &self,
        digest: &Digest,
        size: u64,
        open: &(dyn Fn() -> Result<Box<dyn Read + Send>, Error> + Send + Sync),
    ) -> Result<(), Error> {
        let mut attempts = Attempts::new(&self.settings, &self.progress);
        for _ in 0..ANEW {
            match self.push_once(digest, size, open, &mut attempts).await {
                Ok(()) => return Ok(()),
                Err(Fall::Final(error)) => return Err(error),
                Err(Fall::Lost(error)) => attempts.after(Setback::from(error)).await?,
            }
        }
        let why = format!("{} loses what it is sent", self.host);
        Err(Error::unavailable(&self.what, why).with_hint("try again later"))
    }

    async fn push_once(
        &self,
        digest: &Digest,
        size: u64,
        open: &(dyn Fn() -> Result<Box<dyn Read + Send>, Error> + Send + Sync),
        attempts: &mut Attempts,
    ) -> Result<(), Fall> {
        let call = Call { method: Method::POST, ..Call::default() };
        let begun = self.open("blobs/uploads/", &call, attempts).await?;
        let mut place = self.expect(&begun, StatusCode::ACCEPTED)?;
        let mut reader = open()?;
        let mut sent = 0;
        // All but the last piece are added; the last comes with the digest.
        while size - sent > PIECE {
            let piece = self.piece(&mut reader, PIECE)?;
            let end = sent + PIECE;
            let call = Call {
                method: Method::PATCH,
                body: piece,
                content_type: Some("application/octet-stream".to_owned()),
                content_range: Some(format!("{sent}-{}", end - 1)),
                ..Call::default()
            };
            let response = self.step(&place, &call).await?;
            place = self.expect(&response, StatusCode::ACCEPTED)?;
            self.progress.advance(PIECE);
            sent = end;
        }
        let rest = size - sent;
        let call = Call {
            method: Method::PUT,
            body: self.piece(&mut reader, rest)?,
            content_type: Some("application/octet-stream".to_owned()),
            content_range: (sent > 0 && rest > 0).then(|| format!("{sent}-{}", size - 1)),
            ..Call::default()
        };
        place.query_pairs_mut().append_pair("digest", digest.as_str());
        let response = self.step(&place, &call).await?;
        if response.status() != StatusCode::CREATED {
            return Err(self.odd(&response).into());
        }
        self.agrees(response.headers(), digest)?;
        self.progress.advance(rest);
        Ok(())
    }

    /// One step of an upload. It is never repeated by itself: nobody knows how far the registry got.
    async fn step(&self, place: &Url, call: &Call) -> Result<Response, Fall> {
        self.once(place.as_str(), call).await.map_err(|trouble| match trouble {
            super::client::Trouble::Final(error) => Fall::Final(error),
            super::client::Trouble::Again(setback) => Fall::Lost(setback.error),
        })
    }

    fn piece(&self, reader: &mut dyn Read, size: u64) -> Result<Bytes, Error> {
        let mut bytes = Vec::new();
        let read = reader.take(size).read_to_end(&mut bytes);
        read.map_err(|why| Error::unavailable(&self.what, format!("it cannot be read: {why}")))?;
        if bytes.len() as u64 != size {
            let why = "a file changed while it was sent";
            return Err(Error::corrupt(&self.what, why).with_hint("push it again"));
        }
        Ok(bytes.into())
    }

    /// Where an upload goes on.
    fn expect(&self, response: &Response, status: StatusCode) -> Result<Url, Error> {
        let place = response.headers().get(LOCATION).and_then(|it| it.to_str().ok());
        let place = place.and_then(|it| response.url().join(it).ok());
        match place {
            Some(place) if response.status() == status => Ok(place),
            _ => Err(self.odd(response)),
        }
    }

    fn odd(&self, response: &Response) -> Error {
        let why = format!("{} answered {} to an upload", self.host, response.status().as_u16());
        Error::unavailable(&self.what, why)
            .with_hint(format!("is {} a registry that takes uploads?", self.host))
    }

    fn agrees(&self, headers: &HeaderMap, digest: &Digest) -> Result<(), Error> {
        let claimed = headers.get("docker-content-digest").and_then(|it| it.to_str().ok());
        match claimed.filter(|it| *it != digest.as_str()) {
            None => Ok(()),
            Some(claimed) => {
                let why = format!("{} keeps {}, not {digest}", self.host, super::tame(claimed));
                Err(Error::corrupt(&self.what, why).with_hint("push it again"))
            }
        }
    }

    /// Brings a manifest, under a tag or its digest. Says whether the registry took notice of what it is
    /// about, and so lists it among the referrers of that by itself.
    pub(crate) async fn push_manifest(
        &self,
        wanted: &str,
        media_type: &str,
        bytes: Vec<u8>,
        digest: &Digest,
    ) -> Result<bool, Error> {
        let call = Call {
            method: Method::PUT,
            body: bytes.into(),
            content_type: Some(media_type.to_owned()),
            ..Call::default()
        };
        let mut attempts = Attempts::new(&self.settings, &self.progress);
        let response = self.open(&format!("manifests/{wanted}"), &call, &mut attempts).await?;
        if response.status() != StatusCode::CREATED {
            return Err(self.odd(&response));
        }
        self.agrees(response.headers(), digest)?;
        Ok(response.headers().contains_key("oci-subject"))
    }
}
