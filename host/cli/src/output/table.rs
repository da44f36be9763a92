//! Aligned columns of text.

/// Rows under a header; numbers are best given already formatted.
pub struct TextTable {
    rows: Vec<Vec<String>>,
    right: Vec<bool>,
}

impl TextTable {
    /// A header that begins with `>` aligns its column to the right.
    pub fn new(header: &[&str]) -> Self {
        let right = header.iter().map(|cell| cell.starts_with('>')).collect();
        let header = header.iter().map(|cell| cell.trim_start_matches('>').to_owned()).collect();
        Self { rows: vec![header], right }
    }

    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

impl std::fmt::Display for TextTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cells = |column: usize| self.rows.iter().filter_map(move |row| row.get(column));
        let width = |column: usize| cells(column).map(|cell| cell.chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.right.len()).map(width).collect();
        for row in &self.rows {
            let cells = row.iter().zip(&widths).zip(&self.right);
            let cells = cells.map(|((cell, &width), &right)| match right {
                true => format!("{cell:>width$}"),
                false => format!("{cell:<width$}"),
            });
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aligns_to_the_left_and_to_the_right() {
        let mut table = TextTable::new(&["step", ">time"]);
        table.row(["ingest".into(), "9".into()]);
        table.row(["é".into(), "100".into()]);
        assert_eq!(table.to_string(), "step    time\ningest     9\né        100\n");
    }
}
