//! From which address a request comes, where proxies that we trust stand between.
//!
//! Each proxy adds, at the end, from where it was asked. So the list is read from its end, as long as
//! whoever added an entry is trusted: what whoever asks writes into it themselves is further ahead,
//! and nobody reads it.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use axum::extract::{ConnectInfo, Request};
use axum::http::{Extensions, HeaderMap, HeaderName, header};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// A network of addresses: `10.0.0.0/8`, `fd00::/8`, or one address alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, bits) = text.split_once('/').unwrap_or((text, ""));
        let no_address = |_| format!("`{address}` is no address");
        let address: IpAddr = address.parse().map_err(no_address)?;
        let all = length(address);
        let bits = match bits {
            "" if !text.contains('/') => all,
            bits => bits
                .parse()
                .ok()
                .filter(|it| *it <= all && bits.bytes().all(|it| it.is_ascii_digit()))
                .ok_or_else(|| format!("`/{bits}` is no length from 0 to {all}"))?,
        };
        let network = Self { address, bits };
        if address == network.first() {
            return Ok(network);
        }
        Err(format!("it is an address in {}/{bits}", network.first()))
    }
}

impl Network {
    /// Is it in there?
    pub(crate) fn has(self, address: IpAddr) -> bool {
        length(address) == length(self.address) && Self { address, ..self }.first() == self.address
    }

    fn first(self) -> IpAddr {
        let away = length(self.address).saturating_sub(self.bits);
        match self.address {
            IpAddr::V4(it) => {
                IpAddr::V4((it.to_bits() & u32::MAX.checked_shl(away).unwrap_or(0)).into())
            }
            IpAddr::V6(it) => {
                IpAddr::V6((it.to_bits() & u128::MAX.checked_shl(away).unwrap_or(0)).into())
            }
        }
    }
}

fn length(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// From which address a request comes.
#[derive(Clone, Copy, Debug)]
struct Peer(IpAddr);

/// Finds out from which address a request comes, and writes it down for whoever asks later.
pub(crate) fn tell(request: &mut Request, trusted: &[Network]) {
    let Some(ConnectInfo(direct)) = request.extensions().get::<ConnectInfo<SocketAddr>>() else {
        return;
    };
    let direct = direct.ip().to_canonical();
    let peer = behind(direct, request.headers(), trusted);
    request.extensions_mut().insert(Peer(peer));
}

/// From which address a request comes; none is one from this very process.
pub(crate) fn of(extensions: &Extensions) -> Option<IpAddr> {
    let direct = || extensions.get::<ConnectInfo<SocketAddr>>().map(|it| it.0.ip().to_canonical());
    extensions.get::<Peer>().map(|it| it.0).or_else(direct)
}

/// The same for another request, that is made for this one.
pub(crate) fn hand_on(from: &Extensions, to: &mut Extensions) {
    if let Some(peer) = of(from) {
        to.insert(Peer(peer));
    }
}

fn behind(direct: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|it| it.has(address));
    if !is_trusted(direct) {
        return direct;
    }
    let told = |hops: Vec<Option<IpAddr>>| {
        let mut last = direct;
        for hop in hops.into_iter().rev() {
            let Some(hop) = hop else { break };
            last = hop;
            if !is_trusted(hop) {
                break;
            }
        }
        last
    };
    let ours = headers.contains_key(&FORWARDED_FOR).then(|| told(forwarded_for(headers)));
    let standard = headers.contains_key(header::FORWARDED).then(|| told(forwarded(headers)));
    match (ours, standard) {
        // A proxy that writes one of them may hand on what somebody wrote into the other; which is
        // which nobody can tell.
        (Some(one), Some(other)) if one != other => direct,
        (Some(told), _) | (None, Some(told)) => told,
        (None, None) => direct,
    }
}

/// `X-Forwarded-For: 203.0.113.9, 10.0.0.1`, in as many lines as there are.
fn forwarded_for(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let lines = headers.get_all(&FORWARDED_FOR).iter().map(|it| it.to_str().unwrap_or("?"));
    lines.flat_map(|it| it.split(',')).map(address).collect()
}

