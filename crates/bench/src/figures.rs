//! What do several measurements of one thing say?

use std::fmt;

/// The middle one of several measurements, and how far apart they are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figure {
    pub(crate) median: f64,
    pub(crate) lowest: f64,
    pub(crate) highest: f64,
}

impl Figure {
    /// `None` where nothing was measured.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (lowest, highest) = (*values.first()?, *values.last()?);
        let upper = values.len() / 2;
        let lower = (values.len() - 1) / 2;
        Some(Self { median: f64::midpoint(values[lower], values[upper]), lowest, highest })
    }

    /// What one thing costs more than another, round by round: what disturbs a round disturbs both.
    pub(crate) fn difference(of: &[f64], from: &[f64]) -> Option<Self> {
        Self::of(of.iter().zip(from).map(|(of, from)| of - from))
    }

    /// How many times as much one thing costs as another, round by round.
    pub(crate) fn ratio(of: &[f64], to: &[f64]) -> Option<Self> {
        Self::of(of.iter().zip(to).map(|(of, to)| of / to))
    }
}

/// With as many decimals as asked for, one without a precision: `41.0 (40.2 to 43.7)`.
impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = f.precision().unwrap_or(1);
        let Self { median, lowest, highest } = self;
        write!(f, "{median:.decimals$} ({lowest:.decimals$} to {highest:.decimals$})")
    }
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
    fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
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
    fn a_figure_is_printed_with_its_spread() {
        let figure = Figure { median: 41.04, lowest: 40.16, highest: 43.7 };
        assert_eq!(figure.to_string(), "41.0 (40.2 to 43.7)");
        assert_eq!(format!("{figure:.2}"), "41.04 (40.16 to 43.70)");
    }
}
