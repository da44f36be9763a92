//! How much each feature counts.

use wasmlops_sdk::prelude::Result;
use wasmlops_statistics::text::percent;

use super::Figure;
use crate::canvas::{self, Ink, Side, fill, font};
use crate::config::Config;
use crate::importance::Feature;

const WIDTH: f64 = 560.0;
const LEFT: f64 = 210.0;
const RIGHT: f64 = 64.0;
const ROW: f64 = 22.0;
const TOP: f64 = 44.0;

pub fn draw(config: &Config, features: &[Feature]) -> Result<Option<Figure>> {
    let total: f64 = features.iter().map(|feature| feature.amount.max(0.0)).sum();
    if total <= 0.0 {
        return Ok(None);
    }
    let shown = &features[..features.len().min(config.features)];
    let highest = shown[0].amount;
    let title = format!("Importance — {} of {} features", shown.len(), features.len());
    let svg = canvas::draw(&title, (WIDTH, TOP + ROW * shown.len() as f64 + 12.0), |area| {
        canvas::write(area, &title, (16.0, 20.0), &font(15.0, Ink::Text, Side::Right, true))?;
        for (row, feature) in shown.iter().enumerate() {
            let y = TOP + ROW * (row as f64 + 0.5);
            let name = canvas::fitted(&feature.name, 12.0, LEFT - 26.0);
            canvas::write(area, &name, (LEFT - 8.0, y), &font(12.0, Ink::Text, Side::Left, false))?;
            let end = LEFT + (WIDTH - LEFT - RIGHT) * (feature.amount / highest).max(0.0);
            canvas::block(area, (LEFT, y - 7.0), (end, y + 7.0), fill(Ink::Series(0), 0.8))?;
            let share = percent((feature.amount / total * 1000.0).round() / 1000.0);
            canvas::write(area, &share, (end + 6.0, y), &font(11.0, Ink::Quiet, Side::Right, false))?;
        }
        Ok(())
    })?;
    let caption = format!(
        "How much each feature counts, as a part of all {}. It says what the model uses, not what causes what.",
        shown[0].measure
    );
    Ok(Some(Figure { name: "importance", svg, caption, number: None }))
}
