//! Where a call's log lines go: from the `log` import, from stdout and from stderr, under one limit.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmlops_core::call::{LogLevel, LogLine, Observer};

use crate::text::{MAX_TEXT, neutralise_within};

/// Lines of stderr kept to explain a trap: a panic's place and message, and a little around them.
const LAST_WORDS: usize = 4;

/// Clones are the same sink.
#[derive(Clone)]
pub(crate) struct LogSink {
    observer: Arc<dyn Observer>,
    limit: u64,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Default)]
struct Counts {
    kept: u64,
    dropped: u64,
    last_words: VecDeque<String>,
}

impl LogSink {
    /// `limit` in bytes of lines kept.
    pub fn new(observer: Arc<dyn Observer>, limit: u64) -> Self {
        Self { observer, limit, counts: Arc::default() }
    }

    /// Passes the line on, cut to [`MAX_TEXT`] and made harmless, or counts it where the limit is reached.
    pub fn write(&self, level: LogLevel, message: &str, fields: &[(String, String)]) {
        let mut left = MAX_TEXT;
        let mut cut = |text: &str| {
            let clean = neutralise_within(text, left);
            left -= clean.len();
            clean
        };
        let message = cut(message);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (cut(name), cut(value))).collect();
        let bytes = (MAX_TEXT - left) as u64;

        let mut counts = self.counts();
        if counts.kept + bytes > self.limit {
            counts.dropped += 1;
            return;
        }
        counts.kept += bytes;
        drop(counts);
        self.observer.log(LogLine { level, message, fields });
    }

    /// A line of stderr: a warning, and perhaps the guest's last words.
    pub fn write_stderr(&self, line: &str) {
        if !line.trim().is_empty() && !line.starts_with("note: run with `RUST_BACKTRACE") {
            let mut counts = self.counts();
            if counts.last_words.len() == LAST_WORDS {
                counts.last_words.pop_front();
            }
            counts.last_words.push_back(neutralise_within(line, 1024));
        }
        self.write(LogLevel::Warn, line, &[]);
    }

    pub fn kept_bytes(&self) -> u64 {
        self.counts().kept
    }

    pub fn dropped_lines(&self) -> u64 {
        self.counts().dropped
    }

    /// What stood last on stderr, on one line.
    pub fn last_words(&self) -> Option<String> {
        let counts = self.counts();
        let words = counts.last_words.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        (!words.is_empty()).then_some(words)
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
