//! Features of several columns.

use wasmlops_sdk::Result;

use super::{Fitting, scaling};
use crate::apply::Encoder;
use crate::config::Interaction;
use crate::plan::operands;
use crate::problems::Fault;
use crate::state::{ColumnState, Encoding, State};

/// Fits one: what fills it, and its scale.
pub(super) fn fit(fitting: &Fitting, interaction: &Interaction) -> Result<Result<ColumnState, Fault>> {
    let of = operands(interaction).to_vec();
    let (name, encoding) = match interaction {
        Interaction::Product(names) => (names.join("*"), Encoding::Product { of, fill: None }),
        Interaction::Ratio(names) => (names.join("/"), Encoding::Ratio { of, fill: None }),
    };
    let mut state =
        ColumnState { name, indicate_missing: false, keep_missing: true, held: None, encoding, scaling: Vec::new() };
    let fill = match fill_of(fitting, &state)? {
        Ok(fill) => fill,
        Err(fault) => return Ok(Err(fault)),
    };
    state.keep_missing = fitting.keeps_numbers();
    if let Encoding::Product { fill: found, .. } | Encoding::Ratio { fill: found, .. } = &mut state.encoding {
        *found = fill;
    }
    scaling::scaled(fitting, state)
}

/// Of the state's one feature, whose gaps are kept as yet.
pub(super) fn fill_of(fitting: &Fitting, state: &ColumnState) -> Result<Result<Option<f64>, Fault>> {
    let schema = fitting.table.schema();
    let alone = State {
        columns: vec![state.clone()],
        unseen: fitting.config.one_hot.unseen,
        pass_through: Vec::new(),
        target: None,
        members: None,
    };
    let mut indexes: Vec<usize> = state.sources().into_iter().filter_map(|name| schema.index_of(name)).collect();
    indexes.sort_unstable();
    indexes.dedup();
    let input = wasmlops_sdk::Schema::new(indexes.iter().map(|&index| schema.fields[index].clone()).collect());
    let encoder = Encoder::new(alone, &input)?;
    let mut values = Vec::with_capacity(fitting.table.num_rows());
    for batch in fitting.table.batches(&indexes) {
        values.extend(encoder.quantities(&batch?)?.into_iter().flatten());
    }
    Ok(fitting.fill_of(&state.name, &values))
}
