//! XMP sidecars, changed where positions stand and nowhere else.
//!
//! A sidecar belongs to its owner and to the programs that wrote it. An edit therefore never writes
//! the document anew: it cuts out the nodes that hold a position, puts ours in, and leaves every
//! other byte where it was. Applied twice, it changes nothing the second time.

use std::ops::Range;

use planet_geo::LatLng;
use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use thiserror::Error;

const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const EXIF: &str = "http://ns.adobe.com/exif/1.0/";
const PHOTOSHOP: &str = "http://ns.adobe.com/photoshop/1.0/";
const IPTC: &str = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/";
const DC: &str = "http://purl.org/dc/elements/1.1/";
const LIGHTROOM: &str = "http://ns.adobe.com/lightroom/1.0/";
const DIGIKAM: &str = "http://www.digikam.org/ns/1.0/";

/// What a position consists of; these nodes are replaced.
const POSITION: [&str; 8] = [
    "GPSVersionID",
    "GPSLatitude",
    "GPSLatitudeRef",
    "GPSLongitude",
    "GPSLongitudeRef",
    "GPSMapDatum",
    "GPSHPositioningError",
    "GPSProcessingMethod",
];

/// The keyword that marks a position as an estimate: property, list, and what stands in it.
const KEYWORDS: [(&str, &str, &str, &str, &str); 3] = [
    (DIGIKAM, "digiKam", "TagsList", "Seq", "Location/Estimated"),
    (LIGHTROOM, "lr", "hierarchicalSubject", "Bag", "Location|Estimated"),
    (DC, "dc", "subject", "Bag", "Estimated"),
];

/// Elements within each other; real sidecars have a dozen.
const DEEPEST: usize = 256;

/// A sidecar without any property, as a new one begins.
const EMPTY: &str = "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n\
    <x:xmpmeta xmlns:x=\"adobe:ns:meta/\" x:xmptk=\"PlaNet\">\n \
    <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n  \
    <rdf:Description rdf:about=\"\"/>\n \
    </rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"w\"?>\n";

/// A position as it is written into a sidecar.
#[derive(Clone, Debug, PartialEq)]
pub struct SidecarValues {
    /// The position, WGS 84.
    pub position: LatLng,
    /// Its error in metres; whole metres are written.
    pub accuracy_m: Option<f64>,
    /// How it was found: `PlaNet estimate (city): …`.
    pub method: String,
    /// Whether keywords mark it as an estimate.
    pub keywords: bool,
    /// City, state, country and ISO country code, each written where it is not empty and the
    /// sidecar has none.
    pub names: [String; 4],
}

/// Why a sidecar is left alone.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SidecarError {
    /// It is not UTF-8.
    #[error("the sidecar is not encoded in UTF-8; it is left alone")]
    Encoding,
    /// It is no well-formed XML.
    #[error("the sidecar is not well-formed XML ({0}); it is left alone")]
    Xml(String),
    /// It holds no description of a photo.
    #[error("the sidecar is not an XMP document (it has no rdf:Description); it is left alone")]
    NotXmp,
}

/// Writes a position into a sidecar's bytes, or into a new sidecar; every other node keeps its
/// bytes. The result is the input where it holds exactly this already.
///
/// # Errors
/// The sidecar is not UTF-8, not well-formed, or no XMP.
pub fn edit_sidecar(
    before: Option<&[u8]>,
    values: &SidecarValues,
) -> Result<Vec<u8>, SidecarError> {
    let before = before.unwrap_or(EMPTY.as_bytes());
    let text = std::str::from_utf8(before).map_err(|_| SidecarError::Encoding)?;
    let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let (mark, text) = text.split_at(mark);
    let document = Document::read(text)?;
    let mut edits = document.position.clone();
    edits.push(document.attributes(values));
    let elements = document.elements(values);
    document.insert(elements, &mut edits);
    edits.extend(values.keywords.then(|| document.list_items()).into_iter().flatten());
    Ok((mark.to_owned() + &applied(text, edits)).into_bytes())
}

