use tiny_skia::{
    Color, FillRule, GradientStop, LineCap, LineJoin, LinearGradient, Paint, Path, PathBuilder,
    Pixmap, Point, Rect, Shader, SpreadMode, Stroke, Transform,
};

use super::colour::Colour;
use crate::layer::Layer;

/// A position in the pen's own units: x to the right, y up.
pub(super) type At = [f32; 2];

/// Draws on a picture in units of its own: of the whole picture (the height is 1, x = 0 the
/// middle, y = 0 the lower edge) or of one thing in it (its height is 1, (0, 0) its foot).
pub(super) struct Pen<'p> {
    pixmap: &'p mut Pixmap,
    transform: Transform,
    ink: Ink,
}

/// What a pen leaves behind.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ink {
    /// Colours with smooth edges.
    Colours,
    /// The index of the layer that is being painted, as red, with hard edges; nothing for what
    /// only tints what is below.
    Layers(Option<Layer>),
}

impl<'p> Pen<'p> {
    /// A pen in units of the picture, which is turned by `tilt` degrees.
    pub(super) fn new(pixmap: &'p mut Pixmap, tilt: f32, ink: Ink) -> Self {
        let (width, height) = (pixmap.width() as f32, pixmap.height() as f32);
        // A tilted picture is a little larger than its frame, so that no corner stays empty.
        let zoom = 1.0 + 1.2 * tilt.abs().to_radians().sin();
        let transform = Transform::from_scale(height * zoom, -height * zoom)
            .pre_translate(0.0, -0.5)
            .post_concat(Transform::from_rotate(tilt))
            .post_translate(width / 2.0, height / 2.0);
        Self { pixmap, transform, ink }
    }

    /// Says what is painted from here on.
    pub(super) fn on(&mut self, layer: Layer) {
        self.begin(Some(layer));
    }

    /// Says that what is painted from here on only tints what is below: mist, rain.
    pub(super) fn tint(&mut self) {
        self.begin(None);
    }

    fn begin(&mut self, layer: Option<Layer>) {
        if let Ink::Layers(current) = &mut self.ink {
            *current = layer;
        }
    }

