use super::{Gallery, Report, Shown, figures};
use crate::plot::{escaped, inlined};

/// Light and dark, wide and narrow, on paper; shared by every page that this project makes.
pub const STYLE: &str = "\
:root{color-scheme:light dark}body{max-width:62em;margin:auto;padding:1em;line-height:1.5;\
font:16px/1.5 system-ui,sans-serif}h1{margin-bottom:0}h2{margin-top:2em;border-top:1px solid #8884}\
.wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}\
th,td{padding:.2em .7em;text-align:right;white-space:nowrap}\
th:first-child,td:first-child{text-align:left;white-space:pre;position:sticky;left:0;background:Canvas}\
th[scope=row]{font-weight:normal}\
tr:nth-child(even){background:#8881}.note,figcaption{color:#6b6b6b;color:light-dark(#595959,#b4b4b4);font-size:.9em}figure{margin:1em 0}\
figure img{width:100%}svg{max-width:100%;height:auto}\
.gallery{display:grid;grid-template-columns:repeat(auto-fill,minmax(11em,1fr));gap:1em}\
.gallery>div{font-size:.85em;break-inside:avoid;overflow-wrap:anywhere}.gallery img{width:100%;display:block}\
.gallery .photo{aspect-ratio:4/3;object-fit:contain;background:#8882}.cell{max-width:30em}\
.strip td{font-size:.8em;text-align:center;vertical-align:top;white-space:normal;min-width:8em;max-width:11em}\
.strip th,.strip td:first-child{text-align:left;white-space:nowrap;min-width:auto;max-width:none}.strip img{width:100%}\
@media(max-width:40em){svg.chart{font-size:16px}\
th:first-child,td:first-child{white-space:pre-wrap;min-width:7em;max-width:9em}}\
@media print{h2,h3{break-after:avoid}figure,.wide,tr{break-inside:avoid}.wide{overflow:visible}\
table{font-size:.8em}th,td{padding:.1em .4em}.cell{max-width:13em}\
.gallery{grid-template-columns:repeat(4,1fr)}}";

/// A page's beginning, up to what it is about.
pub(crate) fn head(title: &str, subject: &str) -> String {
    let (title, subject) = (escaped(title), escaped(subject));
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\n\
         <style>{STYLE}</style>\n<h1>{title}</h1>\n<p>{subject}</p>\n"
    )
}

impl Report {
    /// The page: everything inside, no network.
    pub fn to_html(&self) -> String {
        let mut html = head(&self.title, &self.subject);
        html.push_str("<h2>Accuracy by distance</h2>\n");
        let mut tables = self.tables().into_iter();
        html.extend(tables.next().map(|table| table.to_html()));
        let curve = self.error_curve().to_svg();
        html.push_str(&format!(
            "<figure>{curve}<figcaption>Share of photos within each distance. The band is the 95 % \
             interval of the first answer.</figcaption></figure>\n"
        ));
        html.extend(tables.map(|table| table.to_html()));
        if let Some(chart) = figures::risk_coverage(&self.score) {
            html.push_str(&format!(
                "<h2>Accuracy when uncertain photos are not answered</h2>\n<figure>{}<figcaption>Share of wrong answers if only \
                 the most confident answers are given.</figcaption></figure>\n",
                chart.to_svg()
            ));
        }
        self.map(&mut html);
        if !self.galleries.is_empty() {
            html.push_str("<h2>Photos</h2>\n");
            self.galleries.iter().for_each(|it| gallery(it, &mut html));
        }
        html.push_str("</html>\n");
        html
    }

    /// The references that are drawn beside the curves: at most three.
    fn map(&self, html: &mut String) {
        if self.places.is_empty() {
            return;
        }
        if let Ok(png) = figures::error_map(&self.places).to_png() {
            html.push_str(&format!(
                "<h2>Map of errors</h2>\n<figure>{}<figcaption>True positions of the photos, coloured by the \
                 error of the first answer.</figcaption></figure>\n",
                inlined("true positions on a world map, coloured by error", "png", &png)
            ));
        }
    }
}

fn gallery(gallery: &Gallery, html: &mut String) {
    html.push_str(&format!("<h3>{}</h3>\n", escaped(&gallery.title)));
    if let Some(map) = &gallery.map {
        let map = inlined("the cell on a world map", "png", map);
        html.push_str(&format!("<figure class=\"cell\">{map}</figure>\n"));
    }
    html.push_str("<div class=\"gallery\">\n");
    gallery.photos.iter().for_each(|it| shown(it, html));
    html.push_str("</div>\n");
}

fn shown(photo: &Shown, html: &mut String) {
    html.push_str("<div>");
    if let Some(thumbnail) = &photo.thumbnail {
        html.push_str(&inlined(&photo.photo, "jpeg", thumbnail));
    }
    if let Some(map) = &photo.map {
        html.push_str(&inlined("its probability over the globe", "png", map));
    }
    if let Some(explanation) = &photo.explanation {
        html.push_str(&inlined("the photo with its occlusion map", "jpeg", explanation));
    }
    let lines = [&photo.photo].into_iter().chain(&photo.lines);
    let lines: Vec<String> = lines.map(|line| escaped(line)).collect();
    html.push_str(&format!("{}</div>\n", lines.join("<br>")));
}
