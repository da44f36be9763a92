//! The options with their defaults, which depend on the profile.

use crate::config::{CategoricalFill, Config, Encoding, NumericFill, Profile, Scale};
use crate::problems::{Fault, Problems};

/// Default limit of `one_hot.max_categories`.
const MAX_CATEGORIES: usize = 64;

/// Options that hold for all columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub profile: Profile,
    pub numeric: NumericFill,
    pub categorical: CategoricalFill,
    pub scale: Scale,
    pub max_categories: usize,
    pub numbers: Option<Vec<Encoding>>,
    /// `None`: as the values suggest.
    pub texts: Option<Vec<Encoding>>,
    /// Whether columns of text may be encoded in another way than by `one_hot`, or left out.
    pub free: bool,
}

impl Settings {
    pub fn of(config: &Config, problems: &mut Problems) -> Self {
        let trees = config.profile == Profile::Trees;
        let cross_fit = &config.target_encoding.cross_fit;
        if cross_fit.folds == 1 || cross_fit.folds > 100 {
            let key = "target_encoding.cross_fit.folds";
            let hint = "give a number from 2 to 100, or 0 to switch cross-fitting off";
            problems.add(key, Fault::new(format!("`folds` is {}", cross_fit.folds), hint));
        }
        if let Some(smooth) = config.target_encoding.smooth.filter(|smooth| !(*smooth >= 0.0 && smooth.is_finite())) {
            let fault = Fault::new(format!("`smooth` is {smooth}"), "give a number of rows from 0");
            problems.add("target_encoding.smooth", fault);
        }
        if cross_fit
            .key
            .as_ref()
            .is_some_and(|key| key.is_empty() || key.iter().any(|name| config.target.as_ref() == Some(name)))
        {
            let hint = "name columns that tell rows apart, such as an identifier; not the target";
            let fault = Fault::new("`key` is empty or names the target", hint);
            problems.add("target_encoding.cross_fit.key", fault);
        }
        if config.scale.is_some() && config.standardise.is_some() {
            let fault = Fault::new("both `scale` and `standardise` are set", "keep `scale`");
            problems.add("scale", fault);
        }
        let by_default = if trees { Scale::None } else { Scale::Standard };
        let standardise = config.standardise.map(|yes| if yes { Scale::Standard } else { Scale::None });
        let numeric = if trees { NumericFill::Keep } else { NumericFill::Median };
        let categorical = if trees { CategoricalFill::Keep } else { CategoricalFill::MostFrequent };
        Self {
            profile: config.profile,
            numeric: config.impute.numeric.unwrap_or(numeric),
            categorical: config.impute.categorical.clone().unwrap_or(categorical),
            scale: config.scale.or(standardise).unwrap_or(by_default),
            max_categories: config.one_hot.max_categories.unwrap_or(MAX_CATEGORIES),
            numbers: Some(config.numbers.clone().unwrap_or_else(|| vec![Encoding::Number])),
            texts: config.texts.clone(),
            free: config.one_hot.max_categories.is_none(),
        }
    }
}
