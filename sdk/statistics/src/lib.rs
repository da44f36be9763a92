//! Statistics for plugins that judge data and models: numbers in, numbers out, no host.
//!
//! Read in this order: [`samples`] (two sorted samples: ks, wasserstein, bins), [`counts`] (two rows of counts: psi,
//! jensenshannon, chisquare, z), [`means`] (whether one is above another), [`kolmogorov`] and [`special`]
//! (probabilities), [`classification`] with [`calibration`] and [`regression`] (metrics with labels, and expected ones
//! without), [`quantile`]. [`compare`] is what the drift monitors share: two tables in, findings out. [`evaluation`]
//! reads what validators of models are given.

pub mod calibration;
pub mod classification;
pub mod compare;
pub mod counts;
pub mod evaluation;
pub mod kolmogorov;
pub mod means;
pub mod quantile;
pub mod regression;
pub mod samples;
pub mod special;
pub mod text;
