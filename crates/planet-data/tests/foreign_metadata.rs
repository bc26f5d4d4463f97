//! Metadata as other programs write it: every file is made here, byte by byte.

mod independent;

use std::{io::Cursor, io::Write as _, path::Path};

use independent::{Entry, Order, exif_segment, jpeg};
use planet_data::{Note, PhotoFacts, PhotoFormat, PositionSource, Problem};
use planet_geo::LatLng;
use proptest::prelude::*;

const LITTLE: Order = Order { little: true };
const BIG: Order = Order { little: false };

/// 33° 51' 3" S, 151° 12' 40" E.
const SYDNEY: (f64, f64) = (-33.850_833_333, 151.211_111_111);

fn facts(bytes: &[u8]) -> PhotoFacts {
    PhotoFacts::from_reader(Cursor::new(bytes), bytes.len() as u64).expect("sound headers")
}

fn sydney(order: Order) -> Vec<Entry> {
    vec![
        order.text(1, "S"),
        order.ratios(2, &[(33, 1), (51, 1), (3, 1)]),
        order.text(3, "E"),
        order.ratios(4, &[(151, 1), (12, 1), (40, 1)]),
    ]
}

fn time(order: Order, tag: u16, time: &str) -> Entry {
    order.text(tag, time)
}

fn assert_at(facts: &PhotoFacts, (lat, lng): (f64, f64), what: &str) {
    let truth = LatLng::new(lat, lng).expect("on the earth");
    let position = facts.position.unwrap_or_else(|| panic!("{what}: {:?}", facts.notes));
    assert!(position.distance_to(truth).m() < 1.0, "{what}: {position}");
}

fn problems(notes: &[Note]) -> Vec<&Problem> {
    notes.iter().map(|note| &note.problem).collect()
}

fn with_exif(block: &[u8]) -> Vec<u8> {
    jpeg(&[exif_segment(block)])
}

fn with_xmp(packet: &str) -> Vec<u8> {
    jpeg(&[format!("http://ns.adobe.com/xap/1.0/\0{packet}").into_bytes()])
}

/// A packet whose description has these attributes and children.
fn packet(attributes: &str, children: &str) -> String {
    format!(
        r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
        xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
        xmlns:e="http://ns.adobe.com/exif/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
        xmlns:i="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
        xmlns:mm="http://ns.adobe.com/xap/1.0/mm/" {attributes}>{children}</rdf:Description>
        </rdf:RDF></x:xmpmeta>"#
    )
}

const HERE: &str = "<e:GPSLatitude>33,51.05S</e:GPSLatitude>\
                    <e:GPSLongitude>151,12.66667E</e:GPSLongitude>";

#[test]
fn pointers_of_every_type_that_programs_write_are_followed() {
    for order in [LITTLE, BIG] {
        let exif = [time(order, 0x9003, "2020:02:03 04:05:06")];
        for kind in [1, 4, 6, 7, 9, 13] {
            let facts = facts(&with_exif(&order.block(kind, Vec::new(), &exif, &sydney(order))));
            assert_at(&facts, SYDNEY, &format!("pointers of type {kind}"));
            assert_eq!(facts.time.as_deref(), Some("2020-02-03T04:05:06"), "{kind}");
            assert_eq!(facts.notes, [], "{kind}");
        }
    }
}

#[test]
fn text_in_utf8_of_exif_3_is_text() {
    let mut author = LITTLE.text(0x013B, "José Müller");
    author.kind = 129;
    let facts = facts(&with_exif(&LITTLE.block(4, vec![author], &[], &[])));
    assert_eq!(facts.author.as_deref(), Some("José Müller"));
}

#[test]
fn hemispheres_stored_as_bytes_and_components_stored_as_signed_numbers_are_read() {
    let mut gps = sydney(BIG);
    for at in [0, 2] {
        gps[at].kind = 7;
    }
    let signed = |number: i32| number.to_be_bytes();
    gps[1] = Entry { tag: 2, kind: 9, count: 1, bytes: signed(-33).to_vec() };
    let facts = facts(&with_exif(&BIG.block(4, Vec::new(), &[], &gps)));
    assert_at(&facts, (-33.0, SYDNEY.1), "signed degrees");
}