/// Degrees as XMP writes them: whole degrees, minutes with six decimals (1.9 mm), the hemisphere.
fn degrees(value: f64, [positive, negative]: [char; 2]) -> String {
    const MINUTE: u64 = 1_000_000;
    let all = (value.abs() * 60.0 * MINUTE as f64).round() as u64;
    let (degrees, rest) = (all / (60 * MINUTE), all % (60 * MINUTE));
    let hemisphere = if value < 0.0 { negative } else { positive };
    format!("{degrees},{}.{:06}{hemisphere}", rest / MINUTE, rest % MINUTE)
}

/// A piece of the text and what takes its place.
type Edit = (Range<usize>, String);

fn applied(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let mut new = String::with_capacity(text.len() + 1024);
    let mut at = 0;
    for (range, replacement) in edits {
        new.push_str(&text[at..range.start.max(at)]);
        new.push_str(&replacement);
        at = range.end.max(at);
    }
    new + &text[at..]
}

/// What an edit needs to know of a sidecar.
struct Document {
    /// The nodes of a position, to be cut out with the space before them.
    position: Vec<Edit>,
    description: Description,
    /// Local names of the photo's properties, with their namespaces.
    present: Vec<(String, String)>,
    lists: [Option<List>; KEYWORDS.len()],
}

/// The first `rdf:Description`.
struct Description {
    name: String,
    /// Behind its last attribute.
    attributes_end: usize,
    /// Where its children end, before its end tag; `None` for an element that has no end tag, whose
    /// tag ends at `tag_end`.
    children_end: Option<usize>,
    tag_end: usize,
    /// Prefixes that are bound there, with their namespaces; the last binding counts.
    bound: Vec<(String, String)>,
}

/// A keyword list that is there.
struct List {
    items: Vec<String>,
    /// Before the end tag of the list within the property.
    end: Option<usize>,
    /// The prefix of RDF's elements.
    rdf: String,
}

/// An element that the reader stands within.
struct Open {
    kind: Kind,
    /// Where its start tag begins, with the space before it.
    start: usize,
    /// Bindings of prefixes before it.
    bound: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Wrapper,
    Rdf,
    /// A description; the first one is the one that is edited.
    Description(bool),
    /// A node of the position, which is cut out as a whole.
    Position,
    Keywords(usize),
    /// The list of this keyword property.
    List(usize),
    /// Its item, whose text is read.
    Item(usize),
    Other,
}

impl Document {
    fn read(text: &str) -> Result<Self, SidecarError> {
        let mut scan = Scan::default();
        let mut reader = Reader::from_str(text);
        let mut open: Vec<Open> = Vec::new();
        let mut from = 0;
        loop {
            let event =
                reader.read_event().map_err(|error| SidecarError::Xml(error.to_string()))?;
            let to = reader.buffer_position() as usize;
            match event {
                Event::Start(tag) => scan.start(text, from..to, &tag, &mut open, false)?,
                Event::Empty(tag) => {
                    scan.start(text, from..to, &tag, &mut open, true)?;
                    scan.end(text, to, to, &mut open);
                }
                Event::End(_) => scan.end(text, from, to, &mut open),
                Event::Text(piece) => {
                    if let Some(Open { kind: Kind::Item(of), .. }) = open.last()
                        && let Some(item) =
                            scan.lists[*of].as_mut().and_then(|it| it.items.last_mut())
                    {
                        item.push_str(&piece);
                    }
                }
                Event::DocType(_) => {
                    return Err(SidecarError::Xml("it declares a document type".to_owned()));
                }
                Event::Eof => break,
                _ => {}
            }
            from = to;
        }
        if !open.is_empty() {
            return Err(SidecarError::Xml("an element is not closed".to_owned()));
        }
        let Scan { position, description, present, lists, .. } = scan;
        let description = description.ok_or(SidecarError::NotXmp)?;
        Ok(Self { position, description, present, lists })
    }

