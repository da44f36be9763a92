//! What becomes of a column of text that nobody said anything about.

use wasmlops_sdk::{Result, log};

use super::Fitting;
use super::categories::Counts;
use crate::apply::texts::tokens;
use crate::config::{Encoding, Hash, Profile};

/// Few values are categories; many that come again are known by what the target does with them; and where nearly every
/// row has its own, it is a text to be read, or an identifier that says nothing.
pub(super) fn choose(fitting: &Fitting, name: &str, counts: &Counts) -> Result<Vec<Encoding>> {
    let trees = fitting.settings.profile == Profile::Trees;
    let few = if trees { Encoding::Category } else { Encoding::OneHot };
    let often = counts.texts.values().filter(|&&count| count >= fitting.config.one_hot.min_count).count();
    if often <= fitting.settings.max_categories || !fitting.settings.free {
        return Ok(vec![few]);
    }
    let (values, rows) = (counts.texts.len(), counts.texts.values().sum::<u64>());
    let own = 2 * values as u64 > rows;
    let words: usize = counts.texts.keys().map(|text| tokens(text).count()).sum();
    let (chosen, why) = match own {
        true if words >= WORDS_OF_TEXT * values => {
            (vec![Encoding::Words, Encoding::Hash(Hash::default())], "free text")
        }
        true => (Vec::new(), "an identifier, and left out"),
        false if trees => (vec![Encoding::Category], "a category"),
        false if by_target(fitting)? => (vec![Encoding::Target], "encoded by the target"),
        false => (vec![Encoding::Frequency], "encoded by frequency"),
    };
    let line = format!("column `{name}` has {values} values in {rows} rows: {why}, unless `encode` says otherwise");
    if chosen.is_empty() {
        log::warn(line)
    } else {
        log::info(line)
    }
    Ok(chosen)
}

/// Whether there is a target that can be learned from.
fn by_target(fitting: &Fitting) -> Result<bool> {
    Ok(fitting.config.target.is_some() && fitting.learning()?.is_ok())
}

/// A text has this many words a row at least; a name or an identifier has fewer.
const WORDS_OF_TEXT: usize = 3;
