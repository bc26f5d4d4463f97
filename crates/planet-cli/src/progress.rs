use std::sync::{
    LazyLock,
    atomic::{AtomicBool, Ordering},
};

use indicatif::{ProgressBar, ProgressStyle};
use planet_data::Monitor;

/// Set by the first Ctrl-C; the second one ends the process at once.
static CANCELLED: AtomicBool = AtomicBool::new(false);

static HANDLER: LazyLock<()> = LazyLock::new(|| {
    let installed = ctrlc::set_handler(|| {
        if CANCELLED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    installed.expect("only this place sets a Ctrl-C handler");
});

/// A progress bar on stderr, hidden when stderr is no terminal, that also hears Ctrl-C.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Work of unknown length, counted in `unit` (`photos`, `rows`).
    pub fn new(unit: &str) -> Self {
        LazyLock::force(&HANDLER);
        let bar = ProgressBar::no_length();
        let style = format!("{{spinner}} {{human_pos}} {unit} ({{per_sec}}) {{elapsed}}");
        bar.set_style(ProgressStyle::with_template(&style).expect("a constant template"));
        Self { bar }
    }

    /// Work that another process draws; Ctrl-C is heard all the same.
    pub fn hidden() -> Self {
        LazyLock::force(&HANDLER);
        Self { bar: ProgressBar::hidden() }
    }

    /// A new stretch of work of this length, with a message before the bar.
    pub fn restart(&self, steps: u64) {
        self.bar.reset();
        self.bar.set_length(steps);
        let style = "{msg} {bar:30} {human_pos}/{human_len} ({eta} left)";
        self.bar.set_style(ProgressStyle::with_template(style).expect("a constant template"));
    }

    /// Changes the message before the bar.
    pub fn message(&self, message: String) {
        self.bar.set_message(message);
    }

    /// A line above the bar; nothing where stderr is no terminal.
    pub fn say(&self, line: &str) {
        self.bar.println(line);
    }

    /// The work is over; the bar goes away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Monitor for Progress {
    fn expect(&self, steps: u64) {
        self.bar.set_length(steps);
        let style = "{bar:30} {human_pos}/{human_len} ({per_sec}, {eta} left)";
        self.bar.set_style(ProgressStyle::with_template(style).expect("a constant template"));
    }

    fn advance(&self, steps: u64) {
        self.bar.inc(steps);
    }

    fn cancelled(&self) -> bool {
        CANCELLED.load(Ordering::Relaxed)
    }
}
