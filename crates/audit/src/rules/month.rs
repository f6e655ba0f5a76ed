//! Months as people review them: in the time of the installation's country.

use naru_kernel::{Seconds, Timestamp};

/// Korean time, which has no summer time.
const UTC_OFFSET_SECONDS: i64 = 9 * 3_600;
const DAY_SECONDS: i64 = 86_400;

/// A calendar month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Month {
    year: i64,
    /// From 1.
    month: i64,
}

impl Month {
    /// Reads `2026-11`.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        let is_number = |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
        if !is_number(year, 4) || !is_number(month, 2) {
            return None;
        }
        let (year, month) = (year.parse().ok()?, month.parse().ok()?);
        ((1..=12).contains(&month) && year >= 1970).then_some(Self { year, month })
    }

    pub(crate) fn text(self) -> String {
        format!("{:04}-{:02}", self.year, self.month)
    }

    /// The month this moment is in.
    pub(crate) fn of(at: Timestamp) -> Self {
        let seconds = at
            .as_micros()
            .div_euclid(1_000_000)
            .saturating_add(UTC_OFFSET_SECONDS);
        let (year, month) = civil_from_days(seconds.div_euclid(DAY_SECONDS));
        Self { year, month }
    }

    pub(crate) fn next(self) -> Self {
        match self.month {
            12 => Self {
                year: self.year.saturating_add(1),
                month: 1,
            },
            month => Self {
                month: month.saturating_add(1),
                ..self
            },
        }
    }

    pub(crate) fn before(self) -> Self {
        match self.month {
            1 => Self {
                year: self.year.saturating_sub(1),
                month: 12,
            },
            month => Self {
                month: month.saturating_sub(1),
                ..self
            },
        }
    }

    /// Its first moment.
    pub(crate) fn begin(self) -> Timestamp {
        let days = days_from_civil(self.year, self.month);
        Timestamp::from_seconds(
            days.saturating_mul(DAY_SECONDS)
                .saturating_sub(UTC_OFFSET_SECONDS),
        )
    }

    /// The first moment after it.
    pub(crate) fn end(self) -> Timestamp {
        self.next().begin()
    }
}

/// The first moment of a day, written like `2026-11-23`, in Korean time.
#[must_use]
pub fn day(text: &str) -> Option<Timestamp> {
    let (month, day) = text.rsplit_once('-')?;
    let month = Month::read(month)?;
    let day: i64 = day
        .parse()
        .ok()
        .filter(|_| day.len() == 2 && day.bytes().all(|b| b.is_ascii_digit()))?;
    let begin = month.begin() + Seconds(day.saturating_sub(1).saturating_mul(DAY_SECONDS));
    (day >= 1 && begin < month.end()).then_some(begin)
}

/// Days from 1970-01-01 to the first of a month, in the Gregorian calendar counted from March (years of 365 and a leap day
/// at the end).
fn days_from_civil(year: i64, month: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march_month = (5 * of_year + 2) / 153;
    let month = (march_month + 2) % 12 + 1;
    (year + era * 400 + i64::from(month <= 2), month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_at_midnight_in_seoul() {
        let month = Month::read("2026-11").unwrap();
        // 2026-10-31 15:00 UTC.
        assert_eq!(month.begin(), Timestamp::from_seconds(1_793_458_800));
        assert_eq!(Month::of(month.begin()), month);
        let moment_before = Timestamp::from_micros(month.begin().as_micros() - 1);
        assert_eq!(Month::of(moment_before), month.before());
        assert_eq!(month.end(), month.next().begin());
    }

    #[test]
    fn days_that_are_none_are_refused() {
        let first = Month::read("2024-02").unwrap().begin();
        assert_eq!(day("2024-02-01"), Some(first));
        assert_eq!(day("2024-02-29"), Some(first + Seconds(28 * DAY_SECONDS)));
        for text in [
            "2023-02-29",
            "2024-02-00",
            "2024-02-30",
            "2024-2-01",
            "2024-02-1",
            "2024-02-+1",
            "",
        ] {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn every_month_follows_the_one_before() {
        let mut month = Month::read("1970-02").unwrap();
        for _ in 0..3_000 {
            let days = (month.end().as_micros() - month.begin().as_micros()) / 86_400_000_000;
            assert!((28..=31).contains(&days), "{month:?}");
            assert_eq!(Month::of(month.begin()), month);
            assert_eq!(month.next().before(), month);
            assert_eq!(Month::read(&month.text()), Some(month));
            month = month.next();
        }
        for text in ["2026-13", "2026-00", "26-01", "2026-1", "x", "2026-011"] {
            assert_eq!(Month::read(text), None);
        }
    }
}
