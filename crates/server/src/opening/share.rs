//! How much of the room for connections one address may have, so that nobody takes all of it.

use std::net::IpAddr;

use tokio::sync::{OwnedSemaphorePermit, TryAcquireError};

use crate::identity::network;
use crate::peer::Network;
use crate::rations::{Rations, Whose};

/// One address has this part of the room,
const PART: usize = 4;
/// or so many connections, if that is more.
const LEAST: usize = 64;

/// How many connections each address has.
#[derive(Debug)]
pub(crate) struct Shares {
    rations: Rations,
    /// Whoever stands for others, and whoever is here already.
    exempt: Vec<Network>,
}

/// A connection that is counted, until it is dropped; none is not.
pub(crate) type Share = Option<OwnedSemaphorePermit>;

impl Shares {
    /// Where there is room for so many in all. Trusted proxies stand for many, and who is on this
    /// machine needs no connections to do harm: they are not counted.
    pub(crate) fn of(room: usize, proxies: &[Network]) -> Self {
        let mut exempt = proxies.to_vec();
        exempt.extend(["127.0.0.0/8", "::1"].iter().filter_map(|it| it.parse::<Network>().ok()));
        Self { rations: Rations::new((room / PART).max(LEAST)), exempt }
    }

    /// One more connection from there, unless it has as many as it may.
    pub(crate) fn take(&self, address: IpAddr) -> Result<Share, TryAcquireError> {
        let address = address.to_canonical();
        if self.exempt.iter().any(|it| it.has(address)) {
            return Ok(None);
        }
        let theirs = self.rations.of(Whose::From(Some(network(address))));
        theirs.try_acquire_owned().map(Some)
    }
}

#[cfg(test)]
impl Shares {
    /// Where each address may have so many, also of this machine.
    pub(crate) fn for_all(most: usize) -> Self {
        Self { rations: Rations::new(most), exempt: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many connections of a thousand are let in, from addresses in turn.
    fn check(room: usize, addresses: &[&str], expect: usize) {
        let shares = Shares::of(room, &["10.0.0.0/8".parse().unwrap()]);
        let addresses: Vec<IpAddr> = addresses.iter().map(|it| it.parse().unwrap()).collect();
        let all = addresses.iter().cycle().take(1000).map(|it| shares.take(*it));
        let held: Vec<Share> = all.filter_map(Result::ok).collect();
        assert_eq!(held.len(), expect, "{room} {addresses:?}");
        drop(held);
        assert!(addresses.iter().all(|it| shares.take(*it).is_ok()), "nobody has any");
    }

    #[test]
    fn nobody_has_more_than_a_part() {
        check(2000, &["192.0.2.1"], 500);
        check(100, &["192.0.2.1"], 64);
        check(1, &["192.0.2.1"], 64);
        check(400, &["192.0.2.1", "192.0.2.2"], 200);
        check(400, &["192.0.2.1", "::ffff:192.0.2.1"], 100);
        check(400, &["2001:db8::1", "2001:db8::2", "2001:db8::ffff:0:0:1"], 100);
        check(400, &["2001:db8::1", "2001:db8:0:1::1"], 200);
    }

    #[test]
    fn who_is_trusted_or_here_is_not_counted() {
        for address in ["10.1.2.3", "127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            check(400, &[address], 1000);
        }
        check(400, &["10.1.2.3", "192.0.2.1"], 500 + 100);
    }
}
