/// A share of photos with its 95 % confidence interval, each 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Share {
    /// The share.
    pub mean: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Sums from which a share and its interval follow, where photos come in groups that are not
/// independent inside (albums): the interval of a ratio of sums over groups.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Groups {
    groups: f64,
    hits: f64,
    photos: f64,
    hits_squared: f64,
    photos_squared: f64,
    hits_photos: f64,
}

impl Groups {
    /// Adds a group of photos, some of them hits (or an expected number of hits).
    pub(crate) fn add(&mut self, hits: f64, photos: f64) {
        self.groups += 1.0;
        self.hits += hits;
        self.photos += photos;
        self.hits_squared += hits * hits;
        self.photos_squared += photos * photos;
        self.hits_photos += hits * photos;
    }

    pub(crate) fn share(&self) -> Share {
        if self.photos == 0.0 {
            return Share::default();
        }
        let mean = self.hits / self.photos;
        let spread =
            self.hits_squared - 2.0 * mean * self.hits_photos + mean * mean * self.photos_squared;
        let correction = self.groups / (self.groups - 1.0).max(1.0);
        let half = 1.96 * (spread.max(0.0) * correction).sqrt() / self.photos;
        Share { mean, low: (mean - half).max(0.0), high: (mean + half).min(1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn photos_on_their_own_have_the_usual_interval_and_groups_of_alike_ones_a_wider_one() {
        let (mut single, mut grouped) = (Groups::default(), Groups::default());
        for photo in 0..1000 {
            single.add(f64::from(photo % 4 == 0), 1.0);
        }
        for album in 0..100 {
            grouped.add(if album % 4 == 0 { 10.0 } else { 0.0 }, 10.0);
        }
        let usual = 1.96 * (0.25_f64 * 0.75 / 1000.0).sqrt();
        let share = single.share();
        assert!((share.mean - 0.25).abs() < 1e-12);
        assert!((share.high - share.mean - usual).abs() < 1e-4);
        let wider = grouped.share().high - 0.25;
        assert!((wider / usual - 10_f64.sqrt()).abs() < 0.03, "{wider}");
    }
}
