//! The port of a command that runs as a service.

use tokio::net::TcpListener;

use super::error::CliError;

/// Binds PORT. Returns the bound port too: with PORT=0 the system selects a free one.
pub(crate) async fn bind(port: u16) -> Result<(TcpListener, u16), CliError> {
    let listener = TcpListener::bind(("0.0.0.0", port)).await;
    let listener = listener.map_err(|error| CliError::failed(format!("cannot listen on port {port} (PORT): {error}")))?;
    let port = listener.local_addr().map_or(port, |address| address.port());
    Ok((listener, port))
}
