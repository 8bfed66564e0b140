//! The brake: whoever shows wrong passwords waits, longer each time.
//!
//! Three things are counted: a name from one address, an address whatever the name, and a name from
//! wherever. The last two are patient, so that nobody keeps another from logging in by guessing a
//! little in their name, and an office behind one address is no attacker. A try is counted before it
//! is known to be wrong, so that many at once are many.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use model::Moment;

/// Most names and addresses that are remembered.
const MOST: usize = 10_000;
/// After so many seconds without a wrong password, all is forgotten.
const FORGOTTEN: i64 = 15 * 60;
/// The longest that anybody waits, in seconds.
const LONGEST: i64 = 5 * 60;
/// Wrong passwords that are free: for a name from an address, for an address, for a name.
const FREE: [u32; 3] = [5, 50, 100];

/// Who tried to log in, and failed.
#[derive(Default)]
pub(super) struct Brake(Mutex<HashMap<Key, Failed>>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Both(String, Option<IpAddr>),
    Address(IpAddr),
    Name(String),
}

#[derive(Clone, Copy)]
struct Failed {
    times: u32,
    last: Moment,
}

/// A password that is tried. Dropped, it was wrong.
pub(crate) struct Try<'a> {
    brake: &'a Brake,
    keys: Vec<Key>,
}

impl Brake {
    /// May it be tried now? Otherwise in so many seconds.
    pub(super) fn begin(
        &self,
        name: &str,
        address: Option<IpAddr>,
        now: Moment,
    ) -> Result<Try<'_>, i64> {
        let name = store::normal_name(name);
        let address = address.map(network);
        let mut keys = vec![Key::Both(name.clone(), address), Key::Name(name)];
        keys.extend(address.map(Key::Address));
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = keys.iter().filter_map(|key| all.get(key).map(|it| it.wait(key, now)));
        let wait = waits.max().unwrap_or(0);
        if wait > 0 {
            return Err(wait);
        }
        for key in &keys {
            if all.len() >= MOST && !all.contains_key(key) {
                make_room(&mut all, now);
            }
            let failed = all.entry(key.clone()).or_insert(Failed { times: 0, last: now });
            if failed.is_old(now) {
                failed.times = 0;
            }
            *failed = Failed { times: failed.times.saturating_add(1), last: now };
        }
        Ok(Try { brake: self, keys })
    }
}

impl Try<'_> {
    /// It was right: this name from this address begins anew. The others only lose this try, or
    /// whoever has an account could guess the others' for ever.
    pub(crate) fn right(self) {
        let mut all = self.brake.0.lock().unwrap_or_else(PoisonError::into_inner);
        for key in &self.keys {
            match key {
                Key::Both(..) => {
                    all.remove(key);
                }
                Key::Address(_) | Key::Name(_) => {
                    if let Some(failed) = all.get_mut(key) {
                        failed.times = failed.times.saturating_sub(1);
                    }
                }
            }
        }
    }
}

impl Failed {
    fn is_old(self, now: Moment) -> bool {
        // A clock that was put back must not make anybody wait for it.
        now < self.last || now >= self.last.plus_seconds(FORGOTTEN)
    }

    /// How many seconds to wait.
    fn wait(self, key: &Key, now: Moment) -> i64 {
        let [both, address, name] = FREE;
        let free = match key {
            Key::Both(..) => both,
            Key::Address(_) => address,
            Key::Name(_) => name,
        };
        if self.times < free || self.is_old(now) {
            return 0;
        }
        let pause = 1_i64.checked_shl((self.times - free).min(20)).unwrap_or(LONGEST).min(LONGEST);
        let passed = now.micros().saturating_sub(self.last.micros());
        let left = pause.saturating_mul(1_000_000).saturating_sub(passed).max(0);
        // A part of a second is a second.
        left.saturating_add(999_999) / 1_000_000
    }
}

/// Who has a whole network of addresses has one here.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(it) => {
            let [a, b, c, d, ..] = it.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

fn make_room(all: &mut HashMap<Key, Failed>, now: Moment) {
    all.retain(|_, it| !it.is_old(now));
    if all.len() >= MOST {
        // The half that failed longest ago.
        let mut times: Vec<Moment> = all.values().map(|it| it.last).collect();
        times.sort_unstable();
        let middle = times.get(times.len() / 2).copied().unwrap_or(now);
        all.retain(|_, it| it.last > middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Moment {
        Moment::from_micros(1_790_000_000_000_000).plus_seconds(seconds)
    }

    const HERE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)));
    const THERE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2)));

    fn wrong(brake: &Brake, name: &str, from: Option<IpAddr>, second: i64) -> i64 {
        brake.begin(name, from, at(second)).err().unwrap_or(0)
    }

    #[test]
    fn the_sixth_waits_and_the_next_longer() {
        let brake = Brake::default();
        for _ in 0..5 {
            assert_eq!(wrong(&brake, "ann", HERE, 0), 0);
        }
        assert_eq!(wrong(&brake, "ann", HERE, 0), 1);
        assert_eq!(wrong(&brake, "ann", HERE, 0), 1, "asking in vain makes it no longer");
        assert_eq!(wrong(&brake, "ann", HERE, 1), 0);
        assert_eq!(wrong(&brake, "ann", HERE, 1), 2);
        assert_eq!(wrong(&brake, " ann ", HERE, 2), 1, "it is the same name");
        assert_eq!(wrong(&brake, "bob", HERE, 2), 0);
        assert_eq!(wrong(&brake, "ann", THERE, 2), 0);
        assert_eq!(wrong(&brake, "ann", HERE, 2 + FORGOTTEN), 0);
        assert_eq!(wrong(&brake, "ann", HERE, 0), 0, "the clock was put back");
    }

    #[test]
    fn nobody_waits_for_ever() {
        let brake = Brake::default();
        let mut now = 0;
        let mut longest = 0;
        for _ in 0..60 {
            let wait = wrong(&brake, "ann", None, now);
            longest = longest.max(wait);
            now += wait;
            assert!(wait == 0 || wrong(&brake, "ann", None, now) == 0);
        }
        assert_eq!(longest, LONGEST);
    }

    #[test]
    fn the_right_password_begins_anew_but_for_the_address() {
        let brake = Brake::default();
        for guess in 0..49 {
            assert_eq!(wrong(&brake, &format!("guess {guess}"), HERE, 0), 0);
        }
        brake.begin("ann", HERE, at(0)).unwrap().right();
        assert_eq!(wrong(&brake, "ann", HERE, 0), 0);
        assert_eq!(wrong(&brake, "ann", HERE, 0), 1);
    }

    #[test]
    fn a_network_is_one() {
        let brake = Brake::default();
        for host in 0..50 {
            let from = format!("2001:db8::{host:x}").parse().ok();
            assert_eq!(wrong(&brake, &format!("guess {host}"), from, 0), 0);
        }
        assert_eq!(wrong(&brake, "ann", "2001:db8::ffff".parse().ok(), 0), 1);
        assert_eq!(wrong(&brake, "ann", "2001:db8:0:1::1".parse().ok(), 0), 0);
    }

    #[test]
    fn it_is_bounded() {
        let brake = Brake::default();
        for guess in 0..30_000 {
            wrong(&brake, &format!("guess {guess}"), None, guess / 1000);
        }
        assert!(brake.0.lock().unwrap().len() <= MOST);
    }
}
