//! Keeps secrets out of what an attempt leaves behind: hidden in texts, and no reason to keep bytes that hold one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use wasmlops_core::call::{LogLine, MetricPoint, Observer, Progress};
use wasmlops_core::run::Failure;

use super::Redactor;
use crate::executor::{Executed, Made};

/// What came of an attempt, without secrets. An output that holds one is not kept, and fails the step.
pub(crate) fn cleared(executed: Executed, redactor: &Redactor, leaked: &AtomicBool) -> Executed {
    if redactor.is_idle() {
        return executed;
    }
    let Executed { failure, made } = executed;
    let in_output = made.outputs.iter().find(|(_, output)| redactor.finds(&output.bytes)).map(|(name, _)| name);
    let place = match in_output {
        Some(name) => Some(format!("output `{}`", redactor.redact(name))),
        None if made.parts.iter().any(|part| redactor.finds(part)) => Some("an output".to_owned()),
        None if leaked.load(Ordering::Relaxed) => Some("a checkpoint".to_owned()),
        None => None,
    };
    match place {
        Some(place) => {
            let usage = made.usage;
            Executed { failure: Some(secret_leaked(&place)), made: Made { usage, ..Made::default() } }
        }
        None => Executed { failure: failure.map(|failure| hidden(failure, redactor)), made },
    }
}

fn secret_leaked(place: &str) -> Failure {
    Failure {
        code: "secret-leaked".to_owned(),
        message: format!("{place} holds a secret that the step was given; nothing of the attempt was kept"),
        hint: Some(
            "a plugin must not write its secrets anywhere; give it none, or mend it, and set the secret anew"
                .to_owned(),
        ),
        field: None,
        retryable: false,
    }
}

fn hidden(failure: Failure, redactor: &Redactor) -> Failure {
    let hide = |text: String| redactor.redact(&text).into_owned();
    Failure {
        code: failure.code,
        message: hide(failure.message),
        hint: failure.hint.map(hide),
        field: failure.field.map(hide),
        retryable: failure.retryable,
    }
}

/// Passes on what a guest says, without secrets. The flag is set where a checkpoint held one, which is then dropped.
pub(crate) fn discreet(observer: Arc<dyn Observer>, redactor: &Redactor) -> (Arc<dyn Observer>, Arc<AtomicBool>) {
    let leaked = Arc::new(AtomicBool::new(false));
    match redactor.is_idle() {
        true => (observer, leaked),
        false => (Arc::new(Discreet { observer, redactor: redactor.clone(), leaked: leaked.clone() }), leaked),
    }
}

struct Discreet {
    observer: Arc<dyn Observer>,
    redactor: Redactor,
    leaked: Arc<AtomicBool>,
}

impl Discreet {
    fn hide(&self, text: String) -> String {
        self.redactor.redact(&text).into_owned()
    }
}

impl Observer for Discreet {
    fn log(&self, line: LogLine) {
        let fields = line.fields.into_iter().map(|(name, value)| (self.hide(name), self.hide(value))).collect();
        self.observer.log(LogLine { level: line.level, message: self.hide(line.message), fields });
    }

    fn metrics(&self, points: Vec<MetricPoint>) {
        let clear = |point: MetricPoint| MetricPoint { name: self.hide(point.name), ..point };
        self.observer.metrics(points.into_iter().map(clear).collect());
    }

    fn progress(&self, progress: Progress) {
        self.observer.progress(Progress { message: self.hide(progress.message), ..progress });
    }

    fn checkpoint(&self, state: Vec<u8>) {
        match self.redactor.finds(&state) {
            true => self.leaked.store(true, Ordering::Relaxed),
            false => self.observer.checkpoint(state),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use wasmlops_core::call::LogLevel;

    use super::*;
    use crate::executor::Bytes;

    const VALUE: &str = "canary-3f9a1c";

    #[derive(Default)]
    struct Heard(Mutex<String>);

    impl Observer for Heard {
        fn log(&self, line: LogLine) {
            self.0.lock().unwrap().push_str(&format!("{line:?}"));
        }

        fn metrics(&self, points: Vec<MetricPoint>) {
            self.0.lock().unwrap().push_str(&format!("{points:?}"));
        }

        fn progress(&self, progress: Progress) {
            self.0.lock().unwrap().push_str(&format!("{progress:?}"));
        }

        fn checkpoint(&self, state: Vec<u8>) {
            self.0.lock().unwrap().push_str(&String::from_utf8_lossy(&state));
        }
    }

    #[test]
    fn nothing_said_holds_a_secret() {
        let redactor = Redactor::new([VALUE.as_bytes()]);
        let heard = Arc::new(Heard::default());
        let (observer, leaked) = discreet(heard.clone(), &redactor);
        let text = || format!("it is {VALUE}");
        observer.log(LogLine { level: LogLevel::Info, message: text(), fields: vec![(text(), text())] });
        observer.metrics(vec![MetricPoint { name: text(), value: 1.0, step: 0 }]);
        observer.progress(Progress { done: 1, total: None, message: text() });
        observer.checkpoint(b"harmless state".to_vec());
        assert!(!leaked.load(Ordering::Relaxed));
        observer.checkpoint(text().into_bytes());
        assert!(leaked.load(Ordering::Relaxed));
        let heard = heard.0.lock().unwrap();
        assert!(!heard.contains(VALUE) && heard.contains("[secret]") && heard.contains("harmless"), "{heard}");
    }

    #[test]
    fn nothing_made_holds_a_secret() {
        let redactor = Redactor::new([VALUE.as_bytes()]);
        let failure = Failure {
            code: "invalid-config".into(),
            message: format!("`{VALUE}` is wrong"),
            hint: Some(format!("correct `{VALUE}`")),
            field: Some(VALUE.into()),
            retryable: false,
        };
        let end =
            cleared(Executed { failure: Some(failure), made: Made::default() }, &redactor, &AtomicBool::new(false));
        let text = format!("{end:?}");
        assert!(!text.contains(VALUE) && text.contains("[secret]"), "{text}");

        let bytes = Bytes { media_type: "x".into(), bytes: format!("..{VALUE}..").into_bytes(), rows: None };
        let outputs = [("report".to_owned(), bytes)].into_iter().collect();
        let made = Made { outputs, parts: vec![b"part".to_vec()], ..Made::default() };
        let end = cleared(Executed { failure: None, made }, &redactor, &AtomicBool::new(false));
        assert_eq!(end.failure.unwrap().code, "secret-leaked");
        assert!(end.made.outputs.is_empty() && end.made.parts.is_empty());
    }
}
