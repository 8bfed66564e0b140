//! What a process uses: time, cores and memory.

use std::fmt;
use std::time::Instant;

/// How far clock and cores were.
#[derive(Clone, Copy)]
pub(crate) struct Used {
    began: Instant,
    cores: f64,
}

/// Seconds on the clock, and of all cores together.
#[derive(Clone, Copy)]
pub(crate) struct Spent {
    seconds: f64,
    cores: f64,
}

impl Used {
    pub(crate) fn now() -> Self {
        Self { began: Instant::now(), cores: cores() }
    }

    pub(crate) fn since(self) -> Spent {
        Spent { seconds: self.began.elapsed().as_secs_f64(), cores: cores() - self.cores }
    }
}

impl Spent {
    pub(crate) fn told(self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} s ({:.1})", self.seconds, self.cores)
    }
}

/// Seconds of all cores, of this process; nothing where nobody tells.
fn cores() -> f64 {
    let status = fs_err::read_to_string("/proc/self/stat").unwrap_or_default();
    let rest = status.rsplit_once(')').map_or("", |it| it.1);
    let ticks: Vec<f64> =
        rest.split_whitespace().skip(11).take(2).filter_map(|it| it.parse().ok()).collect();
    ticks.iter().sum::<f64>() / 100.0
}

/// What the process holds, in MiB; nothing where nobody tells.
pub(crate) fn resident() -> f64 {
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|it| it.split_whitespace().next()?.parse().ok());
    kibibytes.map_or(0.0, |it: f64| it / 1024.0)
}
