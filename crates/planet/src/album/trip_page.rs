//! A trip as a page: a map, and beside it a list of the stops with dates, names and photos.

use std::fmt::Write;

use super::{Trip, trip::Stop};
use crate::{
    map::MOVING,
    plot::{escaped, inlined},
};

/// Photos shown of a stop, and of a trip: more would make a page that no browser likes.
const OF_STOP: usize = 4;
const OF_TRIP: usize = 1000;

const STYLE: &str = "html,body{margin:0;height:100%;background:#e2ecf3;color:#222;font:15px system-ui,sans-serif}\
body{display:flex;flex-direction:column}header{padding:.6em 1em;background:#fff}h1{font-size:1.05em;margin:0}\
header p{margin:.2em 0 0;color:#555}main{flex:1;min-height:0;display:flex}\
svg{flex:1;min-width:0;min-height:0;height:100%;touch-action:none;cursor:grab}svg path{vector-effect:non-scaling-stroke}\
svg circle[data-number]{cursor:pointer}svg circle.chosen{stroke:#000;stroke-width:3px;vector-effect:non-scaling-stroke}\
ol{list-style:none;margin:0;padding:.4em;width:21em;overflow:auto;background:#fff}\
li button{display:block;width:100%;text-align:left;font:inherit;background:none;color:inherit;cursor:pointer;\
box-sizing:border-box;border:0;border-left:.4em solid var(--colour);padding:.4em .6em;margin:.2em 0;border-radius:.2em}\
li button[aria-current=true]{background:#e6eefb;outline:2px solid #145ac8}li b{display:block}\
li small{display:block;color:#555;overflow-wrap:anywhere}li span{display:flex;gap:.2em;margin-top:.3em}\
li img{width:4.4em;height:4.4em;object-fit:cover;border-radius:.2em}\
@media(max-width:44em){main{flex-direction:column}ol{width:auto;height:42%}}\
@media print{html,body,main,ol{height:auto;overflow:visible;display:block;width:auto}header p{display:none}}";

/// Chooses a stop by a click, a tap or keys, on the map or in the list.
const SCRIPT: &str = "\
const list=[...document.querySelectorAll('li button')],dots=[...svg.querySelectorAll('circle[data-number]')];\
const size=dots.map(d=>+d.getAttribute('r'));let chosen=-1;\
shown=()=>dots.forEach((d,i)=>d.setAttribute('r',size[i]*box[2]/home[2]));\
const choose=(n,move)=>{if(n<0||n>=list.length)return;chosen=n;\
list.forEach((b,i)=>b.setAttribute('aria-current',i==n));\
dots.forEach(d=>d.classList.toggle('chosen',d.dataset.number==n));\
list[n].scrollIntoView({block:'nearest'});\
if(move){const d=dots.find(d=>d.dataset.number==n),w=Math.min(box[2],home[2]/6),h=w*home[3]/home[2];\
box=[d.getAttribute('cx')-w/2,d.getAttribute('cy')-h/2,w,h];show()}};\
list.forEach((b,i)=>b.addEventListener('click',()=>choose(i,true)));\
let pressed=null;svg.addEventListener('pointerdown',e=>pressed=held.size>1?null:e);\
svg.addEventListener('pointerup',e=>{if(!pressed||Math.hypot(e.clientX-pressed.clientX,e.clientY-pressed.clientY)>6)return;\
let best=null,least=e.pointerType=='touch'?24:12;for(const d of dots){const r=d.getBoundingClientRect(),\
away=Math.hypot(r.x+r.width/2-e.clientX,r.y+r.height/2-e.clientY)-r.width/2;if(away<=least){least=away;best=d}}\
if(best)choose(+best.dataset.number,false)});\
addEventListener('keydown',e=>{const step={ArrowDown:1,ArrowRight:1,ArrowUp:-1,ArrowLeft:-1}[e.key];\
if(step){e.preventDefault();choose(chosen<0&&step<0?list.length-1:chosen+step,true)}\
if(e.key=='Home')choose(0,true);if(e.key=='End')choose(list.length-1,true)});";