#[test]
fn a_sign_against_its_hemisphere_in_exif_is_refused() {
    let mut gps = sydney(BIG);
    gps[0] = BIG.text(1, "N");
    gps[1] = Entry { tag: 2, kind: 9, count: 1, bytes: (-33_i32).to_be_bytes().to_vec() };
    let facts = facts(&with_exif(&BIG.block(4, Vec::new(), &[], &gps)));
    assert_eq!(facts.position, None);
    assert_eq!(problems(&facts.notes), [&Problem::Contradiction]);
}

#[test]
fn times_in_the_first_directory_are_read() {
    for tag in [0x9003, 0x9004] {
        let first = vec![time(LITTLE, tag, "2009:01:19 22:56:26"), time(LITTLE, 0x9010, "+01:00")];
        let facts = facts(&with_exif(&LITTLE.block(4, first, &[], &[])));
        assert_eq!(facts.time.as_deref(), Some("2009-01-19T22:56:26+01:00"));
    }
}

#[test]
fn a_second_exif_segment_adds_what_the_first_lacks_and_replaces_nothing() {
    let camera = LITTLE.block(4, vec![LITTLE.text(0x010F, "Acme")], &[], &[]);
    let place = BIG.block(4, vec![BIG.text(0x010F, "Other")], &[], &sydney(BIG));
    let facts_of =
        |first: &[u8], second: &[u8]| facts(&jpeg(&[exif_segment(first), exif_segment(second)]));
    let both = facts_of(&camera, &place);
    assert_at(&both, SYDNEY, "GPS in the second segment");
    assert_eq!((both.camera.as_deref(), both.notes), (Some("Acme"), Vec::new()));
    let mut there = sydney(BIG);
    there[0] = BIG.text(1, "N");
    let two = facts_of(&place, &BIG.block(4, Vec::new(), &[], &there));
    assert_at(&two, SYDNEY, "the first goes first");
    assert!(matches!(two.notes[0].problem, Problem::Elsewhere { km, .. } if km > 7000.0));
}

#[test]
fn a_block_that_goes_on_in_the_next_segment_is_one() {
    let block =
        LITTLE.block(4, vec![LITTLE.text(0x010F, &"Acme ".repeat(40))], &[], &sydney(LITTLE));
    let (head, tail) = block.split_at(100);
    assert_at(&facts(&jpeg(&[exif_segment(head), exif_segment(tail)])), SYDNEY, "two segments");
}

#[test]
fn blocks_without_end_are_cut_and_named() {
    let block = LITTLE.block(4, Vec::new(), &[], &[]);
    let many: Vec<_> = (0..100).map(|_| exif_segment(&block)).collect();
    let notes = facts(&jpeg(&many)).notes;
    assert!(notes.iter().any(|note| note.to_string().contains("more EXIF")), "{notes:?}");
}

/// A PNG's header and these chunks; checksums are zero, as nobody here reads them.
fn png(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut png =
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x40\0\0\0\x30\x08\x02\0\0\0\0\0\0\0".to_vec();
    for (kind, content) in chunks {
        png.extend((content.len() as u32).to_be_bytes());
        png.extend([&kind[..], content, &[0; 4]].concat());
    }
    png.extend(b"\0\0\0\0IEND\0\0\0\0");
    png
}

/// ImageMagick's way of keeping metadata in text.
fn profile(name: &str, bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let lines: Vec<&str> =
        digits.as_bytes().chunks(72).map(|line| str::from_utf8(line).expect("digits")).collect();
    format!("\n{name}\n{:8}\n{}\n", bytes.len(), lines.join("\n"))
}

fn deflated(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text).expect("memory");
    encoder.finish().expect("memory")
}

