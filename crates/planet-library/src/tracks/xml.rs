//! GPX and KML, streamed.

use std::io::BufRead;

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

use super::{
    Refused,
    collect::Collector,
    time::{self, Stated},
};

/// Metres of error for one unit of a receiver's horizontal dilution of precision.
const METRES_PER_HDOP: f64 = 5.0;
/// Longest text of an element that matters, in bytes; only a KML line is longer.
const LONGEST_TEXT: usize = 256;

/// What is open while a file is read.
#[derive(Default)]
struct Open {
    /// Attributes of the GPX point, in degrees.
    point: Option<[f64; 2]>,
    time: Option<Stated>,
    hdop: Option<f64>,
    /// Times of a `gx:Track` that wait for their coordinates.
    waiting: std::collections::VecDeque<Stated>,
    /// Begin and end of a KML `TimeSpan`, or its `TimeStamp`.
    span: [Option<Stated>; 2],
    /// Position of a KML `Point`, `[lat, lng]`.
    place: Option<[f64; 2]>,
    /// Whether the reader stands within a KML `Point`.
    is_point: bool,
    /// Whether the reader stands within a `gx:Track`.
    is_track: bool,
    text: String,
}

/// Reads GPX or KML.
///
/// # Errors
/// XML of another form, or damage; what stood before it was taken.
pub(super) fn read(input: impl BufRead, collector: &mut Collector) -> Result<(), Refused> {
    let mut reader = Reader::from_reader(input);
    let mut buffer = Vec::new();
    let mut open = Open::default();
    let mut root: Option<String> = None;
    let mut depth = 0u64;
    loop {
        let event = match reader.read_event_into(&mut buffer) {
            Ok(event) => event,
            // A recorder that lost its power within a tag: what it wrote until then is good.
            Err(quick_xml::Error::Syntax(_)) if root.is_some() => {
                collector.counts.truncated += 1;
                return Ok(());
            }
            Err(error) => {
                let at = reader.error_position();
                return Err(Refused::Damaged(format!("damaged at byte {at}: {error}")));
            }
        };
        match event {
            Event::Eof if root.is_none() => return Err(Refused::Other("holds no XML".to_owned())),
            // The same between two tags.
            Event::Eof => {
                collector.counts.truncated += u64::from(depth > 0);
                return Ok(());
            }
            Event::Start(start) => {
                let name = start.local_name().as_ref().to_owned();
                if root.is_none() {
                    if name != "gpx" && name != "kml" {
                        let what = format!("its root element is {name}, not gpx or kml");
                        return Err(Refused::Other(what));
                    }
                    root = Some(name.clone());
                }
                depth += 1;
                open.begin(&name, &start);
            }
            Event::Empty(start) => {
                let name = start.local_name().as_ref().to_owned();
                open.begin(&name, &start);
                open.end(&name, collector);
            }
            Event::Text(text) => open.add(&text),
            Event::End(end) => {
                depth = depth.saturating_sub(1);
                let name = end.local_name().as_ref().to_owned();
                open.end(&name, collector);
            }
            _ => {}
        }
        buffer.clear();
    }
}

impl Open {
    fn begin(&mut self, name: &str, start: &BytesStart<'_>) {
        self.text.clear();
        match name {
            "trkpt" | "rtept" | "wpt" => {
                let degrees = |wanted: &str| {
                    let found =
                        start.attributes().flatten().find(|it| it.key.as_ref() == wanted)?;
                    found.value.trim().parse::<f64>().ok()
                };
                self.point = degrees("lat").zip(degrees("lon")).map(|(lat, lng)| [lat, lng]);
                (self.time, self.hdop) = (None, None);
            }
            "Placemark" => (self.span, self.place) = ([None; 2], None),
            "Point" => self.is_point = true,
            "Track" => {
                self.is_track = true;
                self.waiting.clear();
            }
            _ => {}
        }
    }

    fn add(&mut self, text: &str) {
        // Descriptions and the coordinates of lines without times are not kept.
        if self.text.len() + text.len() <= LONGEST_TEXT {
            self.text.push_str(text);
        }
    }

    fn end(&mut self, name: &str, collector: &mut Collector) {
        match name {
            "time" => self.time = time::parse(&self.text),
            "hdop" => self.hdop = self.text.trim().parse().ok(),
            "trkpt" | "rtept" | "wpt" => self.end_point(collector),
            // A time without coordinates must not shift those that follow, so each is kept.
            "when" if self.is_track => match time::parse(&self.text) {
                Some(time) => self.waiting.push_back(time),
                None => self.waiting.push_back(Stated { seconds: 0, has_zone: true }),
            },
            "when" => self.span = [time::parse(&self.text); 2],
            "begin" => self.span[0] = time::parse(&self.text),
            "end" => self.span[1] = time::parse(&self.text),
            "coord" => {
                let mut numbers = self.text.split_whitespace().map(str::parse::<f64>);
                let (lng, lat) = (numbers.next(), numbers.next());
                match (self.waiting.pop_front(), lat, lng) {
                    (Some(time), Some(Ok(lat)), Some(Ok(lng))) => {
                        collector.fix(time, lat, lng, None);
                    }
                    _ => collector.incomplete(),
                }
            }
            "coordinates" if self.is_point => {
                let mut numbers = self.text.trim().split(',').map(str::parse::<f64>);
                if let (Some(Ok(lng)), Some(Ok(lat))) = (numbers.next(), numbers.next()) {
                    self.place = Some([lat, lng]);
                }
            }
            "Point" => self.is_point = false,
            "Track" => self.is_track = false,
            "Placemark" => {
                if let (Some([lat, lng]), [Some(from), Some(to)]) = (self.place, self.span) {
                    match from == to {
                        true => collector.fix(from, lat, lng, None),
                        false => collector.visit(from, to, lat, lng, None),
                    }
                }
            }
            _ => return,
        }
        self.text.clear();
    }

    fn end_point(&mut self, collector: &mut Collector) {
        match (self.point.take(), self.time.take()) {
            (Some([lat, lng]), Some(time)) => {
                let accuracy = self.hdop.map(|hdop| METRES_PER_HDOP * hdop);
                collector.fix(time, lat, lng, accuracy);
            }
            _ => collector.incomplete(),
        }
    }
}
