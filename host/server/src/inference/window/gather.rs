//! The rows of a window, wherever they are: each once, at any moment.

use wasmlops_store::{BlobError, InferenceState, SegmentRow};

use super::WindowSpec;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::inference::disk;
use crate::inference::pieces::{self, Piece, RowIndex};

/// Pieces of the log, and which of their rows are meant.
pub(in crate::inference) struct Gathered {
    /// The one with the newest row is the last.
    pub pieces: Vec<Piece>,
    /// In the order in which they were logged.
    pub rows: Vec<GatheredRow>,
}

pub(in crate::inference) struct GatheredRow {
    pub piece: usize,
    pub row: u64,
    pub index: RowIndex,
}

pub(super) async fn gather(host: &Host, endpoint: &str, spec: WindowSpec) -> Result<Gathered> {
    let (home, name) = (host.home.clone(), endpoint.to_owned());
    // The journals first: see `disk::journals`.
    let journals = tokio::task::spawn_blocking(move || disk::journals(&home, &name)).await.map_err(Error::bug)??;
    let state = host.store.inference_state(endpoint).await?;
    let live = journals.into_iter().filter(|(number, _)| *number as i64 > state.sealed).map(|(_, journal)| journal);
    let live: Vec<_> = live.collect();
    let next_seq = live.iter().map(|journal| journal.next_seq() as i64).max().unwrap_or(0).max(state.next_seq);
    let spec = match spec {
        WindowSpec::Last(rows) => {
            let rows = i64::try_from(rows).unwrap_or(i64::MAX);
            WindowSpec::Rows { from_seq: next_seq.saturating_sub(rows), to_seq: next_seq }
        }
        spec => spec,
    };
    let tables = segments(host, &state, spec).await?;
    let take = move || -> Result<Gathered> {
        let mut pieces = Vec::new();
        for (segment, bytes) in tables {
            pieces.push(Piece::of_segment(bytes, segment.features as usize, segment.target.as_deref())?);
        }
        for journal in &live {
            pieces.extend(pieces::of_journal(journal)?);
        }
        Ok(chosen(pieces, spec))
    };
    tokio::task::spawn_blocking(take).await.map_err(Error::bug)?
}

/// The rows of a segment from this number on.
pub(super) async fn rows_from(host: &Host, segment: &SegmentRow, seq: i64) -> Result<Vec<RowIndex>> {
    let Some(bytes) = table(host, segment).await? else { return Ok(Vec::new()) };
    let piece = Piece::of_segment(bytes, segment.features as usize, segment.target.as_deref())?;
    Ok(piece.index().into_iter().filter(|row| row.seq as i64 >= seq).collect())
}

/// The tables that may hold rows of the window.
async fn segments(host: &Host, state: &InferenceState, spec: WindowSpec) -> Result<Vec<(SegmentRow, Vec<u8>)>> {
    let may_hold = |segment: &&SegmentRow| match spec {
        WindowSpec::Last(_) => true,
        WindowSpec::Rows { from_seq, to_seq } => segment.last_seq >= from_seq && segment.first_seq < to_seq,
        WindowSpec::Time { start, end } => segment.last_time >= start && segment.first_time < end,
    };
    let mut tables = Vec::new();
    for segment in state.segments.iter().filter(may_hold) {
        tables.extend(table(host, segment).await?.map(|bytes| (segment.clone(), bytes)));
    }
    Ok(tables)
}

/// A segment's table, unless a cap has removed it meanwhile.
async fn table(host: &Host, segment: &SegmentRow) -> Result<Option<Vec<u8>>> {
    match host.store.blobs().get(&segment.digest).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(BlobError::Missing(_)) => Ok(None),
        Err(error) => Err(Error::store(error)),
    }
}

fn chosen(pieces: Vec<Piece>, spec: WindowSpec) -> Gathered {
    let is_meant = |row: &RowIndex| match spec {
        WindowSpec::Last(_) => true,
        WindowSpec::Rows { from_seq, to_seq } => (from_seq..to_seq).contains(&(row.seq as i64)),
        WindowSpec::Time { start, end } => (start..end).contains(&row.time),
    };
    let mut rows = Vec::new();
    let mut kept = Vec::new();
    for piece in pieces {
        let before = rows.len();
        let meant = piece.index().into_iter().enumerate().filter(|(_, index)| is_meant(index));
        rows.extend(meant.map(|(row, index)| GatheredRow { piece: kept.len(), row: row as u64, index }));
        if rows.len() > before {
            kept.push(piece);
        }
    }
    rows.sort_by_key(|row| row.index.seq);
    Gathered { pieces: kept, rows }
}
