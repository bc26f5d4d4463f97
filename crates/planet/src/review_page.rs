use crate::{
    plot::{escaped, inlined},
    report::page_head,
};

/// Photos of a filter that are looked at together.
#[derive(Clone, Debug)]
pub struct ReviewGroup {
    /// What they have in common.
    pub title: String,
    /// How many there are, and which of them are shown.
    pub note: String,
    /// The photos.
    pub photos: Vec<ReviewPhoto>,
}

/// One photo of a review.
#[derive(Clone, Debug)]
pub struct ReviewPhoto {
    /// Its id.
    pub photo: String,
    /// The photo as a small JPEG; `None` where it cannot be read.
    pub thumbnail: Option<Vec<u8>>,
    /// The value by which it is kept or removed.
    pub value: String,
    /// Whether it is kept whatever its value.
    pub is_kept: bool,
}

/// Saves the ids of the ticked photos, one per line.
const SCRIPT: &str = "\
document.getElementById('save').onclick=()=>{\
const kept=[...document.querySelectorAll('input:checked')].map(box=>box.value+'\\n');\
const link=document.createElement('a');\
link.href=URL.createObjectURL(new Blob([...new Set(kept)],{type:'text/plain'}));\
link.download='keep.txt';link.click()}";

/// A page with the photos that a filter removes. Each has a box to tick; a button saves the ids of the
/// ticked photos as a list of those to be kept. Everything is inside, nothing is loaded.
pub fn review_page(subject: &str, groups: &[ReviewGroup]) -> String {
    let mut html = page_head("Photos to review", subject);
    html.push_str(
        "<p>Tick the photos that must be kept, save their list, and pass it to the filter as \
         <code>--keep-list keep.txt</code>.</p>\n\
         <p><button id=\"save\">Save the list of ticked photos</button></p>\n",
    );
    for group in groups {
        let (title, note) = (escaped(&group.title), escaped(&group.note));
        html.push_str(&format!(
            "<h2>{title}</h2>\n<p class=\"note\">{note}</p>\n<div class=\"gallery\">\n"
        ));
        group.photos.iter().for_each(|photo| card(photo, &mut html));
        html.push_str("</div>\n");
    }
    html.push_str(&format!("<script>{SCRIPT}</script>\n</html>\n"));
    html
}

fn card(photo: &ReviewPhoto, html: &mut String) {
    let picture = match &photo.thumbnail {
        Some(thumbnail) => inlined("photo", "jpeg", thumbnail),
        None => "<div class=\"photo\">no picture</div>".to_owned(),
    };
    let (id, value) = (escaped(&photo.photo), escaped(&photo.value));
    let ticked = if photo.is_kept { " checked" } else { "" };
    html.push_str(&format!(
        "<div><label>{picture}<input type=\"checkbox\" value=\"{id}\"{ticked}> <b>{value}</b>\
         <br>{id}</label></div>\n"
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_review_shows_every_photo_with_a_box_and_escapes_its_name() {
        let photo = |name: &str, is_kept: bool| ReviewPhoto {
            photo: name.to_owned(),
            thumbnail: is_kept.then(|| vec![1, 2, 3]),
            value: "0.91".to_owned(),
            is_kept,
        };
        let html = review_page(
            "M",
            &[ReviewGroup {
                title: "unsafe>=0.8".to_owned(),
                note: "2 photos".to_owned(),
                photos: vec![photo("\"><script>.jpg", false), photo("kept.jpg", true)],
            }],
        );
        assert!(html.contains("unsafe&gt;=0.8"), "{html}");
        assert_eq!(html.matches("<script>").count(), 1);
        assert!(html.contains("value=\"kept.jpg\" checked"));
        assert!(html.contains("value=\"&quot;&gt;&lt;script&gt;.jpg\">"));
        assert_eq!(html.matches("data:image/jpeg").count(), 1);
        assert!(!html.contains("http"), "nothing is loaded");
    }
}
