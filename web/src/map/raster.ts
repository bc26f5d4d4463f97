import type { Pen } from "./shapes.ts";

/** Pixels of the raster at most; a canvas with more is drawn at a coarser step and scaled. */
const MOST_PIXELS = 1_200_000;

/**
 * A raster of class numbers, filled polygon by polygon. For thousands of cells it is many times faster
 * than the canvas's own paths, and cells that touch leave no seam. Edges are not smoothed.
 */
export class Raster implements Pen {
  width = 0;
  height = 0;
  /** Pixels of the raster per CSS pixel. */
  ratio = 1;
  /** The class of each pixel, or -1. */
  ids = new Int32Array(0);
  /** Where the raster is coloured; made when it is first drawn. */
  private surface: { image: ImageData; pixels: Uint32Array; context: CanvasRenderingContext2D } | null = null;
  private fills = new Uint32Array(0);
  private borders = new Uint32Array(0);
  private id = 0;
  private xs = new Float64Array(64);
  private ys = new Float64Array(64);
  private count = 0;
  private readonly crossings = new Float64Array(256);

  /** Empties the raster for a view of this size in CSS pixels. */
  begin(width: number, height: number, ratio: number): void {
    this.ratio = Math.min(ratio, Math.sqrt(MOST_PIXELS / (width * height)));
    const [w, h] = [Math.ceil(width * this.ratio), Math.ceil(height * this.ratio)];
    if (w !== this.width || h !== this.height) {
      [this.width, this.height] = [w, h];
      this.ids = new Int32Array(w * h);
      this.surface = null;
    }
    this.ids.fill(-1);
  }

  /** Colours for so many classes, all transparent: of their pixels, and of their borders. */
  colours(count: number): { fills: Uint32Array; borders: Uint32Array } {
    if (this.fills.length !== count)
      [this.fills, this.borders] = [new Uint32Array(count), new Uint32Array(count)];
    this.fills.fill(0);
    this.borders.fill(0);
    return { fills: this.fills, borders: this.borders };
  }

  /** The class that is drawn from now on. */
  use(id: number): void {
    this.id = id;
  }

  moveTo(x: number, y: number): void {
    this.count = 0;
    this.lineTo(x, y);
  }

  lineTo(x: number, y: number): void {
    if (this.count === this.xs.length) {
      const [xs, ys] = [this.xs, this.ys];
      this.xs = new Float64Array(2 * xs.length);
      this.ys = new Float64Array(2 * ys.length);
      this.xs.set(xs);
      this.ys.set(ys);
    }
    this.xs[this.count] = x * this.ratio;
    this.ys[this.count] = y * this.ratio;
    this.count += 1;
  }

  rect(x: number, y: number, width: number, height: number): void {
    const { ratio } = this;
    const top = Math.max(0, Math.round(y * ratio));
    const bottom = Math.min(this.height, Math.max(Math.round((y + height) * ratio), top + 1));
    for (let row = top; row < bottom; row += 1) this.span(row, x * ratio, (x + width) * ratio);
  }

  /** Fills the polygon: in each row, between every odd crossing and the next one. */
  closePath(): void {
    const { xs, ys, count, crossings } = this;
    let [low, high] = [Infinity, -Infinity];
    for (let i = 0; i < count; i += 1) {
      const y = ys[i]!;
      if (y < low) low = y;
      if (y > high) high = y;
    }
    const first = Math.max(0, Math.ceil(low - 0.5));
    const last = Math.min(this.height - 1, Math.floor(high - 0.5));
    for (let row = first; row <= last; row += 1) {
      const middle = row + 0.5;
      let found = 0;
      let before = count - 1;
      for (let i = 0; i < count; i += 1) {
        const y0 = ys[before]!;
        const y1 = ys[i]!;
        if (y0 <= middle !== y1 <= middle && found < crossings.length) {
          const x0 = xs[before]!;
          const x = x0 + ((middle - y0) / (y1 - y0)) * (xs[i]! - x0);
          // Sorted as they come: nearly always there are two.
          let at = found;
          for (; at > 0 && crossings[at - 1]! > x; at -= 1) crossings[at] = crossings[at - 1]!;
          crossings[at] = x;
          found += 1;
        }
        before = i;
      }
      for (let i = 0; i + 1 < found; i += 2) this.span(row, crossings[i]!, crossings[i + 1]!);
    }
  }

  private span(row: number, from: number, to: number): void {
    const start = Math.max(0, Math.ceil(from - 0.5));
    const end = Math.min(this.width, Math.ceil(to - 0.5));
    const { ids, id } = this;
    const stop = row * this.width + end;
    // Most spans are a few pixels long: a loop is faster than a call of fill.
    for (let i = row * this.width + start; i < stop; i += 1) ids[i] = id;
  }

  /**
   * Colours the raster: a class's pixels with `fills`, those at its upper and left border with `borders`
   * (both as little-endian RGBA), and draws it over the canvas.
   */
  paint(context: CanvasRenderingContext2D, fills: Uint32Array, borders: Uint32Array): void {
    const { ids, width, height, ratio } = this;
    this.surface ??= surfaceOf(width, height);
    if (!this.surface) return;
    const { image, pixels } = this.surface;
    for (let i = 0; i < ids.length; i += 1) {
      const id = ids[i]!;
      if (id < 0) pixels[i] = 0;
      else if (i >= width && (ids[i - 1] !== id || ids[i - width] !== id)) pixels[i] = borders[id]!;
      else pixels[i] = fills[id]!;
    }
    this.surface.context.putImageData(image, 0, 0);
    context.drawImage(this.surface.context.canvas, 0, 0, width / ratio, height / ratio);
  }
}

function surfaceOf(width: number, height: number) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  if (!context) return null;
  const image = new ImageData(width, height);
  return { image, pixels: new Uint32Array(image.data.buffer), context };
}
