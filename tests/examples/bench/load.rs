//! The load generator: requests that were made before, over connections that are kept, from one thread. Closed (each
//! connection asks again when it was answered) or paced (so many a second in all; a late answer counts from when its
//! request was due, so a stalled server cannot hide behind requests that were never sent).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Before anything is measured.
const WARM_UP: Duration = Duration::from_secs(1);

pub struct Load {
    pub address: SocketAddr,
    pub requests: Arc<Vec<Vec<u8>>>,
    pub connections: usize,
    /// Requests a second, all connections together; as many as it takes, if absent.
    pub rate: Option<f64>,
    pub length: Duration,
}

/// What came of a load.
#[derive(Default)]
pub struct Outcome {
    /// Of each answer with a status from 200 to 299, sorted.
    latencies: Vec<Duration>,
    /// Other answers, and connections that broke.
    pub failed: usize,
    /// How often an answer named another version than the one before it on its connection.
    pub changes: usize,
    /// The versions that answered.
    pub versions: std::collections::BTreeSet<String>,
    took: Duration,
}

impl Outcome {
    pub fn quantile(&self, share: f64) -> Duration {
        let index = (self.latencies.len() as f64 * share) as usize;
        self.latencies.get(index.min(self.latencies.len().saturating_sub(1))).copied().unwrap_or_default()
    }

    pub fn answered(&self) -> usize {
        self.latencies.len()
    }

    /// Answers a second.
    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }
}

/// A request with a JSON body, as it goes over the wire.
pub fn post(address: SocketAddr, path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    (head + body).into_bytes()
}

impl Load {
    pub fn run(self) -> Result<Outcome> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.send())
    }

    /// The body of one answer.
    pub fn ask(address: SocketAddr, request: &[u8]) -> Result<String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut connection = Connection::open(address).await?;
            let status = connection.exchange(request).await?;
            let body = String::from_utf8_lossy(connection.body()).into_owned();
            if status == 200 { Ok(body) } else { bail!("answered with {status}: {body}") }
        })
    }

    async fn send(self) -> Result<Outcome> {
        let load = Arc::new(self);
        let begin = Instant::now() + WARM_UP;
        let mut tasks = JoinSet::new();
        for index in 0..load.connections {
            tasks.spawn(load.clone().connection(index, begin));
        }
        let mut whole = Outcome::default();
        while let Some(part) = tasks.join_next().await {
            let part = part??;
            whole.latencies.extend(part.latencies);
            whole.versions.extend(part.versions);
            whole.failed += part.failed;
            whole.changes += part.changes;
        }
        whole.latencies.sort_unstable();
        whole.took = load.length;
        Ok(whole)
    }

    async fn connection(self: Arc<Self>, index: usize, begin: Instant) -> Result<Outcome> {
        let mut connection = Connection::open(self.address).await?;
        let mut outcome = Outcome::default();
        let mut version = None;
        let end = begin + self.length;
        let pause = self.rate.map(|rate| Duration::from_secs_f64(self.connections as f64 / rate));
        let mut due = Instant::now() + pause.unwrap_or_default() * index as u32 / self.connections as u32;
        for request in self.requests.iter().cycle().skip(index * 17) {
            match pause {
                Some(_) => tokio::time::sleep_until(due.into()).await,
                None => due = Instant::now(),
            }
            if due >= end {
                break;
            }
            let status = connection.exchange(request).await;
            let measured = due >= begin;
            match status {
                Ok(200..=299) if measured => outcome.latencies.push(due.elapsed()),
                Ok(200..=299) => {}
                Ok(_) => outcome.failed += 1,
                Err(_) => {
                    outcome.failed += 1;
                    connection = Connection::open(self.address).await?;
                }
            }
            if pause.is_some() {
                outcome.saw(&mut version, connection.body());
            }
            due += pause.unwrap_or_default();
        }
        Ok(outcome)
    }
}

impl Outcome {
    fn saw(&mut self, last: &mut Option<String>, body: &[u8]) {
        let answer: Option<serde_json::Value> = serde_json::from_slice(body).ok();
        let Some(version) = answer.map(|answer| answer["version"].to_string()) else { return };
        if last.as_ref() != Some(&version) {
            self.changes += usize::from(last.is_some());
            self.versions.insert(version.clone());
            *last = Some(version);
        }
    }
}

/// One connection of HTTP/1.1, that knows answers with a `content-length` alone.
struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
    head: usize,
}

impl Connection {
    async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: Vec::with_capacity(1 << 16), head: 0 })
    }

    /// Gives the status.
    async fn exchange(&mut self, request: &[u8]) -> Result<u16> {
        self.stream.write_all(request).await?;
        self.answer.clear();
        loop {
            if self.stream.read_buf(&mut self.answer).await? == 0 {
                bail!("the server closed the connection");
            }
            let Some(end) = self.answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
            let head = str::from_utf8(&self.answer[..end])?;
            let status = head.split(' ').nth(1).context("no status")?.parse()?;
            self.head = end + 4;
            let whole = self.head + content_length(head)?;
            while self.answer.len() < whole {
                if self.stream.read_buf(&mut self.answer).await? == 0 {
                    bail!("the server closed the connection");
                }
            }
            return Ok(status);
        }
    }

    fn body(&self) -> &[u8] {
        &self.answer[self.head.min(self.answer.len())..]
    }
}

fn content_length(head: &str) -> Result<usize> {
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    let length = fields.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    length.context("an answer without a length")?.1.trim().parse().context("an answer without a length")
}
