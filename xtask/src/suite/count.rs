//! How many tests passed, failed and were skipped, read from what the test runners print.

use std::fmt;

/// Counts of one stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Count {
    /// One check that passed or failed as a whole.
    pub(crate) fn check(good: bool) -> Self {
        Self {
            passed: usize::from(good),
            failed: usize::from(!good),
            skipped: 0,
        }
    }

    /// A stage that could not even run.
    pub(crate) fn failed_one() -> Self {
        Self::check(false)
    }

    /// Adds another.
    pub(crate) fn plus(&self, other: &Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }

    /// Tests that found they cannot run here end "well" for their runner; they are no passes.
    pub(crate) fn less_skipped(&self, list: &str) -> Self {
        let skipped = list.lines().filter(|line| !line.trim().is_empty()).count();
        Self {
            passed: self.passed.saturating_sub(skipped),
            failed: self.failed,
            skipped: self.skipped + skipped,
        }
    }

    /// Whether nothing failed.
    pub(crate) fn is_good(&self) -> bool {
        self.failed == 0
    }

    /// `N passed, M failed, K skipped`.
    pub(crate) fn sentence(&self) -> String {
        format!(
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }

    /// Of `cargo test`: sums every `test result:` line. `good` is the command's own verdict.
    pub(crate) fn of_cargo_test(lines: &[String], good: bool) -> Self {
        let mut count = Self::default();
        for line in lines.iter().filter(|line| line.starts_with("test result:")) {
            count.passed += number_before(line, " passed");
            count.failed += number_before(line, " failed");
            count.skipped += number_before(line, " ignored");
        }
        count.agreeing_with(good)
    }

    /// Of `node --test` (TAP, as in `# pass 3`).
    pub(crate) fn of_node_test(lines: &[String], good: bool) -> Self {
        let mut count = Self::default();
        for line in lines {
            let number_after = |word: &str| {
                line.strip_prefix(word)
                    .and_then(|text| text.trim().parse::<usize>().ok())
                    .unwrap_or(0)
            };
            count.passed += number_after("# pass ");
            count.failed += number_after("# fail ") + number_after("# cancelled ");
            count.skipped += number_after("# skipped ");
        }
        count.agreeing_with(good)
    }

    /// Of Vitest: its line `Tests  1 failed | 5 passed (6)`.
    pub(crate) fn of_vitest(lines: &[String], good: bool) -> Self {
        let mut count = Self::default();
        for line in lines
            .iter()
            .filter(|line| line.trim_start().starts_with("Tests "))
        {
            count.passed += number_before(line, " passed");
            count.failed += number_before(line, " failed");
            count.skipped += number_before(line, " skipped");
        }
        count.agreeing_with(good)
    }

    /// A runner that failed without a failed test (it did not compile, it crashed) is one failure.
    fn agreeing_with(mut self, good: bool) -> Self {
        if !good && self.failed == 0 {
            self.failed = 1;
        }
        self
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:>5} passed {:>4} failed {:>4} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

/// The number that stands right before `word`; 0 if there is none.
fn number_before(line: &str, word: &str) -> usize {
    line.split_once(word)
        .and_then(|(before, _)| before.rsplit(' ').next())
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    fn count(passed: usize, failed: usize, skipped: usize) -> Count {
        Count {
            passed,
            failed,
            skipped,
        }
    }

    #[test]
    fn cargo_results_are_summed() {
        let text = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\nnoise\n\
                    test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(Count::of_cargo_test(&lines(text), false), count(7, 2, 1));
    }

    #[test]
    fn what_does_not_compile_is_a_failure() {
        assert_eq!(Count::of_cargo_test(&lines("error: no"), false), count(0, 1, 0));
    }

    #[test]
    fn vitest_and_node_are_read() {
        let text = " Test Files  1 failed | 2 passed (3)\n      Tests  1 failed | 5 passed | 2 skipped (8)";
        assert_eq!(Count::of_vitest(&lines(text), false), count(5, 1, 2));
        let text = "# tests 3\n# pass 2\n# fail 0\n# cancelled 1\n# skipped 0";
        assert_eq!(Count::of_node_test(&lines(text), false), count(2, 1, 0));
    }

    #[test]
    fn a_skipped_test_is_no_pass() {
        assert_eq!(
            count(5, 0, 0).less_skipped("full disk: needs root\n"),
            count(4, 0, 1)
        );
    }
}
