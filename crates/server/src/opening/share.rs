//! How much of the room for connections one address may have, so that nobody takes all of it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use crate::peer::Network;

/// One address has this part of the room,
const PART: usize = 4;
/// or so many connections, if that is more.
const LEAST: usize = 64;
/// Whoever has an address of IPv6 has all that begin with the same bits.
const OWN_BITS: u32 = 64;

/// How many connections each address has.
#[derive(Debug)]
pub(crate) struct Shares {
    most: usize,
    /// Whoever stands for others, and whoever is here already.
    exempt: Vec<Network>,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// A connection that is counted, until it is dropped.
#[derive(Debug)]
pub(crate) struct Share(Option<(Arc<Shares>, IpAddr)>);

/// An address has as many as it may.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Enough;

impl Shares {
    /// Where there is room for so many in all. Trusted proxies stand for many, and who is on this
    /// machine needs no connections to do harm: they are not counted.
    pub(crate) fn of(room: usize, proxies: &[Network]) -> Self {
        let mut exempt = proxies.to_vec();
        exempt.extend(["127.0.0.0/8", "::1"].iter().filter_map(|it| it.parse::<Network>().ok()));
        Self { most: (room / PART).max(LEAST), exempt, taken: Mutex::default() }
    }

    /// One more connection from there.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Result<Share, Enough> {
        let address = address.to_canonical();
        if self.exempt.iter().any(|it| it.has(address)) {
            return Ok(Share(None));
        }
        let whose = whose(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(whose).or_default();
        if *count >= self.most {
            return Err(Enough);
        }
        *count += 1;
        Ok(Share(Some((Arc::clone(self), whose))))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let Some((shares, whose)) = self.0.take() else { return };
        let mut taken = shares.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut count) = taken.entry(whose) {
            *count.get_mut() = count.get().saturating_sub(1);
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

fn whose(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(it) => {
            let own = u128::MAX.checked_shl(128 - OWN_BITS).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(it.to_bits() & own))
        }
    }
}

#[cfg(test)]
impl Shares {
    /// Where each address may have so many, also of this machine.
    pub(crate) fn for_all(most: usize) -> Self {
        Self { most, exempt: Vec::new(), taken: Mutex::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many connections of a thousand are let in, from addresses in turn.
    fn check(room: usize, addresses: &[&str], expect: usize) {
        let shares = Arc::new(Shares::of(room, &["10.0.0.0/8".parse().unwrap()]));
        let addresses: Vec<IpAddr> = addresses.iter().map(|it| it.parse().unwrap()).collect();
        let all = addresses.iter().cycle().take(1000).map(|it| shares.take(*it));
        let held: Vec<Share> = all.filter_map(Result::ok).collect();
        assert_eq!(held.len(), expect, "{room} {addresses:?}");
        drop(held);
        assert_eq!(shares.taken.lock().unwrap().len(), 0, "nobody has any");
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