impl Trip {
    /// One HTML page that needs no network: the map, which can be moved and enlarged, and the
    /// stops in their order, each with its dates, its name, its level and some of its photos.
    /// `thumbnail` gives a photo as a small JPEG, where it can be read.
    pub fn to_html(&self, heading: &str, thumbnail: impl Fn(&str) -> Option<Vec<u8>>) -> String {
        let heading = escaped(heading);
        let svg = self.map().to_svg();
        let mut list = String::new();
        let mut left = OF_TRIP;
        for stop in &self.stops {
            let shown = stop.photos.iter().take(OF_STOP.min(left));
            let pictures: Vec<String> =
                shown.filter_map(|id| Some(inlined(id, "jpeg", &thumbnail(id)?))).collect();
            left -= pictures.len();
            entry(&mut list, stop, &pictures.concat());
        }
        let without = match self.without {
            0 => String::new(),
            1 => " 1 photo has no answer and is not shown.".to_owned(),
            photos => format!(" {photos} photos have no answer and are not shown."),
        };
        format!(
            "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{heading}</title>\n\
             <style>{STYLE}</style>\n<header><h1>{heading}</h1>\
             <p>Select a stop on the map or in the list; the arrow keys go from stop to stop. Use the \
             wheel or pinch to zoom, drag to move, and press 0 to show the whole map.{without}</p>\
             </header>\n<main>{svg}<ol>\n{list}</ol></main>\n\
             <script>{MOVING}{SCRIPT}</script>\n</html>\n"
        )
    }
}

fn entry(list: &mut String, stop: &Stop, pictures: &str) {
    let name = match stop.name.as_str() {
        "" => format!("{:.3}, {:.3}", stop.at.lat(), stop.at.lng()),
        name => escaped(name),
    };
    let photos = match stop.photos.len() {
        1 => escaped(&stop.photos[0]),
        photos => format!("{photos} photos"),
    };
    let (colour, sureness) = (stop.sureness.colour(), stop.sureness.name());
    let dates = dates(stop);
    // Writing to memory does not fail.
    let _ = writeln!(
        list,
        "<li><button style=\"--colour:{colour}\"><b>{name}</b><small>{dates}</small>\
         <small>{sureness}, {photos}</small><span>{pictures}</span></button></li>"
    );
}

/// `2024-05-01 10:00 to 12:30`, `2024-05-01 10:00 to 2024-05-02 08:00`, or no date.
fn dates(stop: &Stop) -> String {
    let Some((first, last)) = &stop.times else { return "no date".to_owned() };
    let parts = |time: &str| {
        let (date, clock) = time.split_at_checked(10).unwrap_or((time, ""));
        let clock: String = clock.trim_start_matches('T').chars().take(5).collect();
        (escaped(date), escaped(&clock))
    };
    let ((date, from), (last_date, to)) = (parts(first), parts(last));
    match (date == last_date, from == to) {
        (true, true) => format!("{date} {from}"),
        (true, false) => format!("{date} {from} to {to}"),
        (false, _) => format!("{date} {from} to {last_date} {to}"),
    }
}

#[cfg(test)]
mod tests {
    use planet_geo::{LatLng, Scale};

    use crate::{
        Certain, Prediction,
        album::{Trip, TripPhoto},
    };

    fn page(photos: &[(Prediction, Option<&str>)]) -> String {
        let sequence =
            photos.iter().map(|(prediction, time)| TripPhoto { prediction, time: *time }).collect();
        Trip::new([sequence])
            .to_html("a <trip>", |id| (id != "b.jpg").then(|| id.as_bytes().to_vec()))
    }

    fn certain(photo: &str, lat: f64, name: &str) -> Prediction {
        let position = LatLng::new(lat, 11.0).expect("in range");
        let (level, name) = (Scale::City, name.to_owned());
        Prediction {
            photo: photo.to_owned(),
            certain: Some(Certain { level, name, position, probability: 0.8 }),
            ..Prediction::default()
        }
    }

    #[test]
    fn the_page_names_and_dates_every_stop_in_order_and_shows_its_photos() {
        let html = page(&[
            (certain("a.jpg", 48.0, "<Munich>"), Some("2024-05-01T10:00:00")),
            (certain("b.jpg", 48.0, "<Munich>"), Some("2024-05-01T12:30:00+02:00")),
            (certain("c.jpg", 47.0, ""), None),
            (Prediction::failed("d.jpg", "unreadable"), None),
        ]);
        assert!(html.contains("<title>a &lt;trip&gt;</title>") && !html.contains("<Munich>"));
        assert!(html.contains("&lt;Munich&gt;</b><small>2024-05-01 10:00 to 12:30</small>"));
        assert!(html.contains("city (25 km), 2 photos"));
        assert!(html.contains("47.000, 11.000</b><small>no date</small>"));
        assert!(html.contains("1 photo has no answer"));
        // That which cannot be read has no picture.
        assert_eq!(html.matches("<img").count(), 2);
        assert_eq!(html.matches("data-number=").count(), 2);
        let (munich, other) = (html.find("&lt;Munich"), html.find("47.000"));
        assert!(munich < other);
    }
}
