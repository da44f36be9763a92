//! `wasmlops serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// The address to listen on; port 0 takes a free one. One that other machines can reach needs TLS
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7070")]
    pub bind: SocketAddr,
    /// Ask nobody for a token: anyone on this machine is an administrator. Loopback addresses only
    #[arg(long)]
    pub open: bool,
    /// Speak TLS with this certificate and those that lead to it (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM), which nobody else may read
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// A proxy speaks TLS with clients, and nobody else reaches this server
    #[arg(long, requires = "host_names")]
    pub behind_proxy: bool,
    /// A name that clients call the server by; may be repeated
    #[arg(long = "host-name", value_name = "NAME")]
    pub host_names: Vec<String>,
}
