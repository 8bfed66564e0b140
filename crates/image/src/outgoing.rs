//! Outgoing rules: which hosts may be spoken to, told by their names and by the addresses behind them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::Error;

/// Which hosts may be spoken to. Without a list: everybody whom the whole world can reach, and nobody
/// who is near only to us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outgoing {
    allowed: Option<Vec<Allowed>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Allowed {
    All,
    Host(String),
    /// Every name that ends so: `.example`.
    Below(String),
    Addresses(IpNet),
}

/// Why somebody is not spoken to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{host}: {why}")]
pub struct Forbidden {
    /// The host, as it was named.
    pub host: String,
    why: String,
}

impl Forbidden {
    /// What to do about it.
    pub fn hint(&self) -> String {
        format!(
            "if it is meant, whoever runs the server allows it: --outgoing {} (and every other host \
             that is to be reached)",
            self.host
        )
    }

    /// The same, as others say it.
    pub fn error(&self) -> Error {
        Error::denied(self.host.as_str(), self.why.as_str()).with_hint(self.hint())
    }

    /// What is wrong, without the host.
    pub fn why(&self) -> &str {
        &self.why
    }
}

impl Outgoing {
    /// Only these: hosts, `*.example` for every name below one, networks (`10.1.0.0/16`), addresses,
    /// or `*` for everybody.
    pub fn only<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let words = words.into_iter().map(str::trim).filter(|it| !it.is_empty());
        let allowed = words.map(Allowed::read).collect::<Result<Vec<_>, Error>>()?;
        Ok(Self { allowed: Some(allowed) })
    }

    /// Is there a list?
    pub fn is_list(&self) -> bool {
        self.allowed.is_some()
    }

    /// Does the list name this host itself, or the address that stands for one?
    pub fn names(&self, host: &str) -> bool {
        let host = plain(host);
        let address = host.parse::<IpAddr>().ok().map(|it| it.to_canonical());
        self.allowed.iter().flatten().any(|it| match (it, address) {
            (Allowed::All, _) => true,
            (Allowed::Addresses(network), Some(address)) => network.contains(&address),
            (Allowed::Host(name), _) => *name == host,
            (Allowed::Below(end), None) => host.len() > end.len() && host.ends_with(end.as_str()),
            _ => false,
        })
    }

    /// Before anybody looks where it leads: may this host be spoken to, as far as its name tells?
    pub fn judge_name(&self, host: &str) -> Result<(), Forbidden> {
        let name = plain(host);
        if let Ok(address) = name.parse() {
            return self.judge_address(host, address);
        }
        if self.names(&name) {
            return Ok(());
        }
        match &self.allowed {
            Some(all) if all.iter().any(|it| matches!(it, Allowed::Addresses(_))) => Ok(()),
            Some(_) => Err(forbidden(host, "the list of outgoing hosts does not name it")),
            None if name == "localhost" || name.ends_with(".localhost") => {
                Err(forbidden(host, "it is this machine itself"))
            }
            None => Ok(()),
        }
    }

    /// The same where a proxy looks where it leads: what is behind the name is not known here.
    pub fn judge_proxied(&self, host: &str) -> Result<(), Forbidden> {
        self.judge_name(host)?;
        if self.is_list() && !self.names(host) {
            let why = "it is reached through a proxy, so the list of outgoing hosts must name it by \
                       its name";
            return Err(forbidden(host, why));
        }
        Ok(())
    }

    /// The proxies' own hosts are reached wherever they are, so nobody else is to speak to them under
    /// that name, unless the list names it.
    pub(crate) fn judge_no_proxy(&self, host: &str, proxies: &[String]) -> Result<(), Forbidden> {
        let name = plain(host);
        let is_one = proxies.iter().any(|it| plain(it) == name);
        if is_one && !self.names(host) {
            return Err(forbidden(host, "it is the proxy that others are reached through"));
        }
        Ok(())
    }

    /// May this host be spoken to at this address, where it leads?
    pub fn judge_address(&self, host: &str, address: IpAddr) -> Result<(), Forbidden> {
        let address = address.to_canonical();
        let at = || {
            let is_itself = plain(host).parse::<IpAddr>().is_ok();
            if is_itself { "it".to_owned() } else { format!("it leads to {address}, which") }
        };
        if self.is_list() {
            if self.names(host) || self.names(&address.to_string()) {
                return Ok(());
            }
            let why = format!("{} is not in the list of outgoing hosts", at());
            return Err(forbidden(host, why));
        }
        match what_is_near(address) {
            None => Ok(()),
            Some(what) => Err(forbidden(host, format!("{} is {what}", at()))),
        }
    }
}

