use crate::{
    plot::{escaped, inlined},
    report::page_head,
};

/// What a search found for one photo, as it is shown.
#[derive(Clone, Debug)]
pub struct SearchResult {
    /// The query.
    pub query: FoundPhoto,
    /// What was found, nearest first; or why nothing was.
    pub found: Result<Vec<FoundPhoto>, String>,
    /// A map to stand below the photos, as PNG.
    pub map: Option<Vec<u8>>,
}

/// One photo of a page.
#[derive(Clone, Debug)]
pub struct FoundPhoto {
    /// Its id.
    pub photo: String,
    /// The photo as a small JPEG; `None` where it cannot be read.
    pub thumbnail: Option<Vec<u8>>,
    /// Lines below it.
    pub lines: Vec<String>,
}

/// A page with each query and what was found for it. Everything is inside, nothing is loaded.
pub fn search_page(subject: &str, results: &[SearchResult]) -> String {
    let mut html = page_head("Similar photos", subject);
    for result in results {
        html.push_str(&format!(
            "<h2>{}</h2>\n<div class=\"gallery\">\n",
            escaped(&result.query.photo)
        ));
        card(&result.query, "query", &mut html);
        match &result.found {
            Ok(found) => {
                for (rank, photo) in (1..).zip(found) {
                    card(photo, &format!("{rank}"), &mut html);
                }
                html.push_str("</div>\n");
                if found.is_empty() {
                    html.push_str("<p>The index has no photos.</p>\n");
                }
            }
            Err(error) => html.push_str(&format!("</div>\n<p>{}</p>\n", escaped(error))),
        }
        if let Some(map) = &result.map {
            let map = inlined("the photos on a world map", "png", map);
            html.push_str(&format!("<figure>{map}</figure>\n"));
        }
    }
    html.push_str("</html>\n");
    html
}

fn card(photo: &FoundPhoto, what: &str, html: &mut String) {
    html.push_str("<div>");
    match &photo.thumbnail {
        Some(thumbnail) => html.push_str(&inlined("photo", "jpeg", thumbnail)),
        None => html.push_str("<div class=\"photo\">no picture</div>"),
    }
    let lines = [&photo.photo].into_iter().chain(&photo.lines).map(|line| escaped(line));
    let lines: Vec<String> = lines.collect();
    html.push_str(&format!("<b>{}</b><br>{}</div>\n", escaped(what), lines.join("<br>")));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_shows_every_photo_once_and_escapes_their_names() {
        let photo = |name: &str, thumbnail: Option<Vec<u8>>| FoundPhoto {
            photo: name.to_owned(),
            thumbnail,
            lines: vec!["distance 0.5".to_owned()],
        };
        let results = [
            SearchResult {
                query: photo("<q>.jpg", Some(vec![1, 2, 3])),
                found: Ok(vec![photo("a&b.jpg", None)]),
                map: Some(vec![4, 5]),
            },
            SearchResult {
                query: photo("torn.jpg", None),
                found: Err("not a photo".to_owned()),
                map: None,
            },
        ];
        let html = search_page("index 'x'", &results);
        assert!(html.contains("&lt;q&gt;.jpg") && !html.contains("<q>"), "{html}");
        assert!(html.contains("a&amp;b.jpg") && html.contains("not a photo"));
        assert_eq!(html.matches("data:image/jpeg").count(), 1);
        assert_eq!(html.matches("data:image/png").count(), 1);
        assert!(!html.contains("http"), "nothing is loaded");
    }
}