    /// The prefix that a namespace has in the description, and the declaration that it needs.
    fn prefix(&self, namespace: &str, usual: &str) -> (String, String) {
        let uri_of = |prefix: &str| {
            let mut bound = self.description.bound.iter().rev();
            bound.find(|(name, _)| name == prefix).map(|(_, uri)| uri.as_str())
        };
        let known = self.description.bound.iter().map(|(prefix, _)| prefix.as_str());
        if let Some(prefix) = known.rev().find(|it| uri_of(it) == Some(namespace) && !it.is_empty())
        {
            return (prefix.to_owned(), String::new());
        }
        let prefix = match uri_of(usual) {
            Some(_) => format!("planet-{usual}"),
            None => usual.to_owned(),
        };
        let declaration = format!("\n    xmlns:{prefix}=\"{namespace}\"");
        (prefix, declaration)
    }

    /// The position as attributes, with names of places that are not there yet.
    fn attributes(&self, values: &SidecarValues) -> Edit {
        let SidecarValues { position, accuracy_m, method, names, .. } = values;
        let mut text = String::new();
        // The position comes last, so that a second edit puts it where it was.
        let places = [
            (PHOTOSHOP, "photoshop", "City"),
            (PHOTOSHOP, "photoshop", "State"),
            (PHOTOSHOP, "photoshop", "Country"),
            (IPTC, "Iptc4xmpCore", "CountryCode"),
        ];
        let mut declared: Vec<&str> = Vec::new();
        for ((namespace, usual, name), value) in places.into_iter().zip(names) {
            if value.is_empty() || self.has(namespace, name) {
                continue;
            }
            let (prefix, declaration) = self.prefix(namespace, usual);
            if !declared.contains(&namespace) {
                text.push_str(&declaration);
                declared.push(namespace);
            }
            text.push_str(&attribute(&prefix, name, value));
        }
        let (exif, declaration) = self.prefix(EXIF, "exif");
        text.push_str(&declaration);
        let accuracy = accuracy_m.filter(|metres| metres.is_finite() && *metres >= 0.0);
        let accuracy = accuracy.map(|metres| format!("{:.0}/1", metres.ceil()));
        let nodes = [
            ("GPSVersionID", Some("2.3.0.0".to_owned())),
            ("GPSLatitude", Some(degrees(position.lat(), ['N', 'S']))),
            ("GPSLongitude", Some(degrees(position.lng(), ['E', 'W']))),
            ("GPSMapDatum", Some("WGS-84".to_owned())),
            ("GPSHPositioningError", accuracy),
            ("GPSProcessingMethod", Some(method.clone())),
        ];
        for (name, value) in nodes {
            text.extend(value.map(|value| attribute(&exif, name, &value)));
        }
        let at = self.description.attributes_end;
        (at..at, text)
    }

    fn has(&self, namespace: &str, name: &str) -> bool {
        self.present.iter().any(|(uri, local)| uri == namespace && local == name)
    }

    /// Keyword properties that are not there yet, as children of the description.
    fn elements(&self, values: &SidecarValues) -> String {
        let mut text = String::new();
        if !values.keywords {
            return text;
        }
        let (rdf, declared) = self.prefix(RDF, "rdf");
        for (at, (namespace, usual, property, list, keyword)) in KEYWORDS.into_iter().enumerate() {
            if self.lists[at].is_some() || self.has(namespace, property) {
                continue;
            }
            let (prefix, declaration) = self.prefix(namespace, usual);
            let declaration = (declaration + &declared).replace("\n    ", " ");
            text.push_str(&format!(
                "\n   <{prefix}:{property}{declaration}>\n    <{rdf}:{list}>\n     \
                 <{rdf}:li>{keyword}</{rdf}:li>\n    </{rdf}:{list}>\n   </{prefix}:{property}>"
            ));
        }
        text
    }

    /// Puts children into the description, which gets an end tag where it has none.
    fn insert(&self, elements: String, edits: &mut Vec<Edit>) {
        if elements.is_empty() {
            return;
        }
        let Description { name, children_end, tag_end, .. } = &self.description;
        edits.push(match children_end {
            Some(end) => (*end..*end, elements),
            // `/>` becomes `>`, the children, and an end tag.
            None => (tag_end - 2..*tag_end, format!(">{elements}\n  </{name}>")),
        });
    }

