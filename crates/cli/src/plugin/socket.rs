//! Ending when docker ends: its socket closes when somebody interrupts it.

use crate::environment::Environment;

/// Watches docker's socket, if there is one, and ends this process when it closes.
#[cfg(unix)]
pub(crate) fn die_with_docker(environment: &Environment) {
    use std::io::Read as _;

    /// What a shell reports for a process that was interrupted.
    const INTERRUPTED: i32 = 130;

    let Some(mut stream) = environment.plugin_socket().and_then(|name| connect(&name).ok()) else {
        return;
    };
    std::thread::spawn(move || {
        // docker never says anything; only the end means something.
        while stream.read(&mut [0; 64]).is_ok_and(|read| read > 0) {}
        std::process::exit(INTERRUPTED);
    });
}

/// There is no such socket.
#[cfg(not(unix))]
pub(crate) fn die_with_docker(_: &Environment) {}

#[cfg(unix)]
fn connect(name: &str) -> std::io::Result<std::os::unix::net::UnixStream> {
    std::os::unix::net::UnixStream::connect_addr(&address(name)?)
}

/// `@name` is a name in Linux' abstract name space, anything else a path.
#[cfg(unix)]
pub(crate) fn address(name: &str) -> std::io::Result<std::os::unix::net::SocketAddr> {
    use std::os::unix::net::SocketAddr;

    #[cfg(target_os = "linux")]
    if let Some(name) = name.strip_prefix('@') {
        use std::os::linux::net::SocketAddrExt as _;
        return SocketAddr::from_abstract_name(name);
    }
    SocketAddr::from_pathname(name)
}
