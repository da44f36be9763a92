//! Where figures are drawn: lengths in pixels of the page, colours by what they stand for.
//!
//! The backend draws at whole units, so it works at four times the size, and the document's `viewBox` scales it back.
//! Every colour is written into the file and means one thing; the page's style sheet gives each its colour in dark mode
//! and its dashes, so that nothing depends on colour alone.

use std::fmt::Write as _;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use wasmlops_sdk::prelude::{Error, Result};

/// Units of the drawing in one pixel of the page.
pub const SCALE: f64 = 4.0;

pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// What a colour stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ink {
    /// Text, axes.
    Text,
    /// Labels of axes.
    Quiet,
    Grid,
    /// Lines to compare with.
    Reference,
    /// A series; there are [`SERIES`] of them that can be told apart.
    Series(usize),
}

/// How many series can be told apart.
pub const SERIES: usize = 8;

/// Light, dark, dashes in units of the drawing. The colours of series are those of M. Okabe and K. Ito, "Color
/// Universal Design" (2008), which people with any colour vision can tell apart.
const SERIES_LOOKS: [(&str, &str, &str); SERIES] = [
    ("#0072B2", "#5AB4F0", "none"),
    ("#D55E00", "#FF9D57", "44 20"),
    ("#009E73", "#43CFA4", "12 14"),
    ("#B0508B", "#E7A0CB", "44 14 10 14"),
    ("#8F6C00", "#EBB830", "80 20"),
    ("#2F88B8", "#9BD6F7", "24 24"),
    ("#6B4FBB", "#B7A3F5", "60 14 10 14 10 14"),
    ("#5B6470", "#B4BDC8", "8 24"),
];

impl Ink {
    fn looks(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Ink::Text => ("#1F2328", "#E6EAEF", "none"),
            Ink::Quiet => ("#57606A", "#A9B3BE", "none"),
            Ink::Grid => ("#E3E7EB", "#333B45", "none"),
            Ink::Reference => ("#8C96A0", "#7E8995", "20 16"),
            Ink::Series(index) => SERIES_LOOKS[index % SERIES],
        }
    }

    pub fn colour(self) -> RGBColor {
        let (light, ..) = self.looks();
        let part = |at: usize| u8::from_str_radix(&light[at..at + 2], 16).expect("the table above holds hex digits");
        RGBColor(part(1), part(3), part(5))
    }
}

/// Style sheet for everything that is drawn here.
pub fn style_sheet() -> String {
    let fixed = [Ink::Text, Ink::Quiet, Ink::Grid, Ink::Reference];
    let inks: Vec<Ink> = fixed.into_iter().chain((0..SERIES).map(Ink::Series)).collect();
    let mut css = String::from("polyline{stroke-linejoin:round}\n");
    let mut dark = String::new();
    for (light, in_the_dark, dashes) in inks.into_iter().map(Ink::looks) {
        if dashes != "none" {
            let _ = writeln!(css, "polyline[stroke=\"{light}\"]{{stroke-dasharray:{dashes}}}");
        }
        let _ = writeln!(
            dark,
            "svg [fill=\"{light}\"]{{fill:{in_the_dark}}}svg [stroke=\"{light}\"]{{stroke:{in_the_dark}}}"
        );
    }
    css + "@media (prefers-color-scheme: dark){\n" + &dark + "}\n"
}

/// Draws one document of this width and height. `name` is what people hear who do not see it.
pub fn draw(
    name: &str,
    (width, height): (f64, f64),
    paint: impl FnOnce(&Area<'_>) -> Result<(), String>,
) -> Result<String> {
    let mut svg = String::new();
    let size = (units(width) as u32, units(height) as u32);
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let painted = paint(&area).and_then(|()| area.present().map_err(|error| error.to_string()));
        painted.map_err(|error| Error::internal(format!("`{name}` cannot be drawn: {error}")))?;
    }
    // The backend's own head gives a size in units; the page decides on the size.
    let body = svg.split_once('>').map_or("", |(_, body)| body);
    let head = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">",
        size.0,
        size.1,
        escaped(name)
    );
    Ok(head + body)
}

pub fn units(pixels: f64) -> i32 {
    (pixels * SCALE).round() as i32
}

pub fn pen(ink: Ink, width: f64) -> ShapeStyle {
    ink.colour().stroke_width(units(width) as u32)
}

pub fn fill(ink: Ink, opacity: f64) -> ShapeStyle {
    ink.colour().mix(opacity).filled()
}

/// Where a text stands relative to its point.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// It begins there.
    Right,
    /// It ends there.
    Left,
    Middle,
}

/// A text of so many pixels, its middle at the height of its point.
pub fn font(size: f64, ink: Ink, side: Side, bold: bool) -> TextStyle<'static> {
    let style = if bold { FontStyle::Bold } else { FontStyle::Normal };
    let side = match side {
        Side::Right => HPos::Left,
        Side::Left => HPos::Right,
        Side::Middle => HPos::Center,
    };
    // The backend divides sizes by 1.24.
    let font = FontDesc::new(FontFamily::SansSerif, size * SCALE * 1.24, style);
    font.color(&ink.colour()).pos(Pos::new(side, VPos::Center))
}

/// About how wide a text is, in pixels: nobody knows the reader's font.
pub fn width(text: &str, size: f64) -> f64 {
    let of = |character: char| match character {
        'i' | 'l' | 'j' | '.' | ',' | ' ' | '\'' | '|' | ':' | ';' => 0.3,
        'm' | 'w' | 'M' | 'W' | '%' => 0.9,
        character if character.is_uppercase() => 0.7,
        _ => 0.57,
    };
    text.chars().map(of).sum::<f64>() * size
}

/// The text cut such that it is no wider than so many pixels, without control characters.
pub fn fitted(text: &str, size: f64, most: f64) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if width(&clean, size) <= most {
        return clean;
    }
    let mut short = String::new();
    for character in clean.chars() {
        if width(&short, size) + 1.6 * size > most {
            break;
        }
        short.push(character);
    }
    short.push('…');
    short
}

/// Text for HTML and SVG, inside elements and attributes.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            character if character.is_control() => safe.push('\u{fffd}'),
            character => safe.push(character),
        }
    }
    safe
}

/// A piece of text at a point in pixels.
pub fn write(area: &Area<'_>, text: &str, at: (f64, f64), style: &TextStyle<'_>) -> Result<(), String> {
    area.draw_text(text, style, (units(at.0), units(at.1))).map_err(|error| error.to_string())
}

/// A filled rectangle between two points in pixels.
pub fn block(area: &Area<'_>, from: (f64, f64), to: (f64, f64), style: ShapeStyle) -> Result<(), String> {
    let corners = [(units(from.0), units(from.1)), (units(to.0), units(to.1))];
    area.draw(&Rectangle::new(corners, style)).map_err(|error| error.to_string())
}

/// A line through points in pixels.
pub fn line(area: &Area<'_>, points: &[(f64, f64)], style: ShapeStyle) -> Result<(), String> {
    let points: Vec<(i32, i32)> = points.iter().map(|&(x, y)| (units(x), units(y))).collect();
    area.draw(&PathElement::new(points, style)).map_err(|error| error.to_string())
}
