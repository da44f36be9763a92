//! Who gets a connection: so many in all, and so many of one address. Who gets none is told at once.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Refusals that are being told at a time; beyond it, connections are just closed.
const REFUSALS: usize = 256;
/// For the client to take the refusal before the connection is closed.
const FAREWELL: Duration = Duration::from_millis(500);
/// What a refused client may still send until then.
const UNREAD: u64 = 64 << 10;

const REFUSAL: &str = concat!(
    "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\n",
    "x-content-type-options: nosniff\r\ncache-control: no-store\r\ncontent-length: 157\r\nconnection: close\r\n\r\n",
    r#"{"type":"urn:wasmlops:problem:too-many-connections","title":"Service Unavailable","status":503,"#,
    r#""detail":"too many connections","code":"too-many-connections"}"#,
);

/// Clones count together.
#[derive(Clone)]
pub(super) struct Admission {
    inner: Arc<Inner>,
}

struct Inner {
    count: usize,
    per_address: usize,
    open: Mutex<Open>,
    refusals: AtomicUsize,
}

#[derive(Default)]
struct Open {
    all: usize,
    /// By address; only those that are counted and have connections.
    by: HashMap<IpAddr, usize>,
}

/// A connection's place until it is dropped.
pub(super) struct Place {
    inner: Arc<Inner>,
    address: Option<IpAddr>,
}

impl Admission {
    pub fn new(count: usize, per_address: usize) -> Self {
        let inner = Inner { count, per_address, open: Mutex::default(), refusals: AtomicUsize::new(0) };
        Self { inner: Arc::new(inner) }
    }

    /// A place, where there is one.
    pub fn enter(&self, address: IpAddr) -> Option<Place> {
        let mut open = self.inner.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.all >= self.inner.count {
            return None;
        }
        let address = counted(address);
        if let Some(address) = address {
            let of_it = open.by.entry(address).or_default();
            if *of_it >= self.inner.per_address {
                return None;
            }
            *of_it += 1;
        }
        open.all += 1;
        Some(Place { inner: self.inner.clone(), address })
    }

    /// Tells a client that there is no place. Ends soon.
    pub async fn refuse(self, mut stream: TcpStream) {
        if self.inner.refusals.fetch_add(1, Ordering::Relaxed) < REFUSALS {
            let farewell = async {
                stream.write_all(REFUSAL.as_bytes()).await?;
                stream.shutdown().await?;
                // Closing with bytes unread would take the answer back.
                tokio::io::copy(&mut (&mut stream).take(UNREAD), &mut tokio::io::sink()).await
            };
            // Who does not take it is not waited for.
            let _ = timeout(FAREWELL, farewell).await;
        }
        self.inner.refusals.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.inner.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all -= 1;
        if let Some(address) = self.address
            && let Some(of_it) = open.by.get_mut(&address)
        {
            *of_it -= 1;
            if *of_it == 0 {
                open.by.remove(&address);
            }
        }
    }
}

/// As what an address counts. Loopback does not: whoever is there may be a proxy for everybody. Of IPv6 addresses,
/// everyone has a network of 64 bits.
fn counted(address: IpAddr) -> Option<IpAddr> {
    let address = address.to_canonical();
    match address {
        _ if address.is_loopback() => None,
        IpAddr::V4(_) => Some(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Some(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_all_and_by_address() {
        let admission = Admission::new(4, 2);
        let enter = |address: &str| admission.enter(address.parse().unwrap());
        let first = enter("10.0.0.1").unwrap();
        let _second = enter("::ffff:10.0.0.1").unwrap();
        assert!(enter("10.0.0.1").is_none(), "an address has two places");
        drop(first);
        let _again = enter("10.0.0.1").unwrap();
        let _other = enter("2001:db8::1").unwrap();
        let _same_network = enter("2001:db8::2").unwrap();
        assert!(enter("127.0.0.1").is_none(), "there are four in all");
    }

    #[test]
    fn addresses_of_one_network_count_together_and_this_machine_not_at_all() {
        let admission = Admission::new(10, 1);
        let enter = |address: &str| admission.enter(address.parse().unwrap());
        let _one = enter("2001:db8::1").unwrap();
        assert!(enter("2001:db8::2").is_none());
        let _other = enter("2001:db8:0:1::2").unwrap();
        let _here = [enter("127.0.0.1").unwrap(), enter("127.0.0.1").unwrap(), enter("::1").unwrap()];
    }

    #[test]
    fn the_refusal_is_well_formed() {
        let (head, body) = REFUSAL.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{}", body.len());
        assert_eq!(serde_json::from_str::<serde_json::Value>(body).unwrap()["status"], 503);
    }
}
