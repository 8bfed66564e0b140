//! Identity: who asks a server, by what they show.

mod brake;
mod first;
mod known;
mod password;
mod reset;
mod secret;
mod shown;

use std::sync::Arc;

use api::Sort;
use tokio::sync::Semaphore;

use crate::refusal::Refusal;

pub use first::first_start;
pub use reset::offer_reset;

pub(crate) use brake::network;
pub(crate) use first::forget_first;
pub(crate) use known::Known;
pub(crate) use password::{acceptable, agreed};
pub(crate) use secret::{Kind, Minted, hash, masked, minted};
pub(crate) use shown::{Credential, cross_site, shown};

/// For how many seconds one is logged in.
pub(crate) const SESSION: i64 = 30 * 86_400;

/// The people who may ask, and what is remembered about them between two questions. Clones are the
/// same ones.
#[derive(Clone)]
pub struct People(Arc<Parts>);

struct Parts {
    /// Does everybody reach us by TLS?
    secure: bool,
    /// Who showed what a moment ago.
    known: known::Recently,
    /// Who tried to log in, and failed.
    brake: brake::Brake,
    /// Hashing a password takes a core and 19 MiB, so no more are hashed at once than there are
    /// cores.
    hashing: Arc<Semaphore>,
}

impl People {
    /// Does everybody reach us by TLS?
    pub(crate) fn is_secure(&self) -> bool {
        self.0.secure
    }

    /// `secure` says that everybody reaches the server by TLS, its own or that of a proxy before
    /// it: then cookies are kept off all other ways.
    pub fn new(secure: bool) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self(Arc::new(Parts {
            secure,
            known: known::Recently::default(),
            brake: brake::Brake::default(),
            hashing: Arc::new(Semaphore::new(cores)),
        }))
    }

    /// What is remembered of who showed what is forgotten: somebody's rights changed. Other
    /// processes on the same database notice within a second.
    pub(crate) fn forget(&self) {
        self.0.known.forget();
    }

    /// How often that was.
    pub(crate) fn times_forgotten(&self) -> u64 {
        self.0.known.times()
    }

    /// The cookie that a session is kept in.
    ///
    /// By TLS its name binds it to this very host, whatever its siblings do; without, browsers
    /// would not take it under that name.
    pub(crate) fn cookie(&self) -> &'static str {
        if self.0.secure { "__Host-foretop" } else { "foretop" }
    }

    /// What makes a browser keep a session, or forget it.
    pub(crate) fn set_cookie(&self, secret: Option<&str>) -> String {
        let name = self.cookie();
        let secure = if self.0.secure { "; Secure" } else { "" };
        let (value, age) = secret.map_or(("", 0), |it| (it, SESSION));
        format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")
    }

    /// From now on no password is worked on.
    #[cfg(test)]
    pub(crate) fn stop_hashing(&self) {
        self.0.hashing.close();
    }

    /// May somebody of that name, who asks from there, try a password now?
    pub(crate) fn try_password(
        &self,
        name: &str,
        address: Option<std::net::IpAddr>,
        now: model::Moment,
    ) -> Result<brake::Try<'_>, Refusal> {
        self.0.brake.begin(name, address, now).map_err(|seconds| {
            let problem = Sort::TooMany.because("log-in: too many wrong passwords");
            Refusal::from(problem.with_hint(format!("try again in {seconds} seconds")))
        })
    }
}

impl std::fmt::Debug for People {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("People").field("secure", &self.0.secure).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_bound_to_their_host_where_they_can_be() {
        assert_eq!(
            People::new(true).set_cookie(Some("fts_x")),
            "__Host-foretop=fts_x; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(
            People::new(false).set_cookie(None),
            "foretop=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
        );
    }
}
