//! Measures several things in rounds, so that a disturbance of the machine reaches all of them.

use anyhow::Result;

use crate::figures::Figure;
use crate::proxy::Sample;

/// The samples of each thing, one for each round that counts.
pub(crate) type Samples = Vec<Vec<Sample>>;

/// A round of visits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Round {
    /// Comes first. Its samples do not count.
    WarmUp,
    Counts,
}

/// Visits each of `count` things once in a round, after a round that warms up. Every second round goes backwards.
pub(crate) fn measure(
    section: &str,
    count: usize,
    rounds: u32,
    mut visit: impl FnMut(usize, Round) -> Result<Option<Sample>>,
) -> Result<Samples> {
    for place in 0..count {
        visit(place, Round::WarmUp)?;
    }
    let mut samples: Samples = vec![Vec::new(); count];
    for round in 0..rounds {
        say(&format!("{section}: round {} of {rounds}", round + 1));
        for step in 0..count {
            let place = if round % 2 == 0 { step } else { count - 1 - step };
            samples[place].extend(visit(place, Round::Counts)?);
        }
    }
    Ok(samples)
}

/// Reports progress on standard error.
pub(crate) fn say(progress: &str) {
    eprintln!("bench: {progress}");
}

/// The CPU time per request in each round.
pub(crate) fn cpu(samples: &[Sample]) -> Vec<f64> {
    samples.iter().map(|sample| sample.cpu).collect()
}

/// The requests per second of all rounds.
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
        let samples = measure("test", 3, 2, |place, round| {
            visits.push((round, place));
            Ok(Some(Sample { cpu: CPU[place], rate: 1.0 }))
        });
        let order = |round| visits.iter().filter(|(of, _)| *of == round).map(|(_, place)| *place).collect::<Vec<_>>();
        assert_eq!(order(Round::WarmUp), [0, 1, 2]);
        assert_eq!(order(Round::Counts), [0, 1, 2, 2, 1, 0]);
        let samples = samples.unwrap();
        assert_eq!(samples.iter().map(|of| cpu(of)).collect::<Vec<_>>(), CPU.map(|cpu| vec![cpu; 2]));
    }

    #[test]
    fn a_failure_ends_the_rounds() {
        assert!(measure("test", 1, 1, |_, _| anyhow::bail!("no answer")).is_err());
    }
}