    /// A pen for one thing: foot, height, and whether it looks the other way.
    pub(super) fn thing(&mut self, foot: At, height: f32, mirrored: bool) -> Pen<'_> {
        let across = if mirrored { -height } else { height };
        let transform = self.transform.pre_translate(foot[0], foot[1]).pre_scale(across, height);
        Pen { pixmap: self.pixmap, transform, ink: self.ink }
    }

    /// A polygon.
    pub(super) fn fill(&mut self, corners: &[At], colour: Colour) {
        self.fill_path(path(corners, true), colour);
    }

    /// A rectangle between two corners.
    pub(super) fn rect(&mut self, from: At, to: At, colour: Colour) {
        self.fill(&[from, [to[0], from[1]], to, [from[0], to[1]]], colour);
    }

    /// An ellipse by its middle and half its width and height.
    pub(super) fn ellipse(&mut self, [x, y]: At, [across, up]: At, colour: Colour) {
        let bounds = Rect::from_ltrb(x - across, y - up, x + across, y + up);
        self.fill_path(bounds.and_then(PathBuilder::from_oval), colour);
    }

    /// A circle.
    pub(super) fn circle(&mut self, middle: At, radius: f32, colour: Colour) {
        self.ellipse(middle, [radius, radius], colour);
    }

    /// The upper half of an ellipse, standing on its middle.
    pub(super) fn dome(&mut self, [x, y]: At, [across, up]: At, colour: Colour) {
        let mut builder = PathBuilder::new();
        // Two cubics for a quarter each: 0.5523 is the usual handle for a circle.
        let (near, far) = (across * 0.5523, up * 0.5523);
        builder.move_to(x - across, y);
        builder.cubic_to(x - across, y + far, x - near, y + up, x, y + up);
        builder.cubic_to(x + near, y + up, x + across, y + far, x + across, y);
        builder.close();
        self.fill_path(builder.finish(), colour);
    }

    /// A line through points, with round ends.
    pub(super) fn line(&mut self, points: &[At], width: f32, colour: Colour) {
        self.stroke(path(points, false), width, colour);
    }

    /// The line of an ellipse.
    pub(super) fn ring(&mut self, [x, y]: At, [across, up]: At, width: f32, colour: Colour) {
        let bounds = Rect::from_ltrb(x - across, y - up, x + across, y + up);
        self.stroke(bounds.and_then(PathBuilder::from_oval), width, colour);
    }

    /// A hanging line: the lower half of an ellipse between two points at the same height.
    pub(super) fn chain(&mut self, from: At, to: At, sag: f32, width: f32, colour: Colour) {
        let mut builder = PathBuilder::new();
        builder.move_to(from[0], from[1]);
        builder.quad_to((from[0] + to[0]) / 2.0, from[1].min(to[1]) - 2.0 * sag, to[0], to[1]);
        self.stroke(builder.finish(), width, colour);
    }

    /// A band across the whole picture, from one height and colour to another.
    pub(super) fn band(&mut self, below: (f32, Colour), above: (f32, Colour)) {
        const FAR: f32 = 1.5;
        let (bottom, top) = (Point::from_xy(0.0, below.0), Point::from_xy(0.0, above.0));
        let stops = vec![
            GradientStop::new(0.0, below.1.to_skia()),
            GradientStop::new(1.0, above.1.to_skia()),
        ];
        let gradient =
            LinearGradient::new(bottom, top, stops, SpreadMode::Pad, Transform::identity());
        let Some(shader) = gradient else { return };
        let corners = [[-FAR, below.0], [FAR, below.0], [FAR, above.0], [-FAR, above.0]];
        self.fill_with(path(&corners, true), shader);
    }

    fn fill_path(&mut self, path: Option<Path>, colour: Colour) {
        self.fill_with(path, Shader::SolidColor(colour.to_skia()));
    }

    /// A path without an inside (`None`) leaves no mark, as with a pen on paper.
    fn fill_with(&mut self, path: Option<Path>, shader: Shader<'_>) {
        let (Some(path), Some(paint)) = (path, self.paint(shader)) else { return };
        self.pixmap.fill_path(&path, &paint, FillRule::Winding, self.transform, None);
    }

    fn stroke(&mut self, path: Option<Path>, width: f32, colour: Colour) {
        let paint = self.paint(Shader::SolidColor(colour.to_skia()));
        let (Some(path), Some(paint)) = (path, paint) else { return };
        let (line_cap, line_join) = (LineCap::Round, LineJoin::Round);
        let stroke = Stroke { width, line_cap, line_join, ..Stroke::default() };
        self.pixmap.stroke_path(&path, &paint, &stroke, self.transform, None);
    }
}

impl Pen<'_> {
    /// What a stroke is made with; `None` where it leaves nothing.
    fn paint<'s>(&self, shader: Shader<'s>) -> Option<Paint<'s>> {
        match self.ink {
            Ink::Colours => Some(Paint { shader, ..Paint::default() }),
            Ink::Layers(layer) => {
                let shader = Shader::SolidColor(Color::from_rgba8(layer?.index(), 0, 0, 255));
                Some(Paint { shader, anti_alias: false, ..Paint::default() })
            }
        }
    }
}

fn path(points: &[At], closed: bool) -> Option<Path> {
    let mut builder = PathBuilder::with_capacity(points.len() + 2, points.len() + 1);
    let (first, others) = points.split_first()?;
    builder.move_to(first[0], first[1]);
    for point in others {
        builder.line_to(point[0], point[1]);
    }
    if others.is_empty() {
        // A dot is a line to itself.
        builder.line_to(first[0] + 1e-4, first[1]);
    }
    if closed {
        builder.close();
    }
    builder.finish()
}
