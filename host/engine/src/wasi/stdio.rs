//! stdout and stderr: line by line into the step's log, under the log's limits.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmlops_core::call::LogLevel;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::log_sink::LogSink;
use crate::text::MAX_TEXT;
use crate::watch::Watch;

/// What a guest may write before it asks again.
const WRITE_PERMIT: usize = 64 << 10;

/// The two streams of a call.
pub(crate) struct Stdio {
    pub(super) out: Lines,
    pub(super) err: Lines,
}

impl Stdio {
    pub fn new(log: &LogSink, watch: &Arc<Watch>) -> Self {
        Self {
            out: Lines::new(LogLevel::Info, log.clone(), watch.clone()),
            err: Lines::new(LogLevel::Warn, log.clone(), watch.clone()),
        }
    }

    /// Passes on last lines that lack their end.
    pub fn finish(&self) {
        self.out.line().finish();
        self.err.line().finish();
    }
}

/// One stream. Clones write to the same line.
#[derive(Clone)]
pub(super) struct Lines {
    line: Arc<Mutex<Line>>,
    watch: Arc<Watch>,
}

struct Line {
    level: LogLevel,
    log: LogSink,
    bytes: Vec<u8>,
}

impl Lines {
    fn new(level: LogLevel, log: LogSink, watch: Arc<Watch>) -> Self {
        Self { line: Arc::new(Mutex::new(Line { level, log, bytes: Vec::new() })), watch }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn push(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            let (text, ends) = part.strip_suffix(b"\n").map_or((part, false), |text| (text, true));
            // What goes beyond the longest line is cut there, so it need not be kept.
            let room = MAX_TEXT - self.bytes.len();
            self.bytes.extend_from_slice(&text[..text.len().min(room)]);
            if ends {
                self.end();
            }
        }
    }

    fn end(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        let text = String::from_utf8_lossy(&bytes);
        let text = text.strip_suffix('\r').unwrap_or(&text);
        match self.level {
            LogLevel::Warn => self.log.write_stderr(text),
            level => self.log.write(level, text, &[]),
        }
    }

    fn finish(&mut self) {
        if !self.bytes.is_empty() {
            self.end();
        }
    }
}

impl IsTerminal for Lines {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Lines {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    /// Only WASI 0.3 takes this one, which is not linked.
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }
}

#[async_trait]
impl Pollable for Lines {
    async fn ready(&mut self) {}
}

impl OutputStream for Lines {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.watch.note_bytes(bytes.len());
        self.line().push(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_PERMIT)
    }
}
