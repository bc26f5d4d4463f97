import type { Outlines } from "./outlines.ts";
import type { Projection } from "./projection.ts";
import type { View } from "./view.ts";

/** What receives the outlines: a canvas's context or a Path2D. */
export type Pen = Pick<CanvasPath, "moveTo" | "lineTo" | "closePath" | "rect">;

/** Points closer than this to the one before are not drawn, in pixels. */
const FINEST = 0.8;
/** A class that is smaller than this on both sides is drawn as a rectangle, in pixels. */
const SMALLEST = 3;

/**
 * Outlines projected once: per point a longitude, the width of its parallel and its height. A redraw
 * multiplies and adds; nothing is projected again while the map moves.
 */
export class Shapes {
  private readonly width: Float32Array;
  private readonly height: Float32Array;
  /** Per class: west, east (radians), bottom, top (projected), and the widest parallel. */
  private readonly bounds: Float32Array;

  constructor(
    readonly outlines: Outlines,
    projection: Projection,
  ) {
    const { lat, lng, classRings, ringPoints, count } = outlines;
    this.width = new Float32Array(lat.length);
    this.height = new Float32Array(lat.length);
    for (let i = 0; i < lat.length; i += 1) {
      this.width[i] = projection.width(lat[i]!);
      this.height[i] = projection.height(lat[i]!);
    }
    this.bounds = new Float32Array(5 * count);
    for (let c = 0; c < count; c += 1) {
      let [west, east, bottom, top, widest] = [Infinity, -Infinity, Infinity, -Infinity, 0];
      const end = ringPoints[classRings[c + 1]!]!;
      for (let i = ringPoints[classRings[c]!]!; i < end; i += 1) {
        west = Math.min(west, lng[i]!);
        east = Math.max(east, lng[i]!);
        bottom = Math.min(bottom, this.height[i]!);
        top = Math.max(top, this.height[i]!);
        widest = Math.max(widest, this.width[i]!);
      }
      this.bounds.set([west, east, bottom, top, widest], 5 * c);
    }
  }

  /** How many classes the view shows, counted no further than `most`. */
  visible(view: View, most: number): number {
    const { bounds } = this;
    const halfHeight = view.height / 2 / view.scale;
    const around = 2 * Math.PI;
    let count = 0;
    for (let b = 0; b < bounds.length && count < most; b += 5) {
      if (bounds[b + 3]! < view.y - halfHeight || bounds[b + 2]! > view.y + halfHeight) continue;
      const first = Math.ceil((view.left - bounds[b + 1]!) / around);
      if (first <= Math.floor((view.right - bounds[b]!) / around)) count += 1;
    }
    return count;
  }

  /** The longer side of a class on the screen, in pixels. */
  size(view: View, c: number): number {
    const b = 5 * c;
    const across = (this.bounds[b + 1]! - this.bounds[b]!) * this.bounds[b + 4]!;
    return Math.max(across, this.bounds[b + 3]! - this.bounds[b + 2]!) * view.scale;
  }

  /** Where a class is that has a point and no cells; null for others. */
  point(c: number): { lat: number; lng: number } | null {
    const { classRings, points } = this.outlines;
    const [lat, lng] = [points[2 * c] ?? NaN, points[2 * c + 1] ?? NaN];
    return classRings[c] === classRings[c + 1] && !Number.isNaN(lat) ? { lat, lng } : null;
  }

  /** Draws one class in every copy of the world that the view shows; `least` leaves out smaller ones. */
  draw(pen: Pen, view: View, c: number, least = 0): void {
    const b = 5 * c;
    const { bounds } = this;
    const west = bounds[b]!;
    const east = bounds[b + 1]!;
    const bottom = bounds[b + 2]!;
    const top = bounds[b + 3]!;
    const widest = bounds[b + 4]!;
    const { scale, centreX, centreY, left, right } = view;
    const y0 = centreY - (top - view.y) * scale;
    const y1 = centreY - (bottom - view.y) * scale;
    if (!(y1 >= 0 && y0 <= view.height)) return;
    const size = (east - west) * widest * scale;
    if (size < least && y1 - y0 < least) return;
    const tiny = size < SMALLEST && y1 - y0 < SMALLEST;
    const first = Math.ceil((left - east) / (2 * Math.PI));
    const last = Math.floor((right - west) / (2 * Math.PI));
    for (let copy = first; copy <= last; copy += 1) {
      const turn = 2 * Math.PI * copy - view.lng;
      if (tiny) {
        const x = centreX + ((west + east) / 2 + turn) * widest * scale;
        pen.rect(x - size / 2, y0, Math.max(size, 0.7), Math.max(y1 - y0, 0.7));
      } else {
        this.rings(pen, view, c, turn);
      }
    }
  }

  private rings(pen: Pen, view: View, c: number, turn: number): void {
    const { lng, classRings, ringPoints } = this.outlines;
    const { scale, centreX } = view;
    const base = view.centreY + view.y * scale;
    const { width, height } = this;
    for (let r = classRings[c]!; r < classRings[c + 1]!; r += 1) {
      const start = ringPoints[r]!;
      const end = ringPoints[r + 1]!;
      let px = centreX + (lng[start]! + turn) * width[start]! * scale;
      let py = base - height[start]! * scale;
      pen.moveTo(px, py);
      for (let i = start + 1; i < end; i += 1) {
        const x = centreX + (lng[i]! + turn) * width[i]! * scale;
        const y = base - height[i]! * scale;
        const dx = x - px;
        const dy = y - py;
        if (dx < FINEST && dx > -FINEST && dy < FINEST && dy > -FINEST) continue;
        pen.lineTo(x, y);
        px = x;
        py = y;
      }
      pen.closePath();
    }
  }

  /** Draws all classes. */
  drawAll(pen: Pen, view: View, least = 0): void {
    for (let c = 0; c < this.outlines.count; c += 1) this.draw(pen, view, c, least);
  }
}