fn keyed(keyword: &str, between: &[u8], text: &[u8]) -> Vec<u8> {
    [keyword.as_bytes(), &[0], between, text].concat()
}

#[test]
fn png_metadata_of_every_writer_is_read_with_its_orientation() {
    let turned = Entry { tag: 0x0112, kind: 3, count: 1, bytes: LITTLE.u16(6).to_vec() };
    let block = LITTLE.block(4, vec![turned], &[], &sydney(LITTLE));
    let preamble = exif_segment(&block);
    let raw = |name: &str| format!("Raw profile type {name}");
    let text = |name: &str, bytes: &[u8]| profile(name, bytes).into_bytes();
    type Chunk = (&'static [u8; 4], Vec<u8>);
    let cases: Vec<(&str, Chunk)> = vec![
        ("eXIf", (b"eXIf", block.clone())),
        ("eXIf with a preamble", (b"eXIf", preamble.clone())),
        ("zTXt exif", (b"zTXt", keyed(&raw("exif"), &[0], &deflated(&text("exif", &block))))),
        ("zTXt APP1", (b"zTXt", keyed(&raw("APP1"), &[0], &deflated(&text("app1", &preamble))))),
        ("tEXt exif", (b"tEXt", keyed(&raw("exif"), &[], &text("exif", &preamble)))),
        (
            "iTXt exif",
            (b"iTXt", keyed(&raw("exif"), &[1, 0, 0, 0], &deflated(&text("exif", &block)))),
        ),
    ];
    for (what, (kind, content)) in cases {
        let facts = facts(&png(&[(kind, content)]));
        assert_at(&facts, SYDNEY, what);
        assert_eq!((facts.width, facts.height), (48, 64), "{what} is upright");
        assert_eq!((facts.format, facts.notes), (PhotoFormat::Png, Vec::new()), "{what}");
    }
}

#[test]
fn xmp_in_png_profiles_is_read_and_goes_behind_exif() {
    let xmp = packet("", HERE);
    let segment = format!("http://ns.adobe.com/xap/1.0/\0{xmp}");
    for (name, bytes) in [("xmp", xmp.as_bytes()), ("APP1", segment.as_bytes())] {
        let text = profile(name, bytes).into_bytes();
        let keyword = format!("Raw profile type {name}");
        let facts = facts(&png(&[(b"zTXt", keyed(&keyword, &[0], &deflated(&text)))]));
        assert_at(&facts, SYDNEY, name);
        assert_eq!(facts.position_source, Some(PositionSource::Xmp));
    }
    // The chunk of the standard goes first although it stands later.
    let mut north = sydney(LITTLE);
    north[0] = LITTLE.text(1, "N");
    let profile = profile("exif", &LITTLE.block(4, Vec::new(), &[], &north)).into_bytes();
    let older = keyed("Raw profile type exif", &[], &profile);
    let standard = LITTLE.block(4, Vec::new(), &[], &sydney(LITTLE));
    let facts = facts(&png(&[(b"tEXt", older), (b"eXIf", standard)]));
    assert_at(&facts, SYDNEY, "eXIf");
}

#[test]
fn a_damaged_profile_is_named() {
    let cases = ["exif\n  10\n4578", "exif\n   2\nxyz0", "", "exif\n"];
    for text in cases {
        let chunk = keyed("Raw profile type exif", &[], text.as_bytes());
        let facts = facts(&png(&[(b"tEXt", chunk)]));
        assert!(matches!(problems(&facts.notes)[..], [Problem::Damaged(_)]), "{text:?}");
    }
    let iptc = keyed("Raw profile type iptc", &[], b"whatever");
    assert_eq!(facts(&png(&[(b"tEXt", iptc)])).notes, []);
}

#[test]
fn decimals_of_xmp_take_the_sign_of_their_reference() {
    let cases = [
        ("28.18", "N", "14.16", "W", Ok((28.18, -14.16))),
        ("28.18", "s", "14.16", "East", Ok((-28.18, 14.16))),
        ("-28.18", "S", "-14.16", "W", Ok((-28.18, -14.16))),
        ("28,10.8N", "N", "14,9.6W", "W", Ok((28.18, -14.16))),
        ("-28.18", "N", "14.16", "W", Err(Problem::Contradiction)),
        ("28,10.8S", "N", "14,9.6W", "W", Err(Problem::Contradiction)),
        ("28.18", "N", "14.16", "", Err(Problem::NoHemisphere)),
        ("28.18", "N", "14.16", "?", Err(Problem::NoHemisphere)),
        ("28,18", "N", "14,16", "W", Err(Problem::Coordinates)),
        ("28.18", "", "-14.16", "", Ok((28.18, -14.16))),
    ];
    for (lat, lat_ref, lng, lng_ref, wanted) in cases {
        let element = |name: &str, text: &str| match text {
            "" => String::new(),
            text => format!("<e:{name}>{text}</e:{name}>"),
        };
        let children = [
            // Apple writes them in this order.
            element("GPSLongitude", lng),
            element("GPSLongitudeRef", lng_ref),
            element("GPSLatitudeRef", lat_ref),
            element("GPSLatitude", lat),
        ];
        let facts = facts(&with_xmp(&packet("", &children.concat())));
        match wanted {
            Ok(place) => assert_at(&facts, place, &format!("{lat} {lat_ref} {lng} {lng_ref}")),
            Err(problem) => {
                assert_eq!(facts.position, None, "{lat} {lat_ref} {lng} {lng_ref}");
                assert_eq!(problems(&facts.notes), [&problem], "{lat} {lat_ref}");
            }
        }
    }
}

#[test]
fn nested_places_are_never_the_cameras() {
    let paris = "<e:GPSLatitude>48,51.48N</e:GPSLatitude><e:GPSLongitude>2,17.7E</e:GPSLongitude>";
    let attributes = r#"e:GPSLatitude="48,51.48N" e:GPSLongitude="2,17.7E""#;
    let nested = [
        format!(
            r#"<i:LocationShown><rdf:Bag><rdf:li rdf:parseType="Resource">{paris}</rdf:li></rdf:Bag></i:LocationShown>"#
        ),
        format!(
            "<i:LocationCreated><rdf:Description>{paris}</rdf:Description></i:LocationCreated>"
        ),
        format!("<i:LocationCreated><rdf:Description {attributes}/></i:LocationCreated>"),
        format!("<i:LocationShown {attributes}/>"),
        format!("<i:LocationShown><rdf:Seq><rdf:li {attributes}/></rdf:Seq></i:LocationShown>"),
        format!(r#"<i:LocationCreated rdf:parseType="Resource">{paris}</i:LocationCreated>"#),
        // What a document was made of keeps its ingredients' properties.
        format!(
            "<mm:Pantry><rdf:Bag><rdf:li><rdf:Description>{paris}</rdf:Description></rdf:li></rdf:Bag></mm:Pantry>"
        ),
        format!(
            "<mm:DerivedFrom><rdf:RDF><rdf:Description>{paris}</rdf:Description></rdf:RDF></mm:DerivedFrom>"
        ),
    ];
    for nested in nested {
        let alone = facts(&with_xmp(&packet("", &nested)));
        assert_eq!((alone.position, alone.notes), (None, Vec::new()), "{nested}");
        for children in [format!("{nested}{HERE}"), format!("{HERE}{nested}")] {
            assert_at(&facts(&with_xmp(&packet("", &children))), SYDNEY, &nested);
        }
        let own = r#"e:GPSLatitude="33,51.05S" e:GPSLongitude="151,12.66667E""#;
        assert_at(&facts(&with_xmp(&packet(own, &nested))), SYDNEY, &nested);
    }
}

#[test]
fn a_property_of_another_namespace_is_none_of_ours() {
    let other =
        packet(r#"xmlns:o="http://example.org/" o:GPSLatitude="1,0N" o:GPSLongitude="1,0E""#, "");
    assert_eq!(facts(&with_xmp(&other)).position, None);
}

#[test]
fn entities_do_not_cut_text() {
    let cases = [
        ("Smith &amp; Sons", "Smith & Sons"),
        ("Smith & Sons", "Smith & Sons"),
        ("A&#233;&#x42;", "AéB"),
        ("&lt;me&gt; &quot;x&quot; &apos;y&apos;", "<me> \"x\" 'y'"),
        ("<![CDATA[Smith & <Sons>]]>", "Smith & <Sons>"),
        ("Smith<!-- who? --> &amp; Sons", "Smith & Sons"),
        ("A &nbsp; B", "A &nbsp; B"),
    ];
    for (written, wanted) in cases {
        let list =
            format!("<dc:creator><rdf:Seq><rdf:li>{written}</rdf:li></rdf:Seq></dc:creator>");
        let facts = facts(&with_xmp(&packet("", &list)));
        assert_eq!(facts.author.as_deref(), Some(wanted), "{written}");
    }
    let make =
        facts(&with_xmp(&packet(r#"tiff:Make="Smith &amp; Sons" tiff:Model="&nbsp;1""#, "")));
    assert_eq!(make.camera.as_deref(), Some("Smith & Sons &nbsp;1"));
}

#[test]
fn xmp_times_are_read_in_exifs_way_of_writing_too() {
    let cases = [
        ("2021:08:19 18:48:53", Some("2021-08-19T18:48:53"), None),
        ("2021-08-19T18:48-5:00", Some("2021-08-19T18:48:00-05:00"), None),
        ("2021-08-19", Some("2021-08-19"), None),
        ("2021", None, Some(Problem::NoDay("2021".into()))),
        ("2021-08", None, Some(Problem::NoDay("2021-08".into()))),
        (
            "2021-08-19T18:48:53+25:00",
            Some("2021-08-19T18:48:53"),
            Some(Problem::Offset("+25:00".into())),
        ),
        ("21:08:19 18:48:53", None, Some(Problem::Time("21:08:19 18:48:53".into()))),
        ("0000:00:00 00:00:00", None, None),
    ];
    for (written, time, problem) in cases {
        let facts = facts(&with_xmp(&packet(&format!(r#"e:DateTimeOriginal="{written}""#), "")));
        assert_eq!(facts.time.as_deref(), time, "{written}");
        assert_eq!(problems(&facts.notes), problem.iter().collect::<Vec<_>>(), "{written}");
    }
}

#[test]
fn offsets_of_exif_are_made_whole_or_named() {
    let read = |at: &str, offset: &str| {
        let exif = [time(LITTLE, 0x9003, at), LITTLE.text(0x9011, offset)];
        let facts = facts(&with_exif(&LITTLE.block(4, Vec::new(), &exif, &[])));
        (facts.time.unwrap_or_default(), facts.notes.len())
    };
    let at = "2020:02:03 04:05:06";
    assert_eq!(read(at, "-5:00"), ("2020-02-03T04:05:06-05:00".into(), 0));
    assert_eq!(read(at, "+25:00"), ("2020-02-03T04:05:06".into(), 1));
    assert_eq!(read("2020:02:03 04:05:06-07:00", ""), ("2020-02-03T04:05:06-07:00".into(), 0));
    assert_eq!(read("20:02:03 04:05:06", "+01:00"), (String::new(), 1));
}

fn beside(sidecars: &[(&str, &[u8])], photo: &[u8]) -> PhotoFacts {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.jpg");
    std::fs::write(&path, photo).expect("written");
    for (name, bytes) in sidecars {
        std::fs::write(folder.path().join(name), bytes).expect("written");
    }
    PhotoFacts::read(Path::new(&path)).expect("sound headers")
}

#[test]
fn sidecars_of_every_case_and_encoding_are_read() {
    let text = packet("", HERE);
    let units = || text.encode_utf16();
    let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
    let cases: [(&str, &str, Vec<u8>); 8] = [
        ("upper case", "a.XMP", text.clone().into_bytes()),
        ("upper case behind", "a.jpg.XMP", text.clone().into_bytes()),
        ("mixed case", "a.Xmp", text.clone().into_bytes()),
        ("a byte order mark", "a.xmp", [b"\xEF\xBB\xBF", text.as_bytes()].concat()),
        ("UTF-16, little", "a.xmp", little.clone()),
        ("UTF-16, big", "a.xmp", big.clone()),
        ("marked UTF-16, little", "a.xmp", [&[0xFF, 0xFE], &little[..]].concat()),
        ("marked UTF-16, big", "a.xmp", [&[0xFE, 0xFF], &big[..]].concat()),
    ];
    for (what, name, bytes) in cases {
        let facts = beside(&[(name, &bytes)], &jpeg(&[]));
        assert_at(&facts, SYDNEY, what);
        assert_eq!((facts.position_source, facts.notes), (Some(PositionSource::Sidecar), vec![]));
    }
}

#[test]
fn a_sidecar_that_is_none_is_noted() {
    let whole = packet("", HERE);
    type Expected = fn(&Problem) -> bool;
    let cases: [(&[u8], Expected); 7] = [
        (b"", |it| *it == Problem::NoXmp),
        (b" \n", |it| *it == Problem::NoXmp),
        (b"<html>", |it| *it == Problem::NotXmp),
        (b"<!doctype html><html><br></html>", |it| *it == Problem::NotXmp),
        (b"not found", |it| *it == Problem::NotXmp),
        (b"\xFF\xD8\xFF\xE0\0\x10JFIF", |it| *it == Problem::NotXmp),
        (&whole.as_bytes()[..whole.len() - 10], |it| matches!(it, Problem::Damaged(_))),
    ];
    for (bytes, is_wanted) in cases {
        let facts = beside(&[("a.jpg.xmp", bytes)], &jpeg(&[]));
        assert_eq!(facts.notes.len(), 1, "{:?}: {:?}", String::from_utf8_lossy(bytes), facts.notes);
        assert!(is_wanted(&facts.notes[0].problem), "{:?}", facts.notes);
        assert_eq!(facts.notes[0].found_in, PositionSource::Sidecar);
    }
    // Room for others to write into, within a photo, is no fault.
    let room = "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?>   <?xpacket end='w'?>";
    assert_eq!(facts(&with_xmp(room)).notes, []);
}

#[test]
fn a_sidecar_that_overrides_a_position_far_away_says_so() {
    let exif = with_exif(&LITTLE.block(4, Vec::new(), &[], &sydney(LITTLE)));
    let moved = packet(r#"e:GPSLatitude="48,51.48N" e:GPSLongitude="2,17.7E""#, "");
    let facts = beside(&[("a.xmp", moved.as_bytes())], &exif);
    assert_at(&facts, (48.858, 2.295), "the sidecar wins");
    let [Note { found_in: PositionSource::Exif, problem }] = &facts.notes[..] else {
        panic!("{:?}", facts.notes);
    };
    assert!(matches!(problem, Problem::Elsewhere { taken: PositionSource::Sidecar, .. }));
    let said = facts.notes[0].to_string();
    assert!(
        said.contains("exif: position -33.85083, 151.21111 is ignored: that of sidecar is used"),
        "{said}"
    );
    let near = packet("", HERE);
    assert_eq!(beside(&[("a.xmp", near.as_bytes())], &exif).notes, []);
}

/// Blocks as cameras write them, with values of every kind, sound and not.
fn any_block() -> impl Strategy<Value = Vec<u8>> {
    let ratio = (0u32..200, prop_oneof![9 => 1u32..2000, 1 => Just(0)]);
    let letter =
        prop_oneof![4 => Just("N"), 4 => Just("S"), 2 => Just("E"), 2 => Just("W"), 1 => Just("")];
    let east = prop_oneof![4 => Just("E"), 4 => Just("W"), 1 => Just("N"), 1 => Just("")];
    let time = prop_oneof![
        6 => "(19|20)[0-9]{2}:(0[0-9]|1[0-4]):[0-3][0-9] [0-2][0-9]:[0-6][0-9]:[0-6][0-9]",
        2 => "[0-9:/ TZ.+-]{0,26}",
        1 => "[0-9]{4}:[0-9]{2}:[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}[+-][0-9]{1,2}:[0-9]{2}",
    ];
    let offset = proptest::option::of("[+-][0-2]?[0-9]:[0-9]{2}");
    let ratios = || proptest::collection::vec(ratio.clone(), 1..4);
    (
        any::<bool>(),
        prop_oneof![Just(4u16), Just(9), Just(13)],
        letter,
        east,
        ratios(),
        ratios(),
        time,
        offset,
    )
        .prop_map(|(little, pointer, north, east, lat, lng, at, offset)| {
            let order = Order { little };
            let gps = [
                order.text(1, north),
                order.ratios(2, &lat),
                order.text(3, east),
                order.ratios(4, &lng),
            ];
            let mut exif = vec![order.text(0x9003, &at)];
            exif.extend(offset.map(|offset| order.text(0x9011, &offset)));
            order.block(pointer, vec![order.text(0x010F, "Acme")], &exif, &gps)
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn position_and_time_are_those_of_an_independent_reading(
        block in any_block(),
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..3),
    ) {
        prop_assert_eq!(independent::difference(&block), None);
        let mut damaged = block;
        for (at, byte) in damage {
            let at = at.index(damaged.len());
            damaged[at] = byte;
        }
        prop_assert_eq!(independent::difference(&damaged), None);
    }

    /// What a packet means is known from how it was made.
    #[test]
    fn xmp_positions_are_those_that_were_written(
        lat in -89.0f64..89.0,
        lng in -179.0f64..179.0,
        style in 0usize..4,
        attributes in any::<bool>(),
        nested in any::<bool>(),
    ) {
        let letter = |value: f64, letters: [char; 2]| letters[usize::from(value < 0.0)];
        let (n, e) = (letter(lat, ['N', 'S']), letter(lng, ['E', 'W']));
        let minutes = |value: f64, letter: char| {
            let value = value.abs();
            format!("{},{:.6}{letter}", value.trunc(), value.fract() * 60.0)
        };
        let pairs: Vec<(&str, String)> = match style {
            0 => vec![("GPSLatitude", minutes(lat, n)), ("GPSLongitude", minutes(lng, e))],
            1 => vec![("GPSLatitude", format!("{lat:.8}")), ("GPSLongitude", format!("{lng:.8}"))],
            2 => vec![
                ("GPSLatitude", format!("{:.8}", lat.abs())),
                ("GPSLatitudeRef", n.to_string()),
                ("GPSLongitudeRef", e.to_string()),
                ("GPSLongitude", format!("{:.8}", lng.abs())),
            ],
            _ => vec![
                ("GPSLatitude", format!("{:.8} {n}", lat.abs())),
                ("GPSLongitude", format!("{:.8}{e}", lng.abs())),
            ],
        };
        prop_assume!(lat.abs() > 1e-3 && lng.abs() > 1e-3);
        let pantry = r#"<mm:Pantry><rdf:Bag><rdf:li><rdf:Description e:GPSLatitude="1,0N" e:GPSLongitude="1,0E"/></rdf:li></rdf:Bag></mm:Pantry>"#;
        let other = if nested { pantry } else { "" };
        let text = if attributes {
            let all: Vec<_> = pairs.iter().map(|(name, text)| format!(r#"e:{name}="{text}""#)).collect();
            packet(&all.join(" "), other)
        } else {
            let all: String = pairs.iter().map(|(name, text)| format!("<e:{name}>{text}</e:{name}>")).collect();
            packet("", &format!("{other}{all}"))
        };
        let facts = facts(&with_xmp(&text));
        let truth = LatLng::new(lat, lng).expect("on the earth");
        let position = facts.position.expect("a position");
        prop_assert!(position.distance_to(truth).m() < 1.0, "{position} {text}");
    }
}