impl Allowed {
    fn read(word: &str) -> Result<Self, Error> {
        let shown: String = word.chars().filter(|it| !it.is_control()).take(100).collect();
        let bad = |why: &str| {
            Error::invalid(format!("outgoing: {shown}"), why).with_hint(
                "name hosts, *.example for those below one, networks such as 10.1.0.0/16",
            )
        };
        if word == "*" {
            return Ok(Self::All);
        }
        if word.contains("://") {
            return Err(bad("it is a URL: name its host alone"));
        }
        let name = plain(word);
        if let Ok(address) = name.parse::<IpAddr>() {
            return Ok(Self::Addresses(address.to_canonical().into()));
        }
        if name.contains('/') {
            let network: IpNet = name.parse().map_err(|_| bad("it is no network"))?;
            return Ok(Self::Addresses(network.trunc()));
        }
        let end = name.strip_prefix('*');
        let rest = end.map_or(Some(name.as_str()), |it| it.strip_prefix('.'));
        let rest = rest.ok_or_else(|| bad("a * stands before a dot, or alone"))?;
        let is_label = |it: &str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            !it.is_empty() && it.bytes().all(plain)
        };
        if !rest.split('.').all(is_label) {
            return Err(bad("it is neither a host nor a network"));
        }
        Ok(match end {
            Some(end) => Self::Below(end.to_owned()),
            None => Self::Host(name),
        })
    }
}

fn forbidden(host: &str, why: impl Into<String>) -> Forbidden {
    let host = host.chars().filter(|it| !it.is_control()).take(255).collect();
    Forbidden { host, why: why.into() }
}

/// A host in the one spelling that is compared.
fn plain(host: &str) -> String {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// What an address is that not everybody in the world can reach; `None`: everybody can.
///
/// <https://www.iana.org/assignments/iana-ipv4-special-registry/>
/// <https://www.iana.org/assignments/iana-ipv6-special-registry/>
fn what_is_near(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => near_v4(address),
        IpAddr::V6(address) => near_v6(address),
    }
}

/// Where Azure's machines find what concerns themselves: an address like everybody's.
const WIRE_SERVER: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

fn near_v4(address: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, _] = address.octets();
    Some(match (a, b, c) {
        _ if address == WIRE_SERVER => "where a cloud tells its machines secrets",
        (0, ..) => "no address of a host",
        (127, ..) => "this machine itself",
        _ if address.is_private() => "a private address",
        (169, 254, _) => "a link-local address, where clouds tell their machines secrets",
        (100, 64..=127, _) => "an address shared by the customers of a carrier",
        (192, 0, 0) | (198, 18 | 19, _) | (192, 88, 99) => "an address set apart",
        _ if address.is_documentation() => "an address for documents",
        (224..=239, ..) => "a multicast address",
        (240.., ..) => "an address set apart",
        _ => return None,
    })
}

