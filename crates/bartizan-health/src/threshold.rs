//! How many runs it takes to believe a change.

use std::cmp::Ordering;

use crate::Status;

/// In runs in a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thresholds {
    pub(crate) failure: u32,
    pub(crate) success: u32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { failure: 1, success: 1 }
    }
}

/// The runs in a row that were worse, or better, than the status that holds.
#[derive(Default)]
pub(crate) struct Streak {
    direction: Option<Ordering>,
    runs: u32,
}

impl Streak {
    /// The status that holds after a run that said `new`; the first run counts as it is.
    pub(crate) fn settle(&mut self, held: Option<Status>, new: Status, thresholds: Thresholds) -> Status {
        let Some(held) = held else { return new };
        let direction = new.cmp(&held);
        let runs = if self.direction == Some(direction) { self.runs.saturating_add(1) } else { 1 };
        let needed = match direction {
            Ordering::Greater => thresholds.failure,
            Ordering::Less => thresholds.success,
            Ordering::Equal => 0,
        };
        if runs >= needed {
            *self = Self::default();
            return new;
        }
        *self = Self { direction: Some(direction), runs };
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Status::{Degraded, Healthy, Unhealthy};

    fn settled(failure: u32, success: u32, runs: &[Status]) -> Vec<Status> {
        let (mut streak, mut held) = (Streak::default(), None);
        let settle = |run: &Status| {
            let status = streak.settle(held, *run, Thresholds { failure, success });
            held = Some(status);
            status
        };
        runs.iter().map(settle).collect()
    }

    #[test]
    fn a_threshold_of_one_follows_every_run() {
        let runs = [Healthy, Unhealthy, Degraded, Healthy];
        assert_eq!(settled(1, 1, &runs), runs);
    }

    #[test]
    fn it_takes_as_many_runs_in_a_row_as_the_threshold_says() {
        let runs =
            [Healthy, Unhealthy, Unhealthy, Healthy, Unhealthy, Unhealthy, Unhealthy, Healthy, Healthy];
        let held = [Healthy, Healthy, Healthy, Healthy, Healthy, Healthy, Unhealthy, Unhealthy, Healthy];
        assert_eq!(settled(3, 2, &runs), held);
    }

    #[test]
    fn worse_is_worse_however_much() {
        assert_eq!(settled(2, 1, &[Healthy, Degraded, Unhealthy]), [Healthy, Healthy, Unhealthy]);
        assert_eq!(settled(1, 2, &[Unhealthy, Healthy, Degraded]), [Unhealthy, Unhealthy, Degraded]);
    }

    #[test]
    fn the_first_run_counts_as_it_is() {
        assert_eq!(settled(9, 9, &[Unhealthy]), [Unhealthy]);
    }
}
