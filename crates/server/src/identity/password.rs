//! Passwords: argon2id, in the time it takes, and never more at once than there are cores.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use api::Sort;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use model::Secret;

use super::People;
use crate::refusal::Refusal;

/// Characters in the shortest password.
const SHORTEST: usize = 12;
/// Bytes in the longest.
const LONGEST: usize = 1024;
/// Bytes in the longest name that is looked up: the store's names have 200 characters at most.
const LONGEST_NAME: usize = 4 * store::LONGEST_NAME;
/// For so long one waits for others' passwords.
const PATIENCE: Duration = Duration::from_secs(10);

/// Is that a password that somebody may choose?
pub(crate) fn acceptable(name: &str, password: &str) -> Result<(), Refusal> {
    let refused = |why: String| {
        let hint = "a few words that nobody would put together are easy to keep and hard to guess";
        Err(Sort::Refused.because(format!("password: {why}")).with_hint(hint).into())
    };
    sane(name, password)?;
    if password.chars().count() < SHORTEST {
        return refused(format!("it is shorter than {SHORTEST} characters"));
    }
    let same = |text: &str| store::normal_name(text).to_lowercase();
    if same(password) == same(name) {
        return refused("it is the name".to_owned());
    }
    if password.chars().all(|it| password.starts_with(it)) {
        return refused("it is one character again and again".to_owned());
    }
    Ok(())
}

/// Is it short enough to be looked at?
fn sane(name: &str, password: &str) -> Result<(), Refusal> {
    if password.len() > LONGEST {
        let why = format!("password: it is longer than {LONGEST} bytes");
        return Err(Sort::Refused.because(why).into());
    }
    if name.len() > LONGEST_NAME {
        let why = format!("name: it is longer than {} characters", store::LONGEST_NAME);
        return Err(Sort::Refused.because(why).into());
    }
    Ok(())
}

/// Does the password fit the hash? Where there is none, for there is nobody of that name, finding
/// that out takes the same work.
pub(crate) async fn agreed(
    people: &People,
    name: &str,
    password: &str,
    kept: Option<Secret>,
) -> Result<bool, Refusal> {
    sane(name, password)?;
    let password = Secret::new(password);
    work(people, move || {
        let known = kept.is_some();
        let kept = match kept {
            Some(it) => it.expose().to_owned(),
            None => nobodys()?.to_owned(),
        };
        let hash = PasswordHash::new(&kept).map_err(|error| error.to_string())?;
        let fits = Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok();
        Ok(fits && known)
    })
    .await
}

impl People {
    /// What is kept of a password.
    pub(crate) async fn hashed(&self, password: &str) -> Result<Secret, Refusal> {
        let password = Secret::new(password);
        work(self, move || hash(password.expose()).map(Secret::new)).await
    }
}

/// A hash that fits no password that anybody knows.
fn nobodys() -> Result<&'static str, String> {
    static HASH: OnceLock<String> = OnceLock::new();
    if let Some(it) = HASH.get() {
        return Ok(it);
    }
    let random = super::minted(super::Kind::Session).map_err(|it| it.0.detail)?;
    let hash = hash(&random.text)?;
    Ok(HASH.get_or_init(|| hash))
}

fn hash(password: &str) -> Result<String, String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|it| it.to_string()).map_err(|error| error.to_string())
}

/// Does heavy work, when a core is free for it.
async fn work<T: Send + 'static>(
    people: &People,
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, Refusal> {
    let failed = |why: String| {
        tracing::error!(%why, "a password cannot be worked on");
        let problem = Sort::Failed.because("password: it cannot be worked on");
        Refusal::from(problem.with_hint("the server's log says why"))
    };
    let busy = || {
        let problem = Sort::Unavailable.because("log-in: too many log in at once");
        Refusal::from(problem.with_hint("try again in a moment"))
    };
    let waiting = Arc::clone(&people.0.hashing).acquire_owned();
    let permit = tokio::time::timeout(PATIENCE, waiting).await.map_err(|_| busy())?;
    let permit = permit.map_err(|_| busy())?;
    let done = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        work()
    });
    done.await.map_err(|error| failed(error.to_string()))?.map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, password: &str, expect: &str) {
        let shown = acceptable(name, password).map_or_else(|it| it.0.detail, |()| "yes".to_owned());
        assert_eq!(shown, expect);
    }

    #[test]
    fn what_may_be_chosen() {
        check("ann", "a green horse", "yes");
        check("ann", "zwölfzeichen", "yes");
        check("ann", "elevenchars", "password: it is shorter than 12 characters");
        check("ann of avonlea", "Ann of Avonlea ", "password: it is the name");
        check("ann", "xxxxxxxxxxxxxxxx", "password: it is one character again and again");
        check("ann", &"xy".repeat(513), "password: it is longer than 1024 bytes");
        check(&"x".repeat(801), "a green horse", "name: it is longer than 200 characters");
    }

    #[tokio::test]
    async fn fits_or_not() {
        let people = People::new(true);
        let kept = people.hashed("a green horse").await.unwrap();
        assert!(kept.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(agreed(&people, "ann", "a green horse", Some(kept.clone())).await.unwrap());
        assert!(!agreed(&people, "ann", "a green house", Some(kept)).await.unwrap());
        assert!(!agreed(&people, "ann", "a green horse", None).await.unwrap());
    }
}
