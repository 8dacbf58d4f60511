//! The moment of a line, as RFC 3339 in UTC with microseconds.

use std::cell::Cell;
use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

/// What a JSON line begins with.
type Begin = [u8; Timestamp::JSON_LEN];

const BEGIN: Begin = *b"{\"timestamp\":\"1970-01-01T00:00:00.000000Z\"";

thread_local! {
    /// The last second that was written, so that only one line a second works out a date.
    static LAST: Cell<(u64, Begin)> = const { Cell::new((0, BEGIN)) };
}

/// The text of a moment, such as `2026-11-21T10:11:12.000345Z`. What is before 1970 is 1970, what is after 9999 is 9999.
pub(crate) struct Timestamp(Begin);

impl Timestamp {
    /// How long the beginning of a JSON line is.
    pub(crate) const JSON_LEN: usize = 42;

    pub(crate) fn of(time: SystemTime) -> Self {
        const LAST_SECOND: u64 = 253_402_300_799;
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = since.as_secs().min(LAST_SECOND);
        let begin = LAST.try_with(|last| {
            if last.get().0 != seconds {
                last.set((seconds, begin(seconds)));
            }
            last.get().1
        });
        let mut text = begin.unwrap_or_else(|_| self::begin(seconds));
        digits(&mut text, 34..40, u64::from(since.subsec_micros()));
        Self(text)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.get(14..41).unwrap_or_default()
    }

    /// `HH:MM:SS.mmm`, for a console.
    pub(crate) fn time_of_day(&self) -> &[u8] {
        self.0.get(25..37).unwrap_or_default()
    }

    /// The beginning of a JSON line, with its first field.
    pub(crate) fn as_json(&self) -> &[u8; Self::JSON_LEN] {
        &self.0
    }
}

#[cold]
fn begin(seconds: u64) -> Begin {
    let mut text = BEGIN;
    let (year, month, day) = date(seconds / 86_400);
    for (range, number) in [
        (14..18, year),
        (19..21, month),
        (22..24, day),
        (25..27, seconds / 3600 % 24),
        (28..30, seconds / 60 % 60),
        (31..33, seconds % 60),
    ] {
        digits(&mut text, range, number);
    }
    text
}

#[inline]
fn digits(text: &mut Begin, place: Range<usize>, mut number: u64) {
    for digit in text.get_mut(place).unwrap_or_default().iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// The Gregorian date of a day since 1970. A year is taken to begin in March, so that the leap day is its last one.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468; // from 1 March of the year 0
    let era = days / 146_097; // of 400 years
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn text(seconds: u64, micros: u64) -> String {
        let time = UNIX_EPOCH + Duration::from_secs(seconds) + Duration::from_micros(micros);
        String::from_utf8(Timestamp::of(time).as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn dates_come_out_right_around_leap_days_and_centuries() {
        for (seconds, micros, expected) in [
            (0, 0, "1970-01-01T00:00:00.000000Z"),
            (951_782_399, 999_999, "2000-02-28T23:59:59.999999Z"),
            (951_782_400, 1, "2000-02-29T00:00:00.000001Z"),
            (1_709_251_199, 0, "2024-02-29T23:59:59.000000Z"),
            (1_709_251_200, 0, "2024-03-01T00:00:00.000000Z"),
            (1_767_225_599, 0, "2025-12-31T23:59:59.000000Z"),
            (4_107_542_400, 0, "2100-03-01T00:00:00.000000Z"),
            (253_402_300_799, 0, "9999-12-31T23:59:59.000000Z"),
        ] {
            assert_eq!(text(seconds, micros), expected);
        }
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut last = (1969, 12, 31);
        for days in 0..80_000 {
            let (year, month, day) = date(days);
            let next_day = (year, month, day) == (last.0, last.1, last.2 + 1);
            let next_month = (year, month, day) == (last.0, last.1 + 1, 1) && last.2 >= 28;
            let next_year = (year, month, day) == (last.0 + 1, 1, 1) && (last.1, last.2) == (12, 31);
            assert!(next_day || next_month || next_year, "{last:?} then {:?}", (year, month, day));
            last = (year, month, day);
        }
    }

    #[test]
    fn a_clock_that_runs_backwards_is_followed_and_the_far_ends_are_clamped() {
        assert_eq!(text(100, 0), "1970-01-01T00:01:40.000000Z");
        assert_eq!(text(99, 0), "1970-01-01T00:01:39.000000Z");
        assert_eq!(text(400_000_000_000, 0), "9999-12-31T23:59:59.000000Z");
        let before = UNIX_EPOCH - Duration::from_secs(5);
        assert_eq!(Timestamp::of(before).as_bytes(), b"1970-01-01T00:00:00.000000Z");
        assert_eq!(Timestamp::of(UNIX_EPOCH).time_of_day(), b"00:00:00.000");
    }
}
