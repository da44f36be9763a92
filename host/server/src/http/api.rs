//! `/api/v1`, one file for each noun: its routes, and their handlers beside them.
//!
//! A handler extracts, calls one function of the room that owns the noun, and maps what it gets to a view. No handler
//! knows SQL or a path in the file system, and who may call it is said by its route alone.

mod aliases;
mod approvals;
mod artifacts;
mod audit;
mod endpoints;
mod events;
mod feeds;
mod lineage;
mod models;
mod monitors;
mod pipelines;
mod plugins;
mod projects;
mod runs;
mod schedules;
mod secrets;
mod storage;
mod tokens;
mod tracking;
mod triggers;
mod uploads;

pub(super) use self::uploads::UPLOADS;
use super::route::Route;

pub(super) fn routes() -> Vec<Route> {
    let groups = [
        projects::routes(),
        pipelines::routes(),
        runs::routes(),
        feeds::routes(),
        tracking::routes(),
        artifacts::routes(),
        uploads::routes(),
        lineage::routes(),
        plugins::routes(),
        models::routes(),
        aliases::routes(),
        endpoints::routes(),
        monitors::routes(),
        schedules::routes(),
        triggers::routes(),
        approvals::routes(),
        events::routes(),
        audit::routes(),
        tokens::routes(),
        secrets::routes(),
        storage::routes(),
    ];
    groups.into_iter().flatten().collect()
}