    /// The keyword in lists that lack it.
    fn list_items(&self) -> Vec<Edit> {
        let lists = self.lists.iter().zip(KEYWORDS);
        lists
            .filter_map(|(list, (.., keyword))| {
                let List { items, end, rdf } = list.as_ref()?;
                let at = (*end)?;
                let is_there = items.iter().any(|item| item.trim() == keyword);
                let item = format!("\n     <{rdf}:li>{keyword}</{rdf}:li>");
                (!is_there).then_some((at..at, item))
            })
            .collect()
    }
}

/// What was found of a sidecar so far.
#[derive(Default)]
struct Scan {
    position: Vec<Edit>,
    description: Option<Description>,
    present: Vec<(String, String)>,
    lists: [Option<List>; KEYWORDS.len()],
    bound: Vec<(String, String)>,
}

impl Scan {
    fn start(
        &mut self,
        text: &str,
        tag: Range<usize>,
        element: &BytesStart<'_>,
        open: &mut Vec<Open>,
        is_empty: bool,
    ) -> Result<(), SidecarError> {
        if open.len() >= DEEPEST {
            return Err(SidecarError::Xml("its elements are nested too deeply".to_owned()));
        }
        let bound = self.bound.len();
        let attributes = attributes(text, &tag);
        for (name, value, _) in &attributes {
            let prefix = name.strip_prefix("xmlns:").or_else(|| (*name == "xmlns").then_some(""));
            self.bound.extend(prefix.map(|prefix| (prefix.to_owned(), (*value).to_owned())));
        }
        let name = element.name().as_ref().to_owned();
        let (namespace, local) = self.resolve(&name, true);
        let parent = open.last().map_or(Kind::Wrapper, |it| it.kind);
        let kind = self.kind(parent, &namespace, &local);
        if let Kind::Description(is_first) = kind {
            for (name, _, range) in &attributes {
                let (namespace, local) = self.resolve(name, false);
                if namespace == EXIF && POSITION.contains(&local.as_str()) {
                    self.position.push((range.clone(), String::new()));
                } else {
                    self.present.push((namespace, local));
                }
            }
            if is_first {
                let close = if is_empty { 2 } else { 1 };
                let behind_name = tag.start + 1 + name.len();
                self.description = Some(Description {
                    name: name.clone(),
                    attributes_end: attributes.last().map_or(behind_name, |it| it.2.end),
                    children_end: None,
                    tag_end: tag.end,
                    bound: self.bound.clone(),
                });
                debug_assert!(text[..tag.end].ends_with(if close == 2 { "/>" } else { ">" }));
            }
        }
        match kind {
            Kind::Keywords(of) => {
                let rdf = self.bound.iter().rev().find(|(_, uri)| uri == RDF);
                let rdf = rdf.map_or("rdf", |(prefix, _)| prefix.as_str()).to_owned();
                self.lists[of] = Some(List { items: Vec::new(), end: None, rdf });
                self.present.push((namespace, local));
            }
            Kind::Item(of) => {
                if let Some(list) = &mut self.lists[of] {
                    list.items.push(String::new());
                }
            }
            Kind::Other if matches!(parent, Kind::Description(_)) => {
                self.present.push((namespace, local));
            }
            _ => {}
        }
        let space = text[..tag.start].len() - text[..tag.start].trim_end().len();
        open.push(Open { kind, start: tag.start - space, bound });
        Ok(())
    }

    /// The end tag from `from` to `to`; both are the end of an empty element's tag.
    fn end(&mut self, text: &str, from: usize, to: usize, open: &mut Vec<Open>) {
        let Some(Open { kind, start, bound }) = open.pop() else { return };
        self.bound.truncate(bound);
        // Before the space that an end tag is indented by.
        let before = text[..from].trim_end().len();
        match kind {
            Kind::Position => self.position.push((start..to, String::new())),
            Kind::Description(true) if from < to => {
                if let Some(description) = &mut self.description {
                    description.children_end = Some(before.max(description.tag_end));
                }
            }
            Kind::List(of) if from < to => {
                if let Some(list) = &mut self.lists[of] {
                    list.end = Some(before);
                }
            }
            _ => {}
        }
    }