/// `Forwarded: for=203.0.113.9;proto=https, for="[2001:db8::9]:4711"`
/// ([RFC 7239](https://www.rfc-editor.org/rfc/rfc7239)).
fn forwarded(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let lines = headers.get_all(header::FORWARDED).iter().map(|it| it.to_str().unwrap_or("?"));
    let said = |hop: &str| {
        let mut pairs = hop.split(';').filter_map(|it| it.split_once('='));
        let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
        address(value.trim().trim_matches('"'))
    };
    lines.flat_map(|it| it.split(',')).map(said).collect()
}

/// With a port or without one; what is hidden or unknown is none.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let alone = text.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(text);
    let address = alone.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|it| it.ip()));
    address.ok().map(|it| it.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(direct: &str, said: &[(&'static str, &str)], expect: &str) {
        let trusted: Vec<Network> =
            ["10.0.0.0/8", "fd00::/8"].map(|it| it.parse().unwrap()).to_vec();
        let mut headers = HeaderMap::new();
        for (name, value) in said {
            headers.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        let found = behind(direct.parse().unwrap(), &headers, &trusted);
        assert_eq!(found.to_string(), expect, "{direct} {said:?}");
    }

    #[test]
    fn who_is_not_trusted_says_nothing_about_themselves() {
        check("192.0.2.1", &[("x-forwarded-for", "203.0.113.9")], "192.0.2.1");
        check("192.0.2.1", &[("forwarded", "for=203.0.113.9")], "192.0.2.1");
        check("192.0.2.1", &[], "192.0.2.1");
        check("10.0.0.1", &[], "10.0.0.1");
    }

    #[test]
    fn a_proxys_word_counts_and_no_word_before_it() {
        let ours =
            |said: &'static str, expect| check("10.0.0.1", &[("x-forwarded-for", said)], expect);
        ours("203.0.113.9", "203.0.113.9");
        ours("198.51.100.1, 203.0.113.9", "203.0.113.9");
        ours("10.0.0.9, 203.0.113.9, 10.0.0.2", "203.0.113.9");
        ours("203.0.113.9:5000", "203.0.113.9");
        ours("[2001:db8::9]:5000", "2001:db8::9");
        ours("::ffff:203.0.113.9", "203.0.113.9");
        ours("10.0.0.3, 10.0.0.2", "10.0.0.3");
        ours("203.0.113.9, unknown", "10.0.0.1");
        ours("203.0.113.9, unknown, 10.0.0.2", "10.0.0.2");
        ours("", "10.0.0.1");
        ours(",,,", "10.0.0.1");
        let lines = [("x-forwarded-for", "198.51.100.1"), ("x-forwarded-for", "203.0.113.9")];
        check("fd00::1", &lines, "203.0.113.9");
    }

    #[test]
    fn so_does_the_standard_way_to_say_it() {
        let said = |said: &'static str, expect| check("10.0.0.1", &[("forwarded", said)], expect);
        said("for=203.0.113.9;proto=https;by=10.0.0.1", "203.0.113.9");
        said("for=198.51.100.1, For=\"[2001:db8::9]:4711\"", "2001:db8::9");
        said("for=203.0.113.9, for=_hidden", "10.0.0.1");
        said("proto=https", "10.0.0.1");
    }

    #[test]
    fn where_two_ways_differ_neither_counts() {
        let both = |one, other, expect| {
            check("10.0.0.1", &[("x-forwarded-for", one), ("forwarded", other)], expect);
        };
        both("203.0.113.9", "for=203.0.113.9", "203.0.113.9");
        both("203.0.113.9", "for=198.51.100.1", "10.0.0.1");
    }

    #[test]
    fn networks() {
        let check = |text: &str, expect: &str| {
            let shown = match text.parse::<Network>() {
                Ok(it) => format!("{}/{}", it.address, it.bits),
                Err(why) => why,
            };
            assert_eq!(shown, expect, "{text}");
        };
        check("10.0.0.0/8", "10.0.0.0/8");
        check("10.1.2.3", "10.1.2.3/32");
        check("0.0.0.0/0", "0.0.0.0/0");
        check("::/0", "::/0");
        check("fd00::/8", "fd00::/8");
        check("10.1.2.3/8", "it is an address in 10.0.0.0/8");
        check("10.0.0.0/33", "`/33` is no length from 0 to 32");
        check("10.0.0.0/", "`/` is no length from 0 to 32");
        check("10.0.0.0/+8", "`/+8` is no length from 0 to 32");
        check("proxy/8", "`proxy` is no address");
        assert!(!"0.0.0.0/0".parse::<Network>().unwrap().has("::1".parse().unwrap()));
    }
}
