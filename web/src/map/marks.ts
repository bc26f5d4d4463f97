import type { LatLng } from "../api/photos.ts";
import { circle, geodesic, radians, unwrapped } from "./geodesic.ts";
import type { View } from "./view.ts";

/** Colours of marks, by their meaning; the style sheet has a value for light and for dark. */
export type Tone = "accent" | "truth" | "model" | "first" | "second" | "muted" | "ink";
export type Shape = "dot" | "ring" | "diamond" | "star" | "cross";

export interface Mark {
  at: LatLng;
  shape: Shape;
  tone: Tone;
  /** Words beside the mark. */
  label?: string;
  /** One or two characters within the mark. */
  text?: string;
  size?: number;
}

export interface Line {
  from: LatLng;
  to: LatLng;
  tone: Tone;
  dashed?: boolean;
}

export interface Circle {
  at: LatLng;
  km: number;
  tone: Tone;
}

/** What is drawn over the map. Later marks lie over earlier ones. */
export interface Overlay {
  marks?: Mark[];
  lines?: Line[];
  circles?: Circle[];
}

export type Colours = Record<Tone | "halo", string>;

type Context = CanvasRenderingContext2D;

/** Follows unwrapped positions in every copy of the world that is on the screen. */
function trace(context: Context, view: View, points: readonly LatLng[], closed: boolean): void {
  const { projection, scale, centreX, centreY } = view;
  const around = 2 * Math.PI;
  const lngs = points.map((it) => radians(it.lng));
  const first = Math.ceil((view.left - Math.max(...lngs)) / around);
  const last = Math.floor((view.right - Math.min(...lngs)) / around);
  for (let copy = first; copy <= last; copy += 1) {
    points.forEach((point, index) => {
      const lat = radians(point.lat);
      const x = centreX + ((lngs[index] ?? 0) - view.lng + around * copy) * projection.width(lat) * scale;
      const y = centreY - (projection.height(lat) - view.y) * scale;
      if (index === 0) context.moveTo(x, y);
      else context.lineTo(x, y);
    });
    if (closed) context.closePath();
  }
}

function drawCircle(context: Context, view: View, { at, km, tone }: Circle, colours: Colours): void {
  // Around a pole a circle is no closed line on a flat map.
  if (km > 6000 || Math.abs(at.lat) + km / 111 > 89) return;
  context.beginPath();
  trace(context, view, unwrapped(circle(at, km)), true);
  context.fillStyle = colours[tone];
  context.strokeStyle = colours[tone];
  context.globalAlpha = 0.12;
  context.fill();
  context.globalAlpha = 0.9;
  context.lineWidth = 1.5;
  context.stroke();
  context.globalAlpha = 1;
}

function drawLine(context: Context, view: View, line: Line, colours: Colours): void {
  context.beginPath();
  trace(context, view, unwrapped(geodesic(line.from, line.to)), false);
  context.setLineDash([]);
  context.strokeStyle = colours.halo;
  context.lineWidth = 4;
  context.globalAlpha = 0.7;
  context.stroke();
  context.globalAlpha = 1;
  context.setLineDash(line.dashed ? [6, 5] : []);
  context.strokeStyle = colours[line.tone];
  context.lineWidth = 2;
  context.stroke();
  context.setLineDash([]);
}

function outline(context: Context, shape: Shape, x: number, y: number, size: number): void {
  context.beginPath();
  if (shape === "dot" || shape === "ring") {
    context.arc(x, y, size, 0, 2 * Math.PI);
    return;
  }
  if (shape === "cross") {
    context.moveTo(x - size, y);
    context.lineTo(x + size, y);
    context.moveTo(x, y - size);
    context.lineTo(x, y + size);
    return;
  }
  const corners = shape === "diamond" ? 4 : 10;
  for (let corner = 0; corner < corners; corner += 1) {
    const reach = corners === 10 && corner % 2 === 1 ? size * 0.55 : size * 1.25;
    const angle = (2 * Math.PI * corner) / corners - Math.PI / 2;
    const [px, py] = [x + reach * Math.cos(angle), y + reach * Math.sin(angle)];
    if (corner === 0) context.moveTo(px, py);
    else context.lineTo(px, py);
  }
  context.closePath();
}

function drawMark(context: Context, view: View, mark: Mark, colours: Colours): void {
  const [x, y] = view.toScreen(mark.at);
  if (x < -40 || y < -40 || x > view.width + 40 || y > view.height + 40) return;
  const size = mark.size ?? (mark.text ? 9 : 6);
  outline(context, mark.shape, x, y, size);
  context.lineJoin = "round";
  context.strokeStyle = colours.halo;
  context.lineWidth = mark.shape === "ring" || mark.shape === "cross" ? 5 : 3;
  context.stroke();
  if (mark.shape === "ring" || mark.shape === "cross") {
    context.strokeStyle = colours[mark.tone];
    context.lineWidth = 2.25;
    context.stroke();
  } else {
    context.fillStyle = colours[mark.tone];
    context.fill();
  }
  if (mark.text) {
    context.font = "600 11px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillStyle = colours.halo;
    context.fillText(mark.text, x, y + 0.5);
  }
}

type Box = [number, number, number, number];

/** Writes labels beside their marks: right, left, above or below, and not at all where others are. */
function drawLabels(context: Context, view: View, marks: readonly Mark[], colours: Colours): void {
  const taken = marks.map((mark): Box => {
    const [x, y] = view.toScreen(mark.at);
    return [x - 7, y - 7, x + 7, y + 7];
  });
  context.font = "600 12px system-ui, sans-serif";
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  for (const mark of [...marks].reverse()) {
    if (!mark.label) continue;
    const [x, y] = view.toScreen(mark.at);
    const width = context.measureText(mark.label).width;
    const places: [number, number][] = [
      [x + 14, y],
      [x - 14 - width, y],
      [x - width / 2, y - 20],
      [x - width / 2, y + 20],
    ];
    const free = places.find(([left, middle]) => {
      const box: Box = [left - 2, middle - 9, left + width + 2, middle + 9];
      const inside = box[0] >= 0 && box[2] <= view.width && box[1] >= 0 && box[3] <= view.height;
      return (
        inside && !taken.some((it) => it[0] < box[2] && it[2] > box[0] && it[1] < box[3] && it[3] > box[1])
      );
    });
    if (!free) continue;
    taken.push([free[0] - 2, free[1] - 9, free[0] + width + 2, free[1] + 9]);
    context.strokeStyle = colours.halo;
    context.lineWidth = 4;
    context.strokeText(mark.label, free[0], free[1]);
    context.fillStyle = colours.ink;
    context.fillText(mark.label, free[0], free[1]);
  }
}

/** Draws circles and lines: what lies on the earth, and ends at the border of the world. */
export function drawWays(context: Context, view: View, overlay: Overlay, colours: Colours): void {
  for (const circle of overlay.circles ?? []) drawCircle(context, view, circle, colours);
  for (const line of overlay.lines ?? []) drawLine(context, view, line, colours);
}

/** Draws marks and their labels. */
export function drawMarks(context: Context, view: View, overlay: Overlay, colours: Colours): void {
  for (const mark of overlay.marks ?? []) drawMark(context, view, mark, colours);
  drawLabels(context, view, overlay.marks ?? [], colours);
}
