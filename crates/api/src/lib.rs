//! The words spoken over HTTP, and the client that speaks them: to a server, or within one process.