    fn kind(&self, parent: Kind, namespace: &str, local: &str) -> Kind {
        match parent {
            Kind::Wrapper if namespace == RDF && local == "RDF" => Kind::Rdf,
            Kind::Wrapper => Kind::Wrapper,
            Kind::Rdf if namespace == RDF && local == "Description" => {
                Kind::Description(self.description.is_none())
            }
            Kind::Description(_) if namespace == EXIF && POSITION.contains(&local) => {
                Kind::Position
            }
            Kind::Description(_) => {
                let keywords = KEYWORDS.iter().position(|it| it.0 == namespace && it.2 == local);
                keywords.filter(|of| self.lists[*of].is_none()).map_or(Kind::Other, Kind::Keywords)
            }
            Kind::Keywords(of) if namespace == RDF && matches!(local, "Bag" | "Seq" | "Alt") => {
                Kind::List(of)
            }
            Kind::List(of) if namespace == RDF && local == "li" => Kind::Item(of),
            _ => Kind::Other,
        }
    }

    /// Namespace and local name; an attribute without a prefix has no namespace.
    fn resolve(&self, name: &str, is_element: bool) -> (String, String) {
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        let uri = self.bound.iter().rev().find(|(bound, _)| bound == prefix);
        let uri = uri.filter(|_| is_element || !prefix.is_empty());
        (uri.map(|(_, uri)| uri.clone()).unwrap_or_default(), local.to_owned())
    }
}

/// Name, value and place of every attribute of a start tag; the place has the space before it.
fn attributes<'t>(text: &'t str, tag: &Range<usize>) -> Vec<(&'t str, &'t str, Range<usize>)> {
    let inside = text[tag.clone()].trim_end_matches('>').trim_end_matches('/');
    let mut at = inside.find(char::is_whitespace).unwrap_or(inside.len());
    let mut found = Vec::new();
    while let Some(equals) = inside[at..].find('=').map(|it| at + it) {
        let name = inside[at..equals].trim();
        let value = inside[equals + 1..].trim_start();
        let opens = inside.len() - value.len();
        let Some(quote) = value.chars().next().filter(|it| matches!(it, '"' | '\'')) else { break };
        let Some(length) = value[1..].find(quote) else { break };
        let end = opens + 1 + length + 1;
        found.push((name, &value[1..=length], tag.start + at..tag.start + end));
        at = end;
    }
    found
}

fn attribute(prefix: &str, name: &str, value: &str) -> String {
    format!("\n    {prefix}:{name}=\"{}\"", escaped(value))
}

