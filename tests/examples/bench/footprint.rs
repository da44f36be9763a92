//! What a server that nobody asks holds in memory, and how long it takes until it is ready.

use std::time::Duration;

use anyhow::Result;

use crate::project::Project;
use crate::{Setting, table};

/// Long enough for what follows a start to be done.
const REST: Duration = Duration::from_secs(3);

pub fn measure(setting: &Setting) -> Result<()> {
    let project = Project::new(setting)?;
    let names: Vec<String> = (0..10).map(|number| format!("endpoint-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut lines = vec![table::row(["endpoints", "ready after", "resident memory"])];
    for endpoints in [&names[..0], &names[..1], &names[..]] {
        project.declare(endpoints, "")?;
        // The first start asks for the releases; the one that is measured finds them, as after a restart.
        drop(project.serve()?);
        let server = project.serve()?;
        std::thread::sleep(REST);
        lines.push(vec![
            endpoints.len().to_string(),
            table::time(server.started),
            format!("{} MiB", table::digits(server.resident()? as f64 / f64::from(1 << 20))),
        ]);
    }
    table::print("The idle server; two warm instances an endpoint", &lines);
    Ok(())
}
