//! The keys of a schedule in the project file.

use serde_json::json;

use super::{Key, boolean, duration, name, object, optional, required, scalar, text};

pub(in crate::config) const SCHEDULE: &[Key] = &[
    required("pipeline", "the pipeline that is run", name),
    optional(
        "cron",
        "when: minute, hour, day of the month, month, day of the week: `30 2 * * *`; or `@daily` and its like",
        text,
    ),
    optional("zone", "whose clocks `cron` means, by the name in the IANA database; UTC if left out", text),
    optional("every", "how long from one time to the next: `6h`", duration),
    optional(
        "start",
        "a time from which `every` counts, RFC 3339; 1970-01-01T00:00:00Z if left out",
        || json!({"type": "string", "format": "date-time"}),
    ),
    optional("params", "the parameters of the runs", || json!({"type": "object", "additionalProperties": scalar()})),
    optional(
        "overlap",
        "what happens while an earlier run is under way: `skip`, `queue` or `replace`; `skip` if left out",
        || json!({"enum": ["skip", "queue", "replace"]}),
    ),
    optional(
        "catch_up",
        "what happens to times that were missed: `skip`, `latest` or `{ all: 100 }`; `latest` if left out",
        || json!({"anyOf": [{"enum": ["skip", "latest"]}, object(CATCH_UP)]}),
    ),
    optional("jitter", "up to how much later than its time a run is submitted: `30s`", duration),
    optional(
        "priority",
        "which queued runs go first: -100 to 100; 0 if left out",
        || json!({"type": "integer", "minimum": -100, "maximum": 100}),
    ),
    optional("paused", "`true` holds the schedule", boolean),
    optional("description", "what the schedule is for, in a sentence", text),
];

pub(in crate::config) const CATCH_UP: &[Key] = &[required(
    "all",
    "how many of the missed times get a run: the last so many",
    || json!({"type": "integer", "minimum": 1, "maximum": 1000}),
)];
