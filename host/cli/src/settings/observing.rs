//! What the process tells of itself while it works: lines of a log to standard error, traces to a collector.
//!
//! `WASMLOPS_LOG` chooses log lines as `tracing`'s filters do. Traces go where OpenTelemetry's variables say, and
//! nowhere without them; those for limits (`OTEL_EXPORTER_OTLP_TIMEOUT`, `OTEL_TRACES_SAMPLER` and their like) mean what
//! its specification says.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use anyhow::{Result, bail};
use tracing::Subscriber;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};
use wasmlops_server::telemetry::{Telemetry, TelemetryOptions};

use crate::args::{Args, Command, LogFormat};

/// For the last traces to be sent.
const FAREWELL: Duration = Duration::from_secs(5);

/// Ends with [`Observing::end`].
pub struct Observing {
    telemetry: Option<Telemetry>,
}

impl Observing {
    /// Call it once, inside a tokio runtime.
    pub fn start(args: &Args) -> Result<Self> {
        let options = if works(&args.command) { telemetry_options()? } else { None };
        let telemetry = options.map(Telemetry::start).transpose()?;
        let traces = telemetry.as_ref().map(Telemetry::layer);
        tracing_subscriber::registry().with(log(args)).with(traces).init();
        Ok(Self { telemetry })
    }

    /// Sends what has not been sent.
    pub async fn end(self) {
        if let Some(telemetry) = self.telemetry {
            telemetry.shutdown(FAREWELL).await;
        }
    }
}

/// Whether a command does what traces tell of.
fn works(command: &Command) -> bool {
    matches!(command, Command::Serve { .. } | Command::Run(_) | Command::Runs(_))
}

/// A server's warnings are what its operator lives by; a command says what matters itself.
fn log<S>(args: &Args) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    let default = match (args.verbose, &args.command) {
        (true, _) => "wasmlops=debug,wasmlops_server=debug",
        (false, Command::Serve { .. }) => "warn",
        (false, _) => "error",
    };
    let filter = EnvFilter::try_from_env("WASMLOPS_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    match args.log_format {
        LogFormat::Text => {
            let ansi = io::stderr().is_terminal();
            fmt::layer().with_ansi(ansi).with_writer(move || Lines { escapes: ansi }).with_filter(filter).boxed()
        }
        // JSON writes no control character as it is.
        LogFormat::Json => {
            let lines = fmt::layer().json().flatten_event(true).with_current_span(true).with_span_list(false);
            lines.with_writer(io::stderr).with_filter(filter).boxed()
        }
    }
}

/// Standard error, one line for each event whatever a message holds.
struct Lines {
    /// The formatter's own colours pass; it writes those of messages in another way.
    escapes: bool,
}

impl Write for Lines {
    /// Gets a whole event.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        io::stderr().lock().write_all(&one_line(event, self.escapes))?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

fn one_line(event: &[u8], escapes: bool) -> Vec<u8> {
    let (text, end) = event.strip_suffix(b"\n").map_or((event, &b""[..]), |text| (text, b"\n"));
    let harmless = |byte: u8| !byte.is_ascii_control() || (escapes && byte == 0x1b);
    text.iter().map(|byte| if harmless(*byte) { *byte } else { b' ' }).chain(end.iter().copied()).collect()
}

/// Where traces go, by OpenTelemetry's variables.
fn telemetry_options() -> Result<Option<TelemetryOptions>> {
    let read = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    if read("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok(None);
    }
    let base = || Some(format!("{}/v1/traces", read("OTEL_EXPORTER_OTLP_ENDPOINT")?.trim_end_matches('/')));
    let Some(endpoint) = read("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").or_else(base) else { return Ok(None) };
    let headers = read("OTEL_EXPORTER_OTLP_TRACES_HEADERS").or_else(|| read("OTEL_EXPORTER_OTLP_HEADERS"));
    let attributes = read("OTEL_RESOURCE_ATTRIBUTES");
    Ok(Some(TelemetryOptions {
        endpoint,
        headers: pairs("OTEL_EXPORTER_OTLP_HEADERS", headers.as_deref().unwrap_or_default())?,
        service: read("OTEL_SERVICE_NAME").unwrap_or_else(|| "wasmlops".to_owned()),
        attributes: pairs("OTEL_RESOURCE_ATTRIBUTES", attributes.as_deref().unwrap_or_default())?,
    }))
}

/// `name=value,…`, percent-encoded (W3C baggage, as OpenTelemetry's specification has it). Values may be secrets.
fn pairs(variable: &str, text: &str) -> Result<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    for (index, pair) in text.split(',').map(str::trim).enumerate().filter(|(_, pair)| !pair.is_empty()) {
        match pair.split_once('=').and_then(|(name, value)| Some((name.trim(), decoded(value.trim())?))) {
            Some((name, value)) if !name.is_empty() => pairs.push((name.to_owned(), value)),
            _ => bail!("part {} of `{variable}` is no `name=value`\nhint: write `name=value,name=value`", index + 1),
        }
    }
    Ok(pairs)
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_event_is_one_line() {
        let event = b"WARN a\nFAKE line\r\x1b[31mred\x00 \xc3\xa9\n";
        assert_eq!(one_line(event, false), b"WARN a FAKE line  [31mred  \xc3\xa9\n");
        assert_eq!(one_line(event, true), b"WARN a FAKE line \x1b[31mred  \xc3\xa9\n");
    }

    #[test]
    fn pairs_are_decoded() {
        let read = |text| pairs("X", text).ok();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(read(""), Some(Vec::new()));
        assert_eq!(read("a=b, c = d%2Ce ,"), Some(vec![pair("a", "b"), pair("c", "d,e")]));
        assert_eq!(read("authorization=Bearer%20x=y"), Some(vec![pair("authorization", "Bearer x=y")]));
        for wrong in ["a", "=b", "a=%2", "a=%zz", "a=%ff"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_wrong_pair_is_not_quoted() {
        assert!(!pairs("X", "a=b,topsecret").unwrap_err().to_string().contains("topsecret"));
    }
}