fn near_v6(address: Ipv6Addr) -> Option<&'static str> {
    let embedded = |at: usize| {
        let bytes = address.octets();
        let part = bytes.get(at..at + 4).and_then(|it| <[u8; 4]>::try_from(it).ok());
        part.map(Ipv4Addr::from)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Some("this machine itself"),
        // An address of the old internet, behind a translator or a tunnel.
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => embedded(12).and_then(near_v4),
        [0x2002, ..] => embedded(2).and_then(near_v4),
        [0xfe80..=0xfebf, ..] => Some("a link-local address"),
        [0xfc00..=0xfdff, ..] => Some("a private address"),
        [0xff00..=0xffff, ..] => Some("a multicast address"),
        [0x2001, 0..=0x1ff, ..] | [0x3fff, 0..=0xfff, ..] => Some("an address set apart"),
        [0x2001, 0xdb8, ..] => Some("an address for documents"),
        [0x2000..=0x3fff, ..] => None,
        _ => Some("no address of a host in the world"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(outcome: Result<(), Forbidden>) -> String {
        outcome.map_or_else(|it| it.to_string(), |()| "may".to_owned())
    }

    #[test]
    fn without_a_list_only_what_the_world_can_reach() {
        let rules = Outgoing::default();
        for address in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.32.0.1",
            "2606:4700::1111",
            "64:ff9b::101:101",
            "::ffff:8.8.8.8",
        ] {
            assert_eq!(shown(rules.judge_name(address)), "may", "{address}");
            assert_eq!(
                shown(rules.judge_address("a.example", address.parse().unwrap())),
                "may",
                "{address}"
            );
        }
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.8.8.8",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a00:1::",
            "2001::1",
            "2001:db8::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "4000::1",
        ] {
            for name in [address.to_owned(), format!("[{address}]")] {
                assert_ne!(shown(rules.judge_name(&name)), "may", "{name}");
            }
            let found = rules.judge_address("a.example", address.parse().unwrap());
            assert_ne!(shown(found), "may", "{address}");
        }
        for name in ["localhost", "LOCALHOST.", "a.localhost"] {
            assert_ne!(shown(rules.judge_name(name)), "may", "{name}");
        }
        assert_eq!(shown(rules.judge_name("hooks.slack.com")), "may");
        let found = rules.judge_address("a.example", "10.0.0.1".parse().unwrap());
        assert_eq!(shown(found), "a.example: it leads to 10.0.0.1, which is a private address");
        assert_eq!(
            shown(rules.judge_name("[::1]")),
            "[::1]: it is this machine itself",
            "the host is told as it was named"
        );
    }

    #[test]
    fn with_a_list_only_what_it_names() {
        let words = ["hooks.slack.com", "*.corp.example", "10.1.2.3/16", "::1", "mailhost"];
        let rules = Outgoing::only(words).unwrap();
        let name = |host: &str| shown(rules.judge_name(host));
        for host in [
            "hooks.slack.com",
            "Hooks.Slack.com.",
            "a.b.corp.example",
            "10.1.9.9",
            "[::1]",
            "mailhost",
        ] {
            assert_eq!(name(host), "may", "{host}");
        }
        for host in ["10.2.0.1", "8.8.8.8", "127.0.0.1", "[::2]"] {
            assert_eq!(name(host), format!("{host}: it is not in the list of outgoing hosts"));
        }
        // Where they lead decides, for there are networks in the list.
        for host in ["slack.com", "corp.example", "evilcorp.example", "a.hooks.slack.com"] {
            assert_eq!(name(host), "may");
            let at = |address: &str| shown(rules.judge_address(host, address.parse().unwrap()));
            assert_eq!(at("10.1.0.1"), "may");
            assert_eq!(at("::ffff:10.1.0.1"), "may");
            let why = "it leads to 8.8.8.8, which is not in the list of outgoing hosts";
            assert_eq!(at("8.8.8.8"), format!("{host}: {why}"));
            assert_ne!(shown(rules.judge_proxied(host)), "may");
        }
        // Whoever names a host means it wherever it leads.
        let private = "192.168.1.1".parse().unwrap();
        assert_eq!(shown(rules.judge_address("a.corp.example", private)), "may");
        assert_eq!(shown(rules.judge_proxied("a.corp.example")), "may");

        // A proxy is spoken through, and not to.
        let proxies = ["Proxy.corp.example".to_owned(), "[::2]".to_owned(), "mailhost".to_owned()];
        for (host, may) in [
            ("proxy.corp.example.", true),
            ("mailhost", true),
            ("[::2]", false),
            ("elsewhere", true),
        ] {
            assert_eq!(rules.judge_no_proxy(host, &proxies).is_ok(), may, "{host}");
            let open = Outgoing::default().judge_no_proxy(host, &proxies);
            assert_eq!(open.is_ok(), host == "elsewhere", "{host}");
        }

        let rules = Outgoing::only(["a.example"]).unwrap();
        let why = "b.example: the list of outgoing hosts does not name it";
        assert_eq!(shown(rules.judge_name("b.example")), why);
        assert_ne!(shown(Outgoing::only([]).unwrap().judge_name("a.example")), "may");
        assert_eq!(shown(Outgoing::only(["*"]).unwrap().judge_name("127.0.0.1")), "may");
    }

    #[test]
    fn lists_that_make_no_sense() {
        for word in [
            "https://a.example",
            "a.example/x",
            "10.0.0.0/33",
            "*a.example",
            "a.*.example",
            "*.",
            "a b",
            "a..b",
            "a.example:80",
            "ä.example",
            "\u{7}",
        ] {
            let error = Outgoing::only([word]).unwrap_err();
            assert!(error.hint().is_some() && !error.to_string().contains('\u{7}'), "{word}");
        }
    }
}
