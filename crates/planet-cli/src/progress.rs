use std::{
    fmt::Write,
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering},
    },
};

use indicatif::{HumanCount, ProgressBar, ProgressState, ProgressStyle};
use planet_data::Monitor;

use crate::failure::INTERRUPTED;

/// Set by the first Ctrl-C; the second one ends the process at once.
static CANCELLED: AtomicBool = AtomicBool::new(false);

static HANDLER: LazyLock<()> = LazyLock::new(|| {
    let installed = ctrlc::set_handler(|| {
        if CANCELLED.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED.into());
        }
    });
    installed.expect("only this place sets a Ctrl-C handler");
});

/// Whether the user has pressed Ctrl-C.
pub fn was_interrupted() -> bool {
    CANCELLED.load(Ordering::Relaxed)
}

/// A progress bar on stderr, hidden when stderr is no terminal, that also hears Ctrl-C.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    /// Another process speaks for this one.
    silent: bool,
}

impl Progress {
    /// Work of unknown length, counted in `unit` (`photos`, `rows`).
    pub fn new(unit: &str) -> Self {
        LazyLock::force(&HANDLER);
        let bar = ProgressBar::no_length();
        bar.set_style(style(&format!("{{spinner}} {{human_pos}} {unit} ({{rate}}) {{elapsed}}")));
        Self { bar, silent: false }
    }

    /// Work of which another process tells; Ctrl-C is heard all the same.
    pub fn silent() -> Self {
        LazyLock::force(&HANDLER);
        Self { bar: ProgressBar::hidden(), silent: true }
    }

    /// A new stretch of work of this length, with a message before the bar.
    pub fn restart(&self, steps: u64) {
        self.bar.reset();
        self.bar.set_length(steps);
        self.bar.set_style(style("{msg} {bar:30} {human_pos}/{human_len} ({eta} left)"));
    }

    /// Changes the message before the bar.
    pub fn message(&self, message: String) {
        self.bar.set_message(message);
    }

    /// A line on stderr, above the bar where one is drawn.
    pub fn say(&self, line: &str) {
        if self.silent {
            return;
        }
        if self.bar.is_hidden() {
            anstream::eprintln!("{line}");
        } else {
            self.bar.println(line);
        }
    }

    /// The work is over; the bar goes away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Monitor for Progress {
    fn expect(&self, steps: u64) {
        self.bar.set_length(steps);
        self.bar.set_style(style("{bar:30} {human_pos}/{human_len} ({rate}, {eta} left)"));
    }

    fn advance(&self, steps: u64) {
        self.bar.inc(steps);
    }

    fn cancelled(&self) -> bool {
        was_interrupted()
    }
}

/// Work whose steps are counted elsewhere; Ctrl-C is heard all the same.
pub struct Uncounted<'a>(pub &'a Progress);

impl Monitor for Uncounted<'_> {
    fn expect(&self, _steps: u64) {}

    fn advance(&self, _steps: u64) {}

    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}

fn style(template: &str) -> ProgressStyle {
    let rate = |state: &ProgressState, text: &mut dyn Write| {
        // A bar that cannot be drawn is no reason to end the work.
        let _ = text.write_str(&rate(state.per_sec()));
    };
    ProgressStyle::with_template(template).expect("a constant template").with_key("rate", rate)
}

/// Steps a second with as many digits as mean something.
fn rate(per_second: f64) -> String {
    match per_second {
        rate if rate >= 99.95 => format!("{}/s", HumanCount(rate.round() as u64)),
        rate if rate >= 9.995 => format!("{rate:.1}/s"),
        rate => format!("{rate:.2}/s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_has_no_more_than_three_digits_that_change() {
        let said = [58_564.592, 1_234_567.0, 312.4, 99.96, 31.26, 2.345, 0.0].map(rate);
        assert_eq!(
            said,
            ["58,565/s", "1,234,567/s", "312/s", "100/s", "31.3/s", "2.35/s", "0.00/s"]
        );
    }
}
