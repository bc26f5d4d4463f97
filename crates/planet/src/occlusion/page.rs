use planet_data::thumbnail_jpeg;

use super::{
    Occlusion,
    picture::{REGIONS, scale_name},
    regions::percent,
};
use crate::{
    map::MapError,
    plot::{data_uri, escaped},
    report::STYLE,
};

/// The slider moves every map's cover; under a map a photo is grey, so that colours are the map's.
const SCRIPT: &str = "\
const slider=document.querySelector('input');\
const show=()=>{document.querySelectorAll('.map').forEach(map=>map.style.opacity=slider.value/100);\
document.querySelectorAll('.photo').forEach(it=>it.style.filter=`grayscale(${Math.min(1,slider.value/50)})`)};\
slider.addEventListener('input',show);show();";

const OWN_STYLE: &str = "\
.occlusion{position:relative;display:inline-block;max-width:100%;line-height:0}\
.occlusion img,.occlusion svg{max-width:100%;height:auto}\
.occlusion .map,.occlusion svg{position:absolute;left:0;top:0;width:100%;height:100%}\
.occlusion .photo{width:100%}.bar{display:inline-block;width:12em;height:.9em;vertical-align:middle}\
label{position:sticky;top:0;background:Canvas;padding:.4em;display:block;z-index:1}";

/// A page with the maps of some photos, each its photo and its result or what is wrong with it;
/// a slider lays the maps over the photos. It needs no network.
///
/// # Errors
/// A picture does not fit into memory.
pub fn to_page(photos: &[(String, Result<Occlusion, String>)]) -> Result<String, MapError> {
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Why there?</title>\n\
         <style>{STYLE}{OWN_STYLE}</style>\n<h1>Why there?</h1>\n\
         <p>Every part of the photo was hidden in turn. Where it is light, the probability of the \
         place falls if that part is hidden.</p>\n\
         <label>map over photo <input type=\"range\" min=\"0\" max=\"100\" value=\"55\"></label>\n"
    );
    for (photo, result) in photos {
        html.push_str(&format!("<h2>{}</h2>\n", escaped(photo)));
        match result {
            Ok(occlusion) => html.push_str(&occlusion.section()?),
            Err(error) => html.push_str(&format!("<p>No map: {}</p>\n", escaped(error))),
        }
    }
    html.push_str(&format!("<script>{SCRIPT}</script>\n</html>\n"));
    Ok(html)
}

impl Occlusion {
    fn section(&self) -> Result<String, MapError> {
        let photo = self.shown_photo();
        let [height, width] = self.size;
        let jpeg = data_uri("jpeg", &thumbnail_jpeg(&photo, photo.width().max(photo.height())));
        let map = data_uri("png", &self.overlay_png(1.0)?);
        let regions = self.regions(REGIONS);
        let mut frames = String::new();
        let mut list = String::new();
        let unit = f64::from(width.max(height)) / 640.0;
        for (number, region) in (1..).zip(&regions) {
            let hidden = region.hidden;
            let (x, y) = (f64::from(hidden.left) + 8.0 * unit, f64::from(hidden.top) + 26.0 * unit);
            frames.push_str(&format!(
                "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#fff\" \
                 stroke-width=\"{:.2}\"/><text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{:.1}\" \
                 font-weight=\"bold\" fill=\"#fff\" stroke=\"#000\" stroke-width=\"{:.2}\" \
                 paint-order=\"stroke\">{number}</text>",
                hidden.left,
                hidden.top,
                hidden.width,
                hidden.height,
                2.0 * unit,
                26.0 * unit,
                4.0 * unit,
            ));
            list.push_str(&format!("<li>{}</li>\n", escaped(&region.sentence())));
        }
        let answer = self.answer(&self.whole).map_or_else(String::new, |(place, share)| {
            let name = escaped(&super::regions::name(place));
            format!(" The answer is {name} ({}).", percent(f64::from(share)))
        });
        let (shown_width, shown_height) = (photo.width(), photo.height());
        Ok(format!(
            "<p>{} ({}).{answer}</p>\n<div class=\"occlusion\">\
             <img class=\"photo\" alt=\"photo\" width=\"{shown_width}\" height=\"{shown_height}\" src=\"{jpeg}\">\
             <img class=\"map\" alt=\"map\" src=\"{map}\">\
             <svg viewBox=\"0 0 {width} {height}\">{frames}</svg></div>\n\
             <p>{}</p>\n<ol>\n{list}</ol>\n<p class=\"note\">{} passes.</p>\n",
            escaped(&self.heading()),
            scale_name(self.scale),
            self.page_legend(),
            self.passes,
        ))
    }

    fn page_legend(&self) -> String {
        let [least, greatest] = self.map(super::Measure::Probability).range();
        let colours = self.colours();
        let stop = |step: u32| {
            let share = f64::from(step) / 12.0;
            colours.colour(least + share * (greatest - least)).to_string()
        };
        let stops: Vec<String> = (0..=12).map(stop).collect();
        format!(
            "probability if hidden: {} <span class=\"bar\" style=\"background:linear-gradient(to right,{})\">\
             </span> {}",
            percent(least),
            stops.join(","),
            percent(greatest)
        )
    }
}
