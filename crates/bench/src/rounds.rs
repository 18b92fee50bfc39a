//! In which order are things measured, so that what disturbs the machine disturbs all of them?

use anyhow::Result;

use crate::figures::Figure;
use crate::proxy::Sample;

/// What was found in each round, by the place of the thing that was measured.
pub(crate) type Samples = Vec<Vec<Sample>>;

/// Visits each of so many things once in a round, forth in one round and back in the next, after a round that does not count.
/// A visit of that first one may bring nothing.
pub(crate) fn interleaved(
    count: usize,
    rounds: usize,
    mut measure: impl FnMut(usize, Round) -> Result<Option<Sample>>,
) -> Result<Samples> {
    for place in 0..count {
        measure(place, Round::WarmUp)?;
    }
    let mut samples: Samples = vec![Vec::new(); count];
    for round in 0..rounds {
        for step in 0..count {
            let place = if round % 2 == 0 { step } else { count - 1 - step };
            samples[place].extend(measure(place, Round::Counts(round))?);
        }
    }
    Ok(samples)
}

/// A round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Round {
    WarmUp,
    Counts(usize),
}

/// The processor's time per request in each round.
pub(crate) fn cpu(samples: &[Sample]) -> Vec<f64> {
    samples.iter().map(|sample| sample.cpu).collect()
}

/// The requests per second.
pub(crate) fn rate(samples: &[Sample]) -> Option<Figure> {
    Figure::of(samples.iter().map(|sample| sample.rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_round_visits_each_once_and_the_order_alternates() {
        const CPU: [f64; 3] = [40.0, 41.0, 50.0];
        let mut visits = Vec::new();
        let samples = interleaved(3, 2, |place, round| {
            visits.push((round, place));
            Ok(Some(Sample { cpu: CPU[place], rate: 1.0 }))
        });
        let order = |round| visits.iter().filter(|(of, _)| *of == round).map(|(_, place)| *place).collect::<Vec<_>>();
        assert_eq!(order(Round::WarmUp), [0, 1, 2]);
        assert_eq!(order(Round::Counts(0)), [0, 1, 2]);
        assert_eq!(order(Round::Counts(1)), [2, 1, 0]);
        let samples = samples.unwrap();
        assert_eq!(samples.iter().map(|of| cpu(of)).collect::<Vec<_>>(), CPU.map(|cpu| vec![cpu; 2]));
    }

    #[test]
    fn a_failure_ends_the_rounds() {
        assert!(interleaved(1, 1, |_, _| anyhow::bail!("no answer")).is_err());
    }
}
