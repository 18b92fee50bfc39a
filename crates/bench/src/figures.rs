//! A figure is the median of several measurements with their range. A table shows figures in Markdown.

use std::fmt::{self, Display};

/// The median of several measurements, and their range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figure {
    pub(crate) median: f64,
    pub(crate) lowest: f64,
    pub(crate) highest: f64,
}

impl Figure {
    /// The figure of these measurements, or `None` if there are none.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (lowest, highest) = (*values.first()?, *values.last()?);
        let upper = values.len() / 2;
        let lower = (values.len() - 1) / 2;
        Some(Self { median: f64::midpoint(values[lower], values[upper]), lowest, highest })
    }

    /// Reads a figure as it is printed, such as `41.0 (40.2 to 43.7)`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (median, range) = text.strip_suffix(')')?.split_once(" (")?;
        let (lowest, highest) = range.split_once(" to ")?;
        Some(Self { median: median.parse().ok()?, lowest: lowest.parse().ok()?, highest: highest.parse().ok()? })
    }

    /// The cost of one thing beyond another, compared in each round because a disturbed round disturbs both.
    pub(crate) fn difference(of: &[f64], from: &[f64]) -> Option<Self> {
        Self::of(of.iter().zip(from).map(|(of, from)| of - from))
    }

    /// The cost of one thing divided by another, compared in each round.
    pub(crate) fn ratio(of: &[f64], to: &[f64]) -> Option<Self> {
        Self::of(of.iter().zip(to).map(|(of, to)| of / to))
    }
}

/// Prints `41.0 (40.2 to 43.7)`, with one decimal unless the format has a precision.
impl Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = f.precision().unwrap_or(1);
        let Self { median, lowest, highest } = self;
        write!(f, "{median:.decimals$} ({lowest:.decimals$} to {highest:.decimals$})")
    }
}

/// A Markdown table with aligned columns.
pub(crate) struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn of(columns: &[&str]) -> Self {
        Self { columns: columns.iter().map(ToString::to_string).collect(), rows: Vec::new() }
    }

    /// Adds a row, and fills missing cells with nothing.
    pub(crate) fn row<C: Into<String>>(&mut self, cells: impl IntoIterator<Item = C>) {
        let mut cells: Vec<String> = cells.into_iter().map(Into::into).collect();
        cells.resize(self.columns.len(), String::new());
        self.rows.push(cells);
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = || std::iter::once(&self.columns).chain(&self.rows);
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| lines().map(|line| line[column].chars().count()).max().unwrap_or(0))
            .collect();
        let write = |f: &mut fmt::Formatter<'_>, line: &[String]| {
            let cells = line.iter().zip(&widths).map(|(cell, width)| format!(" {cell:width$} "));
            writeln!(f, "|{}|", cells.collect::<Vec<_>>().join("|"))
        };
        write(f, &self.columns)?;
        let rules: Vec<String> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
        writeln!(f, "|{}|", rules.join("|"))?;
        self.rows.iter().try_for_each(|row| write(f, row))
    }
}

/// A cell with the figure, or an empty cell.
pub(crate) fn cell(figure: Option<impl Display>) -> String {
    figure.map_or_else(String::new, |figure| figure.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_odd_number_is_the_middle_one() {
        let figure = Figure::of([5.0, 1.0, 3.0]).unwrap();
        assert_eq!(figure, Figure { median: 3.0, lowest: 1.0, highest: 5.0 });
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_the_two_middle_ones() {
        let figure = Figure::of([4.0, 1.0, 2.0, 100.0]);
        assert_eq!(figure, Some(Figure { median: 3.0, lowest: 1.0, highest: 100.0 }));
    }

    #[test]
    fn nothing_has_no_median() {
        assert_eq!(Figure::of([]), None);
    }

    #[test]
    fn a_price_is_compared_within_its_round() {
        let price = Figure::difference(&[11.0, 21.0, 33.0], &[10.0, 20.0, 30.0]).unwrap();
        assert_eq!(price, Figure { median: 1.0, lowest: 1.0, highest: 3.0 });
        let ratio = Figure::ratio(&[10.0, 30.0], &[10.0, 20.0]);
        assert_eq!(ratio, Some(Figure { median: 1.25, lowest: 1.0, highest: 1.5 }));
    }

    #[test]
    fn a_figure_is_printed_with_its_range() {
        let figure = Figure { median: 41.04, lowest: 40.16, highest: 43.7 };
        assert_eq!(figure.to_string(), "41.0 (40.2 to 43.7)");
        assert_eq!(format!("{figure:.2}"), "41.04 (40.16 to 43.70)");
    }

    #[test]
    fn a_printed_figure_can_be_read() {
        let figure = Figure { median: -0.4, lowest: -0.8, highest: 0.6 };
        assert_eq!(Figure::parse(&figure.to_string()), Some(figure));
        assert_eq!(Figure::parse(""), None);
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::of(&["a", "µs"]);
        table.row(["long", "1"]);
        table.row(["b"]);
        assert_eq!(table.to_string(), "| a    | µs |\n|------|----|\n| long | 1  |\n| b    |    |\n");
    }
}
