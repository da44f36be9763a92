//! Metrics: every point, and apart from them the latest of each.
//!
//! The latest point is the greatest by (step, time, value); a NaN counts as 0 there, as it does in MLflow. The same point
//! again changes nothing.

use std::collections::BTreeMap;

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::names::check_key;
use crate::error::StoreError;
use crate::script::{Insert, Script};
use crate::store::Store;

/// A value of a metric.
#[derive(Clone, PartialEq, Debug)]
pub struct MetricPoint {
    /// The pipeline's step that it belongs to; empty for the run as a whole.
    pub step_key: String,
    pub key: String,
    /// The x axis: epoch, iteration.
    pub step: i64,
    /// Microseconds since 1970.
    pub time: i64,
    /// May be NaN or infinite.
    pub value: f64,
}

impl MetricPoint {
    /// A database may know no NaN: value and flag.
    fn stored(&self) -> (f64, bool) {
        if self.value.is_nan() { (0.0, true) } else { (self.value, false) }
    }

    fn is_later_than(&self, other: &Self) -> bool {
        let place = |point: &Self| (point.step, point.time);
        place(self).cmp(&place(other)).then(self.stored().0.total_cmp(&other.stored().0)).is_ge()
    }
}

impl Store {
    /// Adds points, all of them or none.
    ///
    /// # Errors
    /// [`StoreError::RunNotFound`], [`StoreError::Refused`].
    pub async fn append_metric_points(&self, run: &str, points: Vec<MetricPoint>) -> Result<(), StoreError> {
        check_points(&points)?;
        let run = run.to_owned();
        self.with_tx(move |tx| {
            Box::pin(async move {
                let mut script = Script::new();
                upsert_latest(&mut script, &run, &points);
                insert_points(&mut script, &run, points);
                tx.run(script).await.map_err(|error| error.or_unknown_run(run))
            })
        })
        .await
    }

    /// The latest point of each metric of a run.
    pub async fn metrics(&self, run: &str) -> Result<Vec<MetricPoint>, StoreError> {
        let query = sqlx::query(
            "SELECT step_key, key, step, time, value, is_nan FROM metrics WHERE run = $1 ORDER BY step_key, key",
        );
        let rows = query.bind(run).fetch_all(&mut *self.reader().await?).await?;
        Ok(rows.iter().map(metric_point).collect::<Result<_, _>>()?)
    }

    /// All points of a metric, by time, step and value.
    pub async fn metric_history(&self, run: &str, step_key: &str, key: &str) -> Result<Vec<MetricPoint>, StoreError> {
        let query = sqlx::query(
            "SELECT step_key, key, step, time, value, is_nan FROM metric_points
             WHERE run = $1 AND step_key = $2 AND key = $3 ORDER BY time, step, value, is_nan",
        );
        let rows = query.bind(run).bind(step_key).bind(key).fetch_all(&mut *self.reader().await?).await?;
        Ok(rows.iter().map(metric_point).collect::<Result<_, _>>()?)
    }
}

pub(crate) fn check_points(points: &[MetricPoint]) -> Result<(), StoreError> {
    for point in points {
        check_key("metric", &point.key)?;
        if point.time < 0 {
            return Err(StoreError::refused(format!("a time of metric `{}`", point.key), "it is before 1970"));
        }
    }
    Ok(())
}

pub(crate) fn insert_points(script: &mut Script, run: &str, points: Vec<MetricPoint>) {
    let insert = Insert {
        head: "INSERT INTO metric_points (run, step_key, key, time, step, value, is_nan)",
        row: "(?, ?, ?, ?, ?, ?, ?)",
        tail: "ON CONFLICT (run, step_key, key, time, step, value, is_nan) DO NOTHING",
    };
    script.insert(insert, points, |values, point| {
        let (value, is_nan) = point.stored();
        values.bind(run).bind(point.step_key).bind(point.key).bind(point.time).bind(point.step);
        values.bind(value).bind(is_nan);
    });
}

pub(crate) fn upsert_latest(script: &mut Script, run: &str, points: &[MetricPoint]) {
    let insert = Insert {
        head: "INSERT INTO metrics (run, step_key, key, step, time, value, is_nan)",
        row: "(?, ?, ?, ?, ?, ?, ?)",
        tail: "ON CONFLICT (run, step_key, key) DO UPDATE SET
                   step = excluded.step, time = excluded.time, value = excluded.value, is_nan = excluded.is_nan
               WHERE (excluded.step, excluded.time, excluded.value) >= (metrics.step, metrics.time, metrics.value)",
    };
    // One statement may touch a row once only.
    let mut latest: BTreeMap<(&str, &str), &MetricPoint> = BTreeMap::new();
    for point in points {
        let held = latest.entry((&point.step_key, &point.key)).or_insert(point);
        if point.is_later_than(held) {
            *held = point;
        }
    }
    script.insert(insert, latest.into_values(), |values, point| {
        let (value, is_nan) = point.stored();
        values.bind(run).bind(point.step_key.as_str()).bind(point.key.as_str()).bind(point.step);
        values.bind(point.time).bind(value).bind(is_nan);
    });
}

fn metric_point(row: &SqliteRow) -> Result<MetricPoint, sqlx::Error> {
    let is_nan: bool = row.try_get("is_nan")?;
    Ok(MetricPoint {
        step_key: row.try_get("step_key")?,
        key: row.try_get("key")?,
        step: row.try_get("step")?,
        time: row.try_get("time")?,
        value: if is_nan { f64::NAN } else { row.try_get("value")? },
    })
}
