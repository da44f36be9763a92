//! Servers as child processes: started, waited for, asked how much memory they hold, stopped.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// The longest that a server may take until it is ready. Python's take their time.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// From its start until it was ready.
    pub started: Duration,
    /// The line that says where it listens, where it is JSON.
    pub line: Value,
}

impl Server {
    /// Starts a server that says in its first line where it listens, and waits until `ready` is answered with 200.
    pub fn announced(command: &mut Command, ready: Option<&str>) -> Result<Self> {
        let begun = Instant::now();
        let mut child = own_group(command).stdout(Stdio::piped()).spawn().context("cannot start a server")?;
        let mut lines = BufReader::new(child.stdout.take().context("a server has no standard output")?);
        let mut first = String::new();
        lines.read_line(&mut first)?;
        let Some(address) = listening(&first) else {
            // It has failed and ends; why, it says on several lines.
            lines.read_to_string(&mut first)?;
            child.wait()?;
            bail!("the server names no address: {first}");
        };
        // What nobody reads would stop it once the pipe is full.
        std::thread::spawn(move || lines.lines().for_each(drop));
        let line = serde_json::from_str(&first).unwrap_or_default();
        let mut server = Self { child, address, started: Duration::ZERO, line };
        server.until_ready(begun, ready)?;
        Ok(server)
    }

    /// Starts a server that was told where to listen.
    pub fn told(command: &mut Command, address: SocketAddr, ready: &str) -> Result<Self> {
        let begun = Instant::now();
        let child = own_group(command).stdout(Stdio::null()).spawn().context("cannot start a server")?;
        let mut server = Self { child, address, started: Duration::ZERO, line: Value::Null };
        server.until_ready(begun, Some(ready))?;
        Ok(server)
    }

    fn until_ready(&mut self, begun: Instant, ready: Option<&str>) -> Result<()> {
        while let Some(path) = ready
            && !matches!(get(self.address, path), Ok(200))
        {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status}");
            }
            ensure!(begun.elapsed() < PATIENCE, "the server is not ready after {} s", PATIENCE.as_secs());
            std::thread::sleep(Duration::from_millis(1));
        }
        self.started = begun.elapsed();
        Ok(())
    }

    /// Resident memory in bytes, of the process alone.
    pub fn resident(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()).context("no `VmRSS` in `/proc`")?;
        Ok(kib.parse::<u64>()? << 10)
    }
}

impl Drop for Server {
    /// In good order, with whatever it has started.
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        let asked = Command::new("kill").args(["-TERM", "--", &group]).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

fn own_group(command: &mut Command) -> &mut Command {
    command.process_group(0).stdin(Stdio::null()).stderr(Stdio::null())
}

fn listening(line: &str) -> Option<SocketAddr> {
    let told: Value = serde_json::from_str(line).ok()?;
    told["listening"].as_str()?.strip_prefix("http://")?.parse().ok()
}

/// The status that a path is answered with.
fn get(address: SocketAddr, path: &str) -> Result<u16> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let head = String::from_utf8_lossy(&answer);
    head.split(' ').nth(1).context("no status")?.parse().context("no status")
}
