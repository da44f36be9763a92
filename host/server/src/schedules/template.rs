//! What all runs of a schedule have in common is prepared once: the pipeline, read and bound.

use std::collections::HashMap;

use wasmlops_core::config::ScheduleConfig;
use wasmlops_package::Digest;

use super::submission;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::runs::{Prepared, Submission, prepare};

/// More schedules with different parameters than these are prepared anew each time.
const MOST: usize = 256;

/// Prepared runs by pipeline and parameters, as long as the pipeline's file stays as it is.
#[derive(Default)]
pub(super) struct Templates {
    prepared: HashMap<(String, String, i32), (Digest, Prepared)>,
    /// Of the pipelines' files, in this round.
    files: HashMap<String, Digest>,
}

impl Templates {
    /// Files are looked at again from here on.
    pub fn begin_round(&mut self) {
        self.files.clear();
    }

    /// The schedule's run but for its time. Errors: as of [`prepare`].
    pub async fn get(&mut self, host: &Host, schedule: &ScheduleConfig) -> Result<Prepared> {
        let pipeline = schedule.pipeline.value.clone();
        let digest = match self.files.get(&pipeline) {
            Some(digest) => *digest,
            None => {
                let digest = read(host, &pipeline).await?;
                self.files.insert(pipeline.clone(), digest);
                digest
            }
        };
        let params = serde_json::to_string(&schedule.params).map_err(Error::bug)?;
        let key = (pipeline, params, schedule.priority);
        if let Some((known, prepared)) = self.prepared.get(&key)
            && *known == digest
        {
            return Ok(prepared.clone());
        }
        let prepared = prepare(host, &Submission { id: None, ..submission(schedule, 0, String::new()) }).await?;
        if self.prepared.len() >= MOST {
            self.prepared.clear();
        }
        self.prepared.insert(key, (digest, prepared.clone()));
        Ok(prepared)
    }
}

/// A file that is not there has the digest of nothing: preparing it will say so.
async fn read(host: &Host, pipeline: &str) -> Result<Digest> {
    let path = host.project.root.join("pipelines").join(format!("{pipeline}.yaml"));
    let read = move || Digest::blake3(&std::fs::read(path).unwrap_or_default());
    tokio::task::spawn_blocking(read).await.map_err(Error::bug)
}
