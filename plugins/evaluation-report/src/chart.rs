//! A chart with two axes: title, legend in a row of its own where nothing can lie under it, grid, layers.

use plotters::prelude::*;
use wasmlops_sdk::prelude::Result;
use wasmlops_statistics::text;

use crate::canvas::{self, Area, Ink, Side, fill, font, pen, units};

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 420.0;
const MARGIN: f64 = 16.0;
const TITLE: f64 = 15.0;
const LABEL: f64 = 12.0;
const LEGEND_ROW: f64 = 20.0;
const SAMPLE: f64 = 30.0;
const GAP: f64 = 22.0;

pub struct Axis {
    pub label: String,
    pub range: (f64, f64),
    /// Whether its numbers are shares, written as percent.
    pub percent: bool,
}

impl Axis {
    /// From 0 to 1.
    pub fn unit(label: &str) -> Self {
        Self { label: label.to_owned(), range: (0.0, 1.0), percent: false }
    }
}

pub enum Layer {
    /// A line through points.
    Line { points: Vec<(f64, f64)>, ink: Ink, width: f64 },
    /// A dot at each point, of so many pixels.
    Dots { points: Vec<(f64, f64)>, ink: Ink, radius: f64, opacity: f64 },
    /// A vertical line at each place, from one height to another.
    Whiskers { spans: Vec<(f64, f64, f64)>, ink: Ink },
    /// Rectangles between two corners, each with its opacity.
    Boxes { boxes: Vec<Block>, ink: Ink },
}

/// A rectangle.
pub struct Block {
    pub from: (f64, f64),
    pub to: (f64, f64),
    pub opacity: f64,
}

/// What a layer is called in the legend.
pub struct Key {
    pub text: String,
    pub ink: Ink,
    pub sign: Sign,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sign {
    Line,
    Dot,
    Area,
}

pub struct Chart {
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    /// Drawn in this order.
    pub layers: Vec<Layer>,
    pub legend: Vec<Key>,
}

impl Chart {
    /// One SVG document.
    pub fn draw(&self) -> Result<String> {
        let legend = self.legend_rows();
        let top = MARGIN + 1.6 * TITLE + LEGEND_ROW * legend.len() as f64;
        canvas::draw(&self.title, (WIDTH, HEIGHT + LEGEND_ROW * legend.len() as f64), |area| {
            let title = canvas::fitted(&self.title, TITLE, WIDTH - 2.0 * MARGIN);
            canvas::write(area, &title, (MARGIN, MARGIN + 4.0), &font(TITLE, Ink::Text, Side::Right, true))?;
            for (row, keys) in legend.iter().enumerate() {
                let y = MARGIN + 1.6 * TITLE + LEGEND_ROW * (row as f64 + 0.3);
                keys.iter().try_for_each(|(x, key)| draw_key(area, key, (*x, y)))?;
            }
            let (_, plot) = area.split_vertically(units(top));
            self.plot(&plot).map_err(|error| error.to_string())
        })
    }

    /// The keys with their places, as many in a row as fit.
    fn legend_rows(&self) -> Vec<Vec<(f64, &Key)>> {
        let mut rows: Vec<Vec<(f64, &Key)>> = Vec::new();
        let mut x = f64::MAX;
        for key in &self.legend {
            let width = SAMPLE + 6.0 + canvas::width(&key.text, LABEL) + GAP;
            if x + width > WIDTH - MARGIN + GAP {
                rows.push(Vec::new());
                x = MARGIN;
            }
            rows.last_mut().expect("a row was added above").push((x, key));
            x += width;
        }
        rows
    }

    fn plot(&self, area: &Area<'_>) -> Result<(), DrawingAreaErrorKind<std::io::Error>> {
        let mut chart = ChartBuilder::on(area)
            .margin(units(6.0))
            .margin_left(units(MARGIN - 2.0))
            .margin_right(units(MARGIN))
            .x_label_area_size(units(44.0))
            .y_label_area_size(units(56.0))
            .build_cartesian_2d(self.x.range.0..self.x.range.1, self.y.range.0..self.y.range.1)?;
        let number = |axis: &Axis, value: f64| match axis.percent {
            true => text::percent(rounded(value)),
            false => text::number(rounded(value)),
        };
        chart
            .configure_mesh()
            .x_labels(6)
            .y_labels(6)
            .max_light_lines(1)
            .light_line_style(TRANSPARENT)
            .bold_line_style(pen(Ink::Grid, 1.0))
            .axis_style(pen(Ink::Quiet, 1.0))
            .set_all_tick_mark_size(units(4.0))
            .label_style(font(LABEL, Ink::Quiet, Side::Middle, false))
            .axis_desc_style(font(LABEL + 1.0, Ink::Text, Side::Middle, false))
            .x_desc(&self.x.label)
            .y_desc(&self.y.label)
            .x_label_formatter(&|value| number(&self.x, *value))
            .y_label_formatter(&|value| number(&self.y, *value))
            .draw()?;
        for layer in &self.layers {
            match layer {
                Layer::Line { points, ink, width } => {
                    chart.draw_series(LineSeries::new(points.iter().copied(), pen(*ink, *width)))?;
                }
                Layer::Dots { points, ink, radius, opacity } => {
                    let dot = |&at: &(f64, f64)| Circle::new(at, units(*radius), fill(*ink, *opacity));
                    chart.draw_series(points.iter().map(dot))?;
                }
                Layer::Whiskers { spans, ink } => {
                    // Rectangles without width, since lines of a series are dashed.
                    let half = 0.6 * (self.x.range.1 - self.x.range.0) / WIDTH;
                    let span = |&(x, low, high): &(f64, f64, f64)| {
                        Rectangle::new([(x - half, low), (x + half, high)], fill(*ink, 0.8))
                    };
                    chart.draw_series(spans.iter().map(span))?;
                }
                Layer::Boxes { boxes, ink } => {
                    let block = |block: &Block| Rectangle::new([block.from, block.to], fill(*ink, block.opacity));
                    chart.draw_series(boxes.iter().map(block))?;
                }
            }
        }
        Ok(())
    }
}

/// Without what arithmetic leaves behind: 0.30000000000000004.
fn rounded(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}

fn draw_key(area: &Area<'_>, key: &Key, (x, y): (f64, f64)) -> Result<(), String> {
    let middle = x + SAMPLE / 2.0;
    match key.sign {
        Sign::Line => canvas::line(area, &[(x, y), (x + SAMPLE, y)], pen(key.ink, 2.0))?,
        Sign::Dot => {
            let dot = Circle::new((units(middle), units(y)), units(4.0), fill(key.ink, 1.0));
            area.draw(&dot).map_err(|error| error.to_string())?;
        }
        Sign::Area => canvas::block(area, (x + 6.0, y - 6.0), (x + SAMPLE - 6.0, y + 6.0), fill(key.ink, 0.35))?,
    }
    let label = font(LABEL, Ink::Text, Side::Right, false);
    canvas::write(area, &key.text, (x + SAMPLE + 6.0, y), &label)
}
