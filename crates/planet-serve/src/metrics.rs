//! What `/metrics` tells, in the text format of Prometheus.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// Upper bounds of the buckets of times, in seconds.
const SECONDS: [f64; 12] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Upper bounds of the buckets of batch sizes, in photos.
const PHOTOS: [f64; 5] = [1.0, 2.0, 4.0, 8.0, 16.0];

/// Counters and histograms of one server.
pub(crate) struct Metrics {
    /// By route and status.
    requests: Mutex<BTreeMap<(String, u16), u64>>,
    pub request_seconds: Histogram,
    pub decoding: Histogram,
    engine_seconds: Histogram,
    batch_photos: Histogram,
    /// Photos that have an answer, and those that have none.
    pub located: AtomicU64,
    pub failed: AtomicU64,
}

/// A cumulative histogram.
pub(crate) struct Histogram {
    bounds: &'static [f64],
    counts: Vec<AtomicU64>,
    /// In millionths.
    sum: AtomicU64,
}

impl Histogram {
    fn new(bounds: &'static [f64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, counts, sum: AtomicU64::new(0) }
    }

    pub(crate) fn observe(&self, time: Duration) {
        self.add(time.as_secs_f64());
    }

    fn add(&self, value: f64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        self.counts[bucket].fetch_add(1, Relaxed);
        self.sum.fetch_add((value * 1e6) as u64, Relaxed);
    }

    fn write(&self, name: &str, help: &str, out: &mut String) {
        let mut line = |text: String| {
            out.push_str(&text);
            out.push('\n');
        };
        line(format!("# HELP {name} {help}"));
        line(format!("# TYPE {name} histogram"));
        let mut all = 0;
        for (count, bound) in self.counts.iter().zip(self.bounds) {
            all += count.load(Relaxed);
            line(format!("{name}_bucket{{le=\"{bound}\"}} {all}"));
        }
        all += self.counts[self.bounds.len()].load(Relaxed);
        line(format!("{name}_bucket{{le=\"+Inf\"}} {all}"));
        line(format!("{name}_sum {}", self.sum.load(Relaxed) as f64 / 1e6));
        line(format!("{name}_count {all}"));
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            requests: Mutex::default(),
            request_seconds: Histogram::new(&SECONDS),
            decoding: Histogram::new(&SECONDS),
            engine_seconds: Histogram::new(&SECONDS),
            batch_photos: Histogram::new(&PHOTOS),
            located: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }
    }
}

impl Metrics {
    pub(crate) fn request(&self, route: &str, status: u16, time: Duration) {
        let mut requests = self.requests.lock().unwrap_or_else(|held| held.into_inner());
        *requests.entry((route.to_owned(), status)).or_default() += 1;
        self.request_seconds.observe(time);
    }

    pub(crate) fn batch(&self, photos: usize, time: Duration) {
        self.batch_photos.add(photos as f64);
        self.engine_seconds.observe(time);
    }

    /// The text; `waiting` photos are in work now.
    pub(crate) fn text(&self, waiting: usize) -> String {
        let mut out = String::new();
        out.push_str("# HELP planet_requests_total Requests by route and status.\n");
        out.push_str("# TYPE planet_requests_total counter\n");
        let requests = self.requests.lock().unwrap_or_else(|held| held.into_inner());
        for ((route, status), count) in requests.iter() {
            let labels = format!("route=\"{route}\",status=\"{status}\"");
            writeln!(out, "planet_requests_total{{{labels}}} {count}").expect("text grows");
        }
        drop(requests);
        out.push_str("# HELP planet_photos_total Photos by result.\n");
        out.push_str("# TYPE planet_photos_total counter\n");
        for (result, count) in [("located", &self.located), ("failed", &self.failed)] {
            let count = count.load(Relaxed);
            writeln!(out, "planet_photos_total{{result=\"{result}\"}} {count}")
                .expect("text grows");
        }
        out.push_str("# HELP planet_queue_photos Photos that are received, decoded or wait.\n");
        out.push_str("# TYPE planet_queue_photos gauge\n");
        writeln!(out, "planet_queue_photos {waiting}").expect("text grows");
        let histograms = [
            (&self.request_seconds, "planet_request_seconds", "Time of a request."),
            (&self.decoding, "planet_decode_seconds", "Time to decode a photo."),
            (&self.engine_seconds, "planet_engine_seconds", "Time of a batch in the engine."),
            (&self.batch_photos, "planet_batch_photos", "Photos of a batch."),
        ];
        for (histogram, name, help) in histograms {
            histogram.write(name, help, &mut out);
        }
        out
    }
}
