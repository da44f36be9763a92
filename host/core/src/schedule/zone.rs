//! Time zones by their IANA names, from the database that comes with the binary: a schedule means the same on every
//! machine, whatever is installed there.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::diagnostics::suggest;
use crate::run::Micros;

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The name is no zone's.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("there is no time zone `{name}`")]
pub struct UnknownZone {
    pub name: String,
    /// What was probably meant.
    pub near: Option<String>,
}

impl UnknownZone {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match &self.near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write a name of the IANA database, such as `Europe/Berlin` or `UTC`".to_owned(),
        }
    }
}

/// The zone of that name; case does not matter.
pub fn zone(name: &str) -> Result<TimeZone, UnknownZone> {
    // jiff answers to this name with a zone that says it is none.
    let known = ZONES.get(name).ok().filter(|zone| !zone.is_unknown());
    known.ok_or_else(|| UnknownZone { name: name.chars().take(100).collect(), near: near(name) })
}

/// A city alone, as people write it, else the name with a slip in it.
fn near(name: &str) -> Option<String> {
    let names: Vec<String> = ZONES.available().map(|name| name.as_str().to_owned()).collect();
    let wanted = name.replace(' ', "_");
    let city =
        names.iter().find(|known| known.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(&wanted)));
    city.cloned().or_else(|| suggest(&wanted, names.iter().map(String::as_str)).map(str::to_owned))
}

/// A day such as `2026-03-01` in a zone: its first instant.
pub fn day_in(zone: &TimeZone, text: &str) -> Option<Micros> {
    let day: Date = text.parse().ok()?;
    Some(first_instant(zone, day.at(0, 0, 0, 0))?.as_microsecond())
}

/// The instant at which clocks show `civil` for the first time, or where they skip it, the one at which they do.
pub(super) fn first_instant(zone: &TimeZone, civil: jiff::civil::DateTime) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    if !matches!(ambiguous.offset(), jiff::tz::AmbiguousOffset::Gap { .. }) {
        return ambiguous.earlier().ok();
    }
    // Read with the offset before the gap it lies behind the change, by as much as `civil` lies inside the gap.
    let behind = ambiguous.later().ok()?;
    let change = zone.preceding(behind.checked_add(jiff::SignedDuration::from_secs(1)).ok()?).next();
    change.map(|change| change.timestamp())
}
