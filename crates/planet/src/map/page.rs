use super::WorldMap;
use crate::plot::escaped;

/// Moves and enlarges the picture: wheel or pinch, drag, double click, + and − and 0. Calls `shown`
/// after each change.
pub(crate) const MOVING: &str = "\
const svg=document.querySelector('svg'),all=svg.viewBox.baseVal,home=[all.x,all.y,all.width,all.height];\
let box=home.slice(),held=new Map(),shown=()=>{};\
svg.removeAttribute('width');svg.removeAttribute('height');\
const show=()=>{svg.setAttribute('viewBox',box.join(' '));shown()};\
const at=e=>{const r=svg.getBoundingClientRect(),s=Math.max(box[2]/r.width,box[3]/r.height);\
return[box[0]+box[2]/2+(e.clientX-r.left-r.width/2)*s,box[1]+box[3]/2+(e.clientY-r.top-r.height/2)*s]};\
const zoom=(f,[x,y])=>{f=Math.max(box[2]*f,home[2]/400)/box[2];if(box[2]*f>=home[2]){box=home.slice();return show()}\
box=[x-(x-box[0])*f,y-(y-box[1])*f,box[2]*f,box[3]*f];show()};\
svg.addEventListener('wheel',e=>{e.preventDefault();zoom(Math.exp(e.deltaY*.0015),at(e))},{passive:false});\
svg.addEventListener('dblclick',e=>zoom(.5,at(e)));\
svg.addEventListener('pointerdown',e=>{svg.setPointerCapture(e.pointerId);held.set(e.pointerId,e)});\
for(const n of['pointerup','pointercancel'])svg.addEventListener(n,e=>held.delete(e.pointerId));\
svg.addEventListener('pointermove',e=>{const old=held.get(e.pointerId);if(!old)return;\
if(held.size==1){const a=at(old),b=at(e);box[0]+=a[0]-b[0];box[1]+=a[1]-b[1];show()}\
else{const o=[...held.values()].find(p=>p.pointerId!=e.pointerId);\
const d=p=>Math.hypot(p.clientX-o.clientX,p.clientY-o.clientY);zoom(d(old)/Math.max(d(e),1),at(o))}\
held.set(e.pointerId,e)});\
addEventListener('keydown',e=>{const m=[box[0]+box[2]/2,box[1]+box[3]/2];\
if(e.key=='+')zoom(.67,m);if(e.key=='-')zoom(1.5,m);if(e.key=='0'){box=home.slice();show()}});";

const STYLE: &str = "html,body{margin:0;height:100%;background:#e2ecf3;font:15px system-ui,sans-serif}\
body{display:flex;flex-direction:column}svg{flex:1;min-height:0;width:100%;touch-action:none;cursor:grab}\
header{padding:.6em 1em;background:#fff}h1{font-size:1.05em;margin:0}p{margin:.2em 0 0;color:#555}\
@media print{header p{display:none}}";

impl WorldMap {
    /// The map as one HTML page that needs no network: it can be moved and enlarged.
    pub fn to_html(&self, heading: &str) -> String {
        let heading = escaped(heading);
        let svg = self.to_svg();
        format!(
            "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{heading}</title>\n\
             <style>{STYLE}</style>\n<header><h1>{heading}</h1>\
             <p>Use the wheel or pinch to zoom, drag to move, and press 0 to show the whole map.</p></header>\n\
             {svg}<script>{MOVING}</script>\n</html>\n"
        )
    }
}
