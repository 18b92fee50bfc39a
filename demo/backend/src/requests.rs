//! Counts the requests of an instance in each second of the last minute.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::listener::Listener;

/// The number of seconds in the chart of the page.
const SECONDS: u64 = 60;

/// The requests of the last minute. The keys are seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Requests(BTreeMap<u64, Second>);

/// The requests of one second, by listener.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Second {
    sticky: u32,
    plain: u32,
}

/// A number for each second of the last minute, the newest at the end.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Columns {
    sticky: Vec<u32>,
    plain: Vec<u32>,
}

impl Requests {
    /// Counts a request in the second `now`.
    pub(crate) fn count(&mut self, listener: Listener, now: u64) {
        let second = self.0.entry(now).or_default();
        let count = match listener {
            Listener::Sticky => &mut second.sticky,
            Listener::Plain => &mut second.plain,
        };
        *count = count.saturating_add(1);
        self.forget(now);
    }

    /// Replaces the seconds that a new report contains.
    ///
    /// Other seconds stay, because a restarted instance does not report the requests before its start, and the chart still shows them.
    pub(crate) fn update(&mut self, reported: Self, now: u64) {
        self.0.extend(reported.0);
        self.forget(now);
    }

    /// The columns of the chart.
    pub(crate) fn columns(&self, now: u64) -> Columns {
        let seconds = window(now).map(|second| self.0.get(&second).copied().unwrap_or_default());
        let (sticky, plain) = seconds.map(|second| (second.sticky, second.plain)).unzip();
        Columns { sticky, plain }
    }

    fn forget(&mut self, now: u64) {
        self.0 = self.0.split_off(window(now).start());
    }
}

fn window(now: u64) -> std::ops::RangeInclusive<u64> {
    now.saturating_sub(SECONDS.saturating_sub(1))..=now
}

/// Seconds since 1970, or 0 if the clock is before 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_790_000_000;

    #[test]
    fn requests_are_counted_by_listener_and_second() {
        let mut requests = Requests::default();
        requests.count(Listener::Sticky, NOW - 1);
        requests.count(Listener::Plain, NOW);
        requests.count(Listener::Plain, NOW);
        let Columns { sticky, plain } = requests.columns(NOW);
        assert_eq!((&sticky[58..], &plain[58..]), (&[1, 0][..], &[0, 2][..]));
    }

    #[test]
    fn there_is_a_column_for_each_second_of_the_last_minute_and_none_before() {
        let mut requests = Requests::default();
        requests.count(Listener::Sticky, NOW - 60);
        requests.count(Listener::Sticky, NOW - 59);
        let columns = requests.columns(NOW);
        assert_eq!((columns.sticky.len(), columns.plain.len()), (60, 60));
        assert_eq!((columns.sticky[0], columns.sticky.iter().sum::<u32>()), (1, 1));
    }

    #[test]
    fn requests_older_than_a_minute_are_forgotten() {
        let mut requests = Requests::default();
        requests.count(Listener::Sticky, NOW - 60);
        requests.count(Listener::Sticky, NOW);
        assert_eq!(requests.0.len(), 1);
    }

    #[test]
    fn a_report_replaces_its_seconds_and_keeps_the_others() {
        let (mut kept, mut reported) = (Requests::default(), Requests::default());
        kept.count(Listener::Sticky, NOW - 2);
        kept.count(Listener::Sticky, NOW - 1);
        for _ in 0..3 {
            reported.count(Listener::Sticky, NOW - 1);
        }
        kept.update(reported, NOW);
        assert_eq!(kept.columns(NOW).sticky[57..], [1, 3, 0]);
    }

    #[test]
    fn a_report_survives_the_way_as_json() {
        let mut requests = Requests::default();
        requests.count(Listener::Plain, NOW);
        let json = serde_json::to_string(&requests).unwrap();
        assert_eq!(json, r#"{"1790000000":{"sticky":0,"plain":1}}"#);
        assert_eq!(serde_json::from_str::<Requests>(&json).unwrap(), requests);
    }
}
