//! Which classes are taken for which.

use wasmlops_sdk::prelude::Result;
use wasmlops_statistics::text::{number, percent};

use super::Figure;
use crate::canvas::{self, Ink, Side, fill, font, pen};
use crate::outcomes::Classified;

/// Classes beyond the most frequent ones are one row and column together.
const MOST: usize = 12;
const WIDTH: f64 = 560.0;
const LEFT: f64 = 130.0;
const TOP: f64 = 78.0;

pub fn draw(candidate: &Classified) -> Result<Figure> {
    let (names, counts) = counts(candidate);
    let side = ((WIDTH - LEFT - 16.0) / names.len() as f64).min(150.0);
    let row = side.min(84.0);
    let accuracy = candidate.rows.accuracy();
    let title = format!("Confusion — accuracy {}", number(accuracy));
    let size = (WIDTH, TOP + row * names.len() as f64 + 26.0);
    let svg = canvas::draw(&title, size, |area| {
        canvas::write(area, &title, (16.0, 20.0), &font(15.0, Ink::Text, Side::Right, true))?;
        let width = side * names.len() as f64;
        let said = font(13.0, Ink::Text, Side::Middle, false);
        canvas::write(area, "Predicted", (LEFT + width / 2.0, 46.0), &said)?;
        canvas::write(area, "Truth", (16.0, TOP - 12.0), &font(13.0, Ink::Text, Side::Right, false))?;
        for (class, name) in names.iter().enumerate() {
            let x = LEFT + side * (class as f64 + 0.5);
            let y = TOP + row * (class as f64 + 0.5);
            let above = canvas::fitted(name, 12.0, side - 4.0);
            canvas::write(area, &above, (x, TOP - 12.0), &font(12.0, Ink::Quiet, Side::Middle, false))?;
            let beside = canvas::fitted(name, 12.0, LEFT - 28.0);
            canvas::write(area, &beside, (LEFT - 8.0, y), &font(12.0, Ink::Quiet, Side::Left, false))?;
            let total = counts[class].iter().sum::<usize>();
            for (other, &count) in counts[class].iter().enumerate() {
                let (from, to) = ((LEFT + side * other as f64, y - row / 2.0), (side, row));
                cell(area, from, to, (count, total, class == other))?;
            }
        }
        Ok(())
    })?;
    let caption = "Rows by truth and prediction; percent are of the row, so that rare classes can be read as well. \
                   What is right lies on the framed diagonal.";
    Ok(Figure { name: "confusion", svg, caption: caption.to_owned(), number: Some(accuracy) })
}

/// One cell with its count and, where there is room, its share of the row.
fn cell(
    area: &canvas::Area<'_>,
    (x, y): (f64, f64),
    (width, height): (f64, f64),
    (count, total, right): (usize, usize, bool),
) -> Result<(), String> {
    let share = if total == 0 { 0.0 } else { count as f64 / total as f64 };
    let ink = if right { Ink::Series(0) } else { Ink::Series(1) };
    let (from, to) = ((x + 1.0, y + 1.0), (x + width - 1.0, y + height - 1.0));
    // Never so dark that the number on it could not be read.
    canvas::block(area, from, to, fill(ink, 0.05 + 0.4 * share))?;
    if right {
        let corners = [from, (to.0, from.1), to, (from.0, to.1), from];
        canvas::line(area, &corners, pen(Ink::Series(0), 1.5))?;
    }
    let middle = (x + width / 2.0, y + height / 2.0);
    let roomy = height >= 44.0 && width >= 60.0;
    let size = if roomy { 15.0 } else { (width / 4.2).clamp(7.0, 12.0) };
    let number = font(size, Ink::Text, Side::Middle, right);
    let up = if roomy { 8.0 } else { 0.0 };
    canvas::write(area, &count.to_string(), (middle.0, middle.1 - up), &number)?;
    if roomy {
        let text = percent((share * 1000.0).round() / 1000.0);
        canvas::write(area, &text, (middle.0, middle.1 + 11.0), &font(11.0, Ink::Quiet, Side::Middle, false))?;
    }
    Ok(())
}

/// Names and rows by truth and prediction.
fn counts(candidate: &Classified) -> (Vec<String>, Vec<Vec<usize>>) {
    let all = candidate.names.len();
    let mut frequent: Vec<usize> = (0..all).collect();
    if all > MOST {
        frequent.sort_by_key(|&class| std::cmp::Reverse(candidate.count(class)));
        frequent.truncate(MOST - 1);
        frequent.sort_unstable();
    }
    let place: Vec<usize> =
        (0..all).map(|class| frequent.iter().position(|known| *known == class).unwrap_or(frequent.len())).collect();
    let mut names: Vec<String> = frequent.iter().map(|&class| candidate.names[class].clone()).collect();
    if all > MOST {
        names.push(format!("{} others", all - frequent.len()));
    }
    let mut counts = vec![vec![0; names.len()]; names.len()];
    for (&truth, &said) in candidate.truth.iter().zip(&candidate.rows.predicted) {
        counts[place[truth as usize]][place[said as usize]] += 1;
    }
    (names, counts)
}
