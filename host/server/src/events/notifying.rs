//! Notifications: each subscription gets the events that fit, one after the other, in structured mode and signed.
//!
//! What cannot be delivered is tried again, ever more rarely, and holds back what comes after it, for a day; then it is
//! dropped, which the audit says. A receiver may get an event twice: (source, id) says so.

use std::time::Duration;

use serde_json::json;
use wasmlops_core::call::{HttpFailure, HttpRequest, HttpResponse};
use wasmlops_core::config::NotificationConfig;
use wasmlops_core::event::{Event, STRUCTURED};
use wasmlops_core::run::Micros;
use wasmlops_package::Digest;
use wasmlops_store::{AuditEntry, AuditRow, DeliveryRow, Stamp};

use super::causes::{DEPTH, depth_of_record};
use super::sign::{SIGNATURE, signature};
use super::types::event_of;
use super::{LOOK, Reader, pause};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::secrets;

/// How long an event is tried.
const PATIENCE: Micros = 24 * 3600 * 1_000_000;
/// The wait after the first failure; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// What a receiver may ask for with `Retry-After`.
const LONGEST_ASKED: Duration = Duration::from_secs(3600);
const TIMEOUT: Duration = Duration::from_secs(10);

/// In whose name it is said that an event was dropped.
const ACTOR: &str = "system:notifications";

/// Reads the feed for one subscription, until the shutdown.
pub(super) async fn notify(mut reader: Reader, notification: NotificationConfig) {
    if !reader.begin().await {
        return;
    }
    while let Some(rows) = reader.next("").await {
        for row in rows {
            let event = event_of(&reader.host.project.name, &row);
            let event = event.filter(|event| notification.types.iter().any(|glob| glob.matches(&event.kind)));
            let Some(event) = event else {
                reader.pass(row.seq).await;
                continue;
            };
            if !until_delivered(&mut reader, &notification, &row, event).await {
                return;
            }
        }
        // A page that holds nothing but what is passed ends here as well.
    }
}

/// Tries until the event is delivered or dropped. `false`: it is over before.
async fn until_delivered(reader: &mut Reader, notification: &NotificationConfig, row: &AuditRow, event: Event) -> bool {
    let mut state = None;
    while !reader.is_over() {
        let turn = Turn { host: &reader.host, cursor: &reader.name, notification, row, event: &event };
        match turn.take(state.take()).await {
            Ok(Next::Done) => {
                reader.did(row.seq);
                return true;
            }
            Ok(Next::Later(delivery)) => {
                let wait = delivery.next_attempt.saturating_sub(reader.host.clock.now());
                let wait = Duration::from_micros(wait.unsigned_abs().max(1));
                state = Some(delivery);
                // By the clock's time, whose hands may be moved.
                pause(wait.min(LOOK * 2), &mut reader.shutdown).await;
            }
            Err(error) => {
                tracing::error!(notification = %notification.name.value, "a delivery could not be noted: {error}");
                pause(LOOK * 4, &mut reader.shutdown).await;
            }
        }
    }
    false
}

/// What follows from a turn.
enum Next {
    Done,
    Later(DeliveryRow),
}

/// One look at one event for one subscription.
struct Turn<'a> {
    host: &'a Host,
    cursor: &'a str,
    notification: &'a NotificationConfig,
    row: &'a AuditRow,
    event: &'a Event,
}

/// Why an attempt failed.
struct Refusal {
    because: String,
    /// What the receiver asked for.
    wait: Option<Duration>,
}

