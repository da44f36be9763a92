//! The catalog at its door, each test on a database of its own.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod aliases;
mod interleavings;
mod versions;

use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use wasmlops_catalog::*;
use wasmlops_package::Digest;

/// A time, in microseconds since 1970.
const NOON: i64 = 1_795_262_400_000_000;

async fn memory() -> SqliteConnection {
    let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    MIGRATIONS.run(&mut connection).await.unwrap();
    connection
}

fn content(name: &str, text: &str) -> NewVersion {
    NewVersion {
        name: name.to_owned(),
        project: "demo".to_owned(),
        digest: Digest::blake3(format!("{name} {text}").as_bytes()),
        model_digest: Digest::blake3(text.as_bytes()),
        evidence: vec![Digest::blake3(b"report")],
        origin: None,
        run: Some("run-1".to_owned()),
        step: Some("publish".to_owned()),
        git_commit: Some("c0ffee".to_owned()),
        actor: "cli:ann".to_owned(),
        time: NOON,
    }
}

/// A model `m` with so many versions that have evidence.
async fn with_versions(connection: &mut SqliteConnection, count: u64) {
    for number in 1..=count {
        let made = register(connection, content("m", &format!("weights {number}"))).await.unwrap();
        assert_eq!(made, Registered { version: number, created: true });
    }
}

fn wish(to: Option<u64>, expected: Expected) -> SetAlias {
    SetAlias {
        name: "m".to_owned(),
        alias: "champion".to_owned(),
        to,
        expected,
        reason: None,
        forced: false,
        actor: "cli:ann".to_owned(),
        time: NOON,
    }
}

fn undo(expected: Expected) -> Rollback {
    Rollback {
        name: "m".to_owned(),
        alias: "champion".to_owned(),
        expected,
        reason: Some("it errs".to_owned()),
        actor: "serving".to_owned(),
        time: NOON + 9,
    }
}