fn escaped(text: &str) -> String {
    let plain: String = text.chars().filter(|it| !it.is_control()).collect();
    quick_xml::escape::escape(plain.as_str()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> SidecarValues {
        SidecarValues {
            position: LatLng::new(45.685432, -126.5).expect("a position"),
            accuracy_m: Some(1000.4),
            method: "PlaNet estimate (city): 7 minutes after \"a&b\".jpg".to_owned(),
            keywords: true,
            names: ["Venice", "", "Italy", "IT"].map(str::to_owned),
        }
    }

    fn edited(text: &str) -> String {
        let bytes = edit_sidecar(Some(text.as_bytes()), &values()).expect("a sidecar");
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn degrees_are_whole_with_minutes_of_six_decimals_and_carry() {
        assert_eq!(degrees(45.685432, ['N', 'S']), "45,41.125920N");
        assert_eq!(degrees(-0.5, ['N', 'S']), "0,30.000000S");
        assert_eq!(degrees(9.999_999_999_9, ['E', 'W']), "10,0.000000E");
        assert_eq!(degrees(-180.0, ['E', 'W']), "180,0.000000W");
    }

    #[test]
    fn a_new_sidecar_holds_the_position_and_the_second_edit_changes_nothing() {
        let new = edit_sidecar(None, &values()).expect("a new one");
        let text = String::from_utf8(new.clone()).expect("UTF-8");
        assert!(text.contains("exif:GPSLatitude=\"45,41.125920N\""), "{text}");
        assert!(text.contains("exif:GPSLongitude=\"126,30.000000W\""), "{text}");
        assert!(text.contains("exif:GPSHPositioningError=\"1001/1\""), "{text}");
        assert!(text.contains("&quot;a&amp;b&quot;"), "{text}");
        assert!(text.contains("<rdf:li>Location|Estimated</rdf:li>"), "{text}");
        assert_eq!(edit_sidecar(Some(&new), &values()).expect("again"), new);
    }

    const OTHERS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:e="http://ns.adobe.com/exif/1.0/"
   xmp:Rating="3" e:GPSLatitude="1,2.0N"
   e:GPSAltitude='12/1'>
   <e:GPSLongitude>3,4.0E</e:GPSLongitude>
   <!-- a > comment -->
   <dc:subject>
    <rdf:Bag>
     <rdf:li>cats &amp; dogs</rdf:li>
    </rdf:Bag>
   </dc:subject>
   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">Café</rdf:li></rdf:Alt></dc:title>
  </rdf:Description>
  <rdf:Description xmlns:e="http://ns.adobe.com/exif/1.0/" e:GPSMapDatum="Tokyo"/>
 </rdf:RDF>
</x:xmpmeta>
"#;

    #[test]
    fn positions_in_every_shape_are_replaced_and_all_else_keeps_its_bytes() {
        let after = edited(OTHERS);
        for gone in ["1,2.0N", "3,4.0E", "Tokyo"] {
            assert!(!after.contains(gone), "{gone}: {after}");
        }
        assert!(after.contains("e:GPSLatitude=\"45,41.125920N\""), "{after}");
        assert_eq!(after.matches("GPSLongitude").count(), 1, "{after}");
        let keyword = "<rdf:li>cats &amp; dogs</rdf:li>\n     <rdf:li>Estimated</rdf:li>";
        assert!(after.contains(keyword), "{after}");
        assert_eq!(edited(&after), after, "the second edit changes nothing");
        // What is left of both without positions and without what is new is the same.
        let mut rest = after.as_str();
        for kept in [
            "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\" x:xmptk=\"XMP Core 4.4.0-Exiv2\">\n",
            "    xmlns:e=\"http://ns.adobe.com/exif/1.0/\"\n   xmp:Rating=\"3\"\n   e:GPSAltitude='12/1'",
            ">\n   <!-- a > comment -->\n   <dc:subject>\n    <rdf:Bag>\n     <rdf:li>cats &amp; dogs",
            "</rdf:Bag>\n   </dc:subject>\n   <dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">Café",
            "\n  </rdf:Description>\n  <rdf:Description xmlns:e=\"http://ns.adobe.com/exif/1.0/\"/>\n </rdf:RDF>\n</x:xmpmeta>\n",
        ] {
            let Some((_, behind)) = rest.split_once(kept) else {
                panic!("{kept} is not in {rest}")
            };
            rest = behind;
        }
        assert_eq!(rest, "");
    }

    #[test]
    fn a_byte_order_mark_and_other_prefixes_stay() {
        let text = "\u{feff}<a:RDF xmlns:a=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
                    <a:Description xmlns:exif=\"urn:other\" exif:GPSLatitude='x'/></a:RDF>";
        let after = edited(text);
        assert!(after.starts_with('\u{feff}') && after.contains("exif:GPSLatitude='x'"), "{after}");
        assert!(after.contains("planet-exif:GPSLatitude=\"45,41.125920N\""), "{after}");
        assert!(after.contains("<a:li>Estimated</a:li>"), "{after}");
        assert!(after.ends_with("</a:Description></a:RDF>"), "{after}");
        assert_eq!(edited(&after), after);
    }

    #[test]
    fn what_is_no_sidecar_is_left_alone() {
        let wrong = |bytes: &[u8]| edit_sidecar(Some(bytes), &values()).expect_err("none");
        assert_eq!(wrong(b"\xff\xfe<\0"), SidecarError::Encoding);
        assert_eq!(wrong(b"<html></html>"), SidecarError::NotXmp);
        assert!(matches!(wrong(b"<a><b></a>"), SidecarError::Xml(_)));
        assert!(matches!(wrong(b"<a>"), SidecarError::Xml(_)));
        assert!(matches!(wrong(b"<!DOCTYPE a [<!ENTITY b \"c\">]><a/>"), SidecarError::Xml(_)));
        assert!(matches!(wrong("<a>".repeat(1000).as_bytes()), SidecarError::Xml(_)));
        assert_eq!(wrong(b""), SidecarError::NotXmp);
    }
}