impl Turn<'_> {
    async fn take(&self, known: Option<DeliveryRow>) -> Result<Next> {
        let now = self.host.clock.now();
        let state = match known {
            Some(state) => state,
            None => self.state(now).await?,
        };
        if now < state.next_attempt {
            return Ok(Next::Later(state));
        }
        match self.attempt().await? {
            Ok(outcome) => {
                self.host.counts.deliveries.of(["delivered"]).add(1);
                self.end(DeliveryRow { attempts: 0, outcome, ..state }, None).await?;
                Ok(Next::Done)
            }
            Err(refusal) => self.failed(state, refusal).await,
        }
    }

    /// What an earlier process left of this very event.
    async fn state(&self, now: Micros) -> Result<DeliveryRow> {
        let subscription = &self.notification.name.value;
        let known = self.host.store.delivery(subscription).await?;
        Ok(known.filter(|known| known.seq == self.row.seq && known.attempts > 0).unwrap_or_else(|| DeliveryRow {
            subscription: subscription.clone(),
            seq: self.row.seq,
            attempts: 0,
            since: now,
            next_attempt: now,
            outcome: String::new(),
        }))
    }

    async fn failed(&self, state: DeliveryRow, refusal: Refusal) -> Result<Next> {
        let now = self.host.clock.now();
        let attempts = state.attempts + 1;
        let wait = wait(&state.subscription, state.seq, attempts).max(refusal.wait.unwrap_or_default());
        let next_attempt = now.saturating_add(micros(wait));
        let outcome = refusal.because;
        let given_up = now.saturating_sub(state.since) >= PATIENCE;
        self.host.counts.deliveries.of([if given_up { "given-up" } else { "failed" }]).add(1);
        tracing::warn!(notification = %state.subscription, event = %self.event.id, attempts, "not delivered: {outcome}");
        if given_up {
            let details =
                json!({ "event": self.event.id, "type": self.event.kind, "attempts": attempts, "reason": outcome });
            let dropped = AuditEntry {
                stamp: Stamp { time: now, actor: ACTOR.to_owned() },
                action: "notification.dropped".to_owned(),
                subject: format!("notification:{}", state.subscription),
                details: details.to_string(),
            };
            self.end(DeliveryRow { attempts: 0, outcome: format!("dropped: {outcome}"), ..state }, Some(dropped))
                .await?;
            return Ok(Next::Done);
        }
        let state = DeliveryRow { attempts, next_attempt, outcome, ..state };
        let row = state.clone();
        let noted =
            self.host.store.with_tx::<_, Error, _>(move |tx| Box::pin(async move { Ok(tx.set_delivery(&row).await?) }));
        noted.await?;
        Ok(Next::Later(state))
    }

    /// The subscription is done with the event.
    async fn end(&self, state: DeliveryRow, record: Option<AuditEntry>) -> Result<()> {
        let (cursor, now) = (self.cursor.to_owned(), self.host.clock.now());
        let ended = self.host.store.with_tx::<_, Error, _>(move |tx| {
            Box::pin(async move {
                tx.set_delivery(&state).await?;
                tx.set_feed_cursor(&cursor, state.seq, now).await?;
                record.into_iter().for_each(|record| tx.audit(record));
                Ok(())
            })
        });
        ended.await
    }

    /// Sends the event once. The outer error is this host's own.
    async fn attempt(&self) -> Result<Result<String, Refusal>> {
        let refused = |because: String| Ok(Err(Refusal { because, wait: None }));
        let mut event = self.event.clone();
        match depth_of_record(self.host, self.row).await? {
            0 => {}
            depth => {
                event.extensions.insert(DEPTH.to_owned(), depth.into());
            }
        }
        let body = event.to_json().to_string().into_bytes();
        let mut headers = vec![("content-type".to_owned(), STRUCTURED.as_bytes().to_vec())];
        if let Some(name) = &self.notification.secret {
            match signed(self.host, name, &body).await {
                Ok(header) => headers.push(header),
                Err(error @ Error::User(_)) => return refused(first_line(&error)),
                Err(error) => return Err(error),
            }
        }
        let url = self.notification.url.clone();
        let request = HttpRequest { method: "POST".to_owned(), url, headers, body, timeout: Some(TIMEOUT) };
        Ok(match self.host.broker.send(&self.host.project.policy.http, request).await {
            Ok(answer) if (200..300).contains(&answer.status) => Ok(format!("answered {}", answer.status)),
            Ok(answer) => Err(Refusal { because: format!("answered {}", answer.status), wait: asked_wait(&answer) }),
            Err(HttpFailure::Denied(because)) => {
                return refused(format!("{because}; list the origin under `policy.http` in wasmlops.yaml"));
            }
            Err(failure) => return refused(failure.to_string()),
        })
    }
}

/// The header that signs a body, with the secret of that name.
///
/// # Errors
/// The user's: there is no such secret, or it cannot be opened.
pub(crate) async fn signed(host: &Host, secret: &str, body: &[u8]) -> Result<(String, Vec<u8>)> {
    let Some(value) = secrets::reveal(host, secret).await? else { return Err(secrets::unknown(secret)) };
    let header = signature(&value, host.clock.now() / 1_000_000, body);
    Ok((SIGNATURE.to_owned(), header.into_bytes()))
}

/// The first line of an error: the rest shows places in files.
fn first_line(error: &Error) -> String {
    match error {
        Error::User(problems) => problems.0.first().map(|problem| problem.message.clone()).unwrap_or_default(),
        error => error.to_string(),
    }
}

/// Doubles with each attempt, and takes between half and all of that, so that many senders do not come at once. It
/// follows from what is sent alone.
fn wait(subscription: &str, seq: i64, attempts: i64) -> Duration {
    let exponent = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(16);
    let full = FIRST_WAIT.saturating_mul(1 << exponent).min(LONGEST_WAIT);
    let dice = Digest::blake3(format!("{subscription}/{seq}/{attempts}").as_bytes()).hex();
    let share = u32::from_str_radix(&dice[..6], 16).map_or(1.0, |number| f64::from(number) / f64::from(0xff_ffff));
    full.mul_f64(0.5 + 0.5 * share)
}

fn asked_wait(answer: &HttpResponse) -> Option<Duration> {
    let header = answer.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?;
    let seconds = std::str::from_utf8(&header.1).ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_ASKED))
}

fn micros(duration: Duration) -> Micros {
    Micros::try_from(duration.as_micros()).unwrap_or(Micros::MAX)
}
