//! Idempotency keys: the same request again is answered as it was, and not done again.
//!
//! What a request changes and what is answered to it are one transaction ([`Together`]), so whoever
//! dies in between has changed nothing; and whoever was believed dead, and was only slow, changes
//! nothing any more.

use std::io::Read as _;

use model::{Holder, Moment};

use crate::contract::{Error, Idempotent};
use crate::db::{Value, values};
use crate::{Store, Together, new_id};

/// Seconds for which an answer is kept.
const KEPT: i64 = 24 * 3600;
/// Seconds after which whoever began is believed dead.
const LEASE: i64 = 60;
/// A beginning that is so many seconds ahead was told by a clock that has been set back, or by one
/// that is ahead of ours; whoever is at it then finds out in the end, and changes nothing.
const AHEAD: i64 = 300;
const LONGEST_KEY: usize = 255;
/// Answers longer than this are kept compressed.
const LONG: usize = 4 << 10;
/// How much of a compressed answer is taken to be one.
const LONGEST: u64 = 256 << 20;

impl Store {
    /// Begins a request under a key of whoever makes it. `request` is a hash of all it says.
    ///
    /// Whoever is told to go ahead says in the end how it went, by `answer_request` or
    /// `drop_request`; if nothing is heard for a minute, the same request may begin anew.
    pub async fn begin_request(
        &self,
        holder: &Holder,
        key: &str,
        request: &[u8; 32],
        now: Moment,
    ) -> Result<Idempotent, Error> {
        let refused = |why: &str, hint: &str| Error::Refused {
            what: "idempotency key".to_owned(),
            why: why.to_owned(),
            hint: Some(hint.to_owned()),
        };
        if key.is_empty() || key.len() > LONGEST_KEY || key.chars().any(char::is_control) {
            return Err(refused("it is none", "write 1 to 255 letters and digits"));
        }
        let request = crate::hash_key(request);
        let claim = new_id();
        let (organisation, person) = match holder {
            Holder::Organisation(id) => (Some(id.0.as_str()), None),
            Holder::User(id) => (None, Some(id.0.as_str())),
        };
        let mut tx = self.db.write().await?;
        let rows = tx
            .run(
                "INSERT INTO idempotency_keys (holder, key, organisation, person, request, claim,
                                               begun_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)
                 ON CONFLICT (holder, key) DO UPDATE SET request = excluded.request,
                     claim = excluded.claim, begun_at = excluded.begun_at, status = NULL,
                     body = NULL
                 WHERE idempotency_keys.begun_at <= $8
                 OR (idempotency_keys.status IS NULL
                     AND (idempotency_keys.begun_at <= $9 OR idempotency_keys.begun_at > $10)
                     AND idempotency_keys.request = excluded.request)",
                values![
                    named(holder),
                    key,
                    organisation,
                    person,
                    &request,
                    &claim,
                    now,
                    now.plus_seconds(-KEPT),
                    now.plus_seconds(-LEASE),
                    now.plus_seconds(AHEAD),
                ],
            )
            .await?;
        if rows == 1 {
            tx.commit().await?;
            return Ok(Idempotent::GoAhead { claim });
        }
        let sql = "SELECT request, status, body FROM idempotency_keys
                   WHERE holder = $1 AND key = $2";
        let Some(row) = tx.row(sql, values![named(holder), key]).await? else {
            return Ok(Idempotent::InProgress);
        };
        if row.text("request")? != request {
            let why = "another request was made under it";
            return Err(refused(why, "make each request under a key of its own"));
        }
        let Some(status) = row.maybe_int("status")? else { return Ok(Idempotent::InProgress) };
        let status = u16::try_from(status).map_err(|error| Error::Corrupt {
            what: "column status".to_owned(),
            why: error.to_string(),
        })?;
        Ok(Idempotent::Answered { status, body: unpacked(row.blob("body")?)? })
    }

    /// Whoever does a request is still at it: nobody begins it anew for another minute. Says whether it
    /// is still theirs.
    pub async fn keep_request(
        &self,
        holder: &Holder,
        key: &str,
        claim: &str,
        now: Moment,
    ) -> Result<bool, Error> {
        let sql = "UPDATE idempotency_keys SET begun_at = $4
                   WHERE holder = $1 AND key = $2 AND claim = $3 AND status IS NULL";
        self.change_request(sql, values![named(holder), key, claim, now]).await
    }

    /// Keeps what was answered, for a day. Says whether the request was still ours.
    pub async fn answer_request(
        &self,
        holder: &Holder,
        key: &str,
        claim: &str,
        status: u16,
        body: &[u8],
    ) -> Result<bool, Error> {
        let sql = "UPDATE idempotency_keys SET status = $4, body = $5
                   WHERE holder = $1 AND key = $2 AND claim = $3 AND status IS NULL";
        let values = values![named(holder), key, claim, i64::from(status), packed(body)?];
        self.change_request(sql, values).await
    }

    /// What was changed together happens, and its answer is kept with it. Says whether the request
    /// was still ours: if not, somebody else has begun it anew, and nothing has happened.
    pub async fn answer_together(
        &self,
        together: Together,
        holder: &Holder,
        key: &str,
        claim: &str,
        (status, body): (u16, &[u8]),
    ) -> Result<bool, Error> {
        let answering = async {
            let answered = self.answer_request(holder, key, claim, status, body).await?;
            // Whose holder went with what was changed, or whose key is forgotten, is nobody else's.
            Ok::<_, Error>(answered || !self.has_request(holder, key).await?)
        };
        let ours = together.hold(answering).await?;
        if ours {
            together.commit().await?;
        }
        Ok(ours)
    }

    async fn has_request(&self, holder: &Holder, key: &str) -> Result<bool, Error> {
        let sql = "SELECT claim FROM idempotency_keys WHERE holder = $1 AND key = $2";
        Ok(self.db.row(sql, values![named(holder), key]).await?.is_some())
    }

    /// The request failed for a reason that may pass: it may be made again. Says whether it was
    /// still ours.
    pub async fn drop_request(
        &self,
        holder: &Holder,
        key: &str,
        claim: &str,
    ) -> Result<bool, Error> {
        let sql = "DELETE FROM idempotency_keys
                   WHERE holder = $1 AND key = $2 AND claim = $3 AND status IS NULL";
        self.change_request(sql, values![named(holder), key, claim]).await
    }

    /// Forgets the answers that were kept for a day. Says how many.
    pub async fn forget_requests(&self, now: Moment) -> Result<u64, Error> {
        let mut tx = self.db.write().await?;
        let sql = "DELETE FROM idempotency_keys WHERE begun_at <= $1";
        let rows = tx.run(sql, values![now.plus_seconds(-KEPT)]).await?;
        tx.commit().await?;
        Ok(rows)
    }

    async fn change_request(&self, sql: &'static str, values: Vec<Value>) -> Result<bool, Error> {
        let mut tx = self.db.write().await?;
        let rows = tx.run(sql, values).await?;
        tx.commit().await?;
        Ok(rows == 1)
    }
}

fn named(holder: &Holder) -> &str {
    match holder {
        Holder::Organisation(id) => &id.0,
        Holder::User(id) => &id.0,
    }
}

fn packed(body: &[u8]) -> Result<Vec<u8>, Error> {
    if body.len() <= LONG {
        return Ok(body.to_vec());
    }
    zstd::bulk::compress(body, 1)
        .map_err(|error| Error::Corrupt { what: "answer".to_owned(), why: error.to_string() })
}

/// No answer of ours begins as a compressed one does.
fn unpacked(body: Vec<u8>) -> Result<Vec<u8>, Error> {
    if !body.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return Ok(body);
    }
    let mut unpacked = Vec::new();
    zstd::stream::read::Decoder::new(&body[..])
        .and_then(|it| it.take(LONGEST).read_to_end(&mut unpacked))
        .map_err(|error| Error::Corrupt { what: "answer".to_owned(), why: error.to_string() })?;
    Ok(unpacked)
}
