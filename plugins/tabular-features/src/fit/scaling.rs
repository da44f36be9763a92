//! Brings features to similar size: what is learned are the features of the rows learned from, made by the encoder
//! itself.

use wasmlops_sdk::{Result, Schema};

use super::Fitting;
use crate::apply::Encoder;
use crate::config::{Encoding as Wanted, Scale};
use crate::problems::Fault;
use crate::state::{ColumnState, Encoding, Scaling, State};
use crate::statistics::{median, moments, quantile};

/// The state with its scaling, where its features are of any size.
pub(super) fn scaled(fitting: &Fitting, mut state: ColumnState) -> Result<Result<ColumnState, Fault>> {
    let by = match &state.encoding {
        Encoding::Value { .. } => of_value(fitting, &state.name),
        _ if state.is_quantity() => fitting.settings.scale,
        _ => Scale::None,
    };
    if by == Scale::None {
        return Ok(Ok(state));
    }
    for values in features(fitting, &state)? {
        let known: Vec<f64> = values.into_iter().filter(|value| !value.is_nan()).collect();
        match scaling(by, known) {
            Some(scaling) => state.scaling.push(scaling),
            None => return Ok(Err(too_large(&state.name))),
        }
    }
    Ok(Ok(state))
}

/// A value that is scaled by other means than `standard` was asked for by name, or stands for `number`.
fn of_value(fitting: &Fitting, name: &str) -> Scale {
    let wanted = fitting.config.encode.get(name).or(fitting.settings.numbers.as_ref());
    let named = wanted.into_iter().flatten().find_map(|wanted| match wanted {
        Wanted::MinMax => Some(Scale::MinMax),
        Wanted::Robust => Some(Scale::Robust),
        _ => None,
    });
    named.unwrap_or(fitting.settings.scale)
}

/// The features of all rows learned from.
fn features(fitting: &Fitting, state: &ColumnState) -> Result<Vec<Vec<f64>>> {
    let config = fitting.config;
    let members = match &state.encoding {
        Encoding::Target(_) => fitting.learning()?.ok().and_then(|learning| learning.members.clone()),
        _ => None,
    };
    let mut names = state.sources();
    if members.is_some() {
        names.extend(fitting.key.iter().chain(&config.target).map(String::as_str));
    }
    let schema = fitting.table.schema();
    let mut indexes: Vec<usize> = names.into_iter().filter_map(|name| schema.index_of(name)).collect();
    indexes.sort_unstable();
    indexes.dedup();
    let input = Schema::new(indexes.iter().map(|&index| schema.fields[index].clone()).collect());
    let state = State {
        columns: vec![state.clone()],
        unseen: config.one_hot.unseen,
        pass_through: Vec::new(),
        target: config.target.clone(),
        members,
    };
    let encoder = Encoder::new(state, &input)?;
    let mut features: Vec<Vec<f64>> = Vec::new();
    for batch in fitting.table.batches(&indexes) {
        let made = encoder.quantities(&batch?)?;
        features.resize_with(made.len(), Vec::new);
        features.iter_mut().zip(made).for_each(|(feature, values)| feature.extend(values));
    }
    Ok(features)
}

/// `None` where sums leave the range of numbers.
fn scaling(by: Scale, mut values: Vec<f64>) -> Option<Scaling> {
    let (centre, scale) = match by {
        _ if values.is_empty() => (0.0, 1.0),
        Scale::None => (0.0, 1.0),
        Scale::Standard => moments(&values).map(|moments| (moments.mean, moments.scale))?,
        Scale::MinMax => {
            values.sort_unstable_by(f64::total_cmp);
            (values[0], values[values.len() - 1] - values[0])
        }
        Scale::Robust => {
            values.sort_unstable_by(f64::total_cmp);
            (median(&values), quantile(&values, 0.75) - quantile(&values, 0.25))
        }
    };
    // A constant stays what it is, less its centre.
    let scale = if scale == 0.0 { 1.0 } else { scale };
    (centre.is_finite() && scale.is_finite()).then_some(Scaling { by, centre, scale })
}

pub(super) fn too_large(name: &str) -> Fault {
    let what = format!("column `{name}` has values too large to standardise");
    Fault::new(what, "rescale the column, or set `standardise: false`")
}
