import { NotDecoded, type Component, type Frame, type Tables } from "./file.ts";

/** The samples of a component: whole blocks. */
interface Plane {
  readonly samples: Uint8Array;
  readonly stride: number;
  readonly rows: number;
}

/** RGB of a frame: the inverse transform, chroma made as large as luma, colours. */
export function pixelsOf(frame: Frame, tables: Tables): Uint8Array {
  const { width, height, components } = frame;
  const { transform } = tables;
  if (components.length === 3 && (transform ?? 1) !== 1) throw new NotDecoded("its colours");
  const { h, v } = components[0] as Component;
  const planes = components.map((it, i) => new Enlarger(planeOf(it, tables), i > 0 ? h : 1, i > 0 ? v : 1));
  const rgb = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y += 1) {
    const out = rgb.subarray(3 * y * width, 3 * (y + 1) * width);
    const [first, second, third, black] = planes.map((it) => it.row(y));
    if (!first) throw new NotDecoded("no components");
    if (!second || !third) for (let at = 0; at < out.length; at += 1) out[at] = first[Math.floor(at / 3)] as number;
    else if (black && transform !== 2) darken(out, [first, second, third], black);
    else fromLuma(out, first, second, third);
    if (black && transform === 2) darken(out, null, black);
  }
  return rgb;
}

/** Luma and chroma to RGB (JFIF, BT.601 full range). */
function fromLuma(out: Uint8Array, bright: Uint8Array, blue: Uint8Array, red: Uint8Array): void {
  for (let x = 0, at = 0; at < out.length; x += 1, at += 3) {
    const cb = (blue[x] as number) - 128;
    const cr = (red[x] as number) - 128;
    const base = (bright[x] as number) * 16384 + 8191;
    out[at] = within((base + cr * 22970) >> 14);
    out[at + 1] = within((base - cr * 11700 - cb * 5638) >> 14);
    out[at + 2] = within((base + cb * 29032) >> 14);
  }
}

/** Inks of Adobe's files, which are stored inverted, with black over them; without inks what `out` holds is
 * what they leave. */
function darken(out: Uint8Array, inks: [Uint8Array, Uint8Array, Uint8Array] | null, black: Uint8Array): void {
  for (let at = 0; at < out.length; at += 1) {
    const x = Math.floor(at / 3);
    const ink = inks ? (inks[(at % 3) as 0 | 1 | 2][x] as number) : 255 - (out[at] as number);
    const product = ink * (black[x] as number) + 128;
    out[at] = (product + (product >> 8)) >> 8;
  }
}

const within = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : value);

/** Rows of a chroma plane as wide as luma's: each sample has three parts of the nearest and one of the next. */
class Enlarger {
  private readonly between: Uint8Array;
  private readonly wide: Uint8Array;

  constructor(
    private readonly plane: Plane,
    private readonly h: number,
    private readonly v: number,
  ) {
    this.between = new Uint8Array(plane.stride);
    this.wide = new Uint8Array(plane.stride * h);
  }

  /** The row at this height of the photo. It is overwritten by the next call. */
  row(y: number): Uint8Array {
    const near = this.v === 2 ? this.vertical(y) : this.line(y);
    if (this.h === 1) return near;
    if (this.h === 2) this.horizontal(near);
    else near.forEach((value, x) => this.wide.fill(value, x * this.h, (x + 1) * this.h));
    return this.wide;
  }

  private line(y: number): Uint8Array {
    const { samples, stride, rows } = this.plane;
    const at = Math.min(Math.max(y, 0), rows - 1) * stride;
    return samples.subarray(at, at + stride);
  }

  private vertical(y: number): Uint8Array {
    const middle = y >> 1;
    const [near, far] = [this.line(middle), this.line(y & 1 ? middle + 1 : middle - 1)];
    for (let x = 0; x < near.length; x += 1)
      this.between[x] = (3 * (near[x] as number) + (far[x] as number) + 2) >> 2;
    return this.between;
  }

  private horizontal(from: Uint8Array): void {
    const { wide } = this;
    const last = from.length - 1;
    for (let x = 0; x <= last; x += 1) {
      const three = 3 * (from[x] as number) + 2;
      wide[2 * x] = x > 0 ? (three + (from[x - 1] as number)) >> 2 : (from[0] as number);
      wide[2 * x + 1] = x < last ? (three + (from[x + 1] as number)) >> 2 : (from[last] as number);
    }
  }
}

function planeOf({ blocks, columns, rows, quantisation }: Component, tables: Tables): Plane {
  const steps = tables.quantisation[quantisation];
  if (!steps) throw new NotDecoded("a quantisation table is missing");
  const stride = 8 * columns;
  const samples = new Uint8Array(stride * 8 * rows);
  const work = new Int32Array(64);
  for (let row = 0, at = 0; row < rows; row += 1)
    for (let column = 0; column < columns; column += 1, at += 64) {
      for (let k = 0; k < 64; k += 1) work[k] = (blocks[at + k] as number) * (steps[k] as number);
      inverse(work, samples, row * 8 * stride + column * 8, stride);
    }
  return { samples, stride, rows: 8 * rows };
}

/** Half a unit, and the 128 by which samples are moved, at the scale of the second pass. */
const ROUND = 512 + 65536 + (128 << 17);

/** The inverse transform of one block by Loeffler's method, in 12 bits behind the point. */
function inverse(work: Int32Array, out: Uint8Array, at: number, stride: number): void {
  for (let i = 0; i < 8; i += 1) pass(work, i, 8, 512, 10);
  for (let i = 0; i < 64; i += 8, at += stride) {
    pass(work, i, 1, ROUND, 17);
    for (let k = 0; k < 8; k += 1) out[at + k] = within(work[i + k] as number);
  }
}

/** One dimension of the transform, in place. */
function pass(work: Int32Array, at: number, step: number, round: number, shift: number): void {
  const value = (k: number) => work[at + k * step] as number;
  const even = (value(2) + value(6)) * 2217;
  const t2 = even - value(6) * 7567;
  const t3 = even + value(2) * 3135;
  const t0 = (value(0) + value(4)) * 4096;
  const t1 = (value(0) - value(4)) * 4096;
  const [x0, x3] = [t0 + t3 + round, t0 - t3 + round];
  const [x1, x2] = [t1 + t2 + round, t1 - t2 + round];
  const [a, b, c, d] = [value(7), value(5), value(3), value(1)];
  const odd = (a + c + b + d) * 4816;
  const p1 = odd - (a + d) * 3685;
  const p2 = odd - (b + c) * 10497;
  const p3 = (a + c) * -8034;
  const p4 = (b + d) * -1597;
  const s3 = d * 6149 + p1 + p4;
  const s2 = c * 12586 + p2 + p3;
  const s1 = b * 8410 + p2 + p4;
  const s0 = a * 1223 + p1 + p3;
  work[at] = (x0 + s3) >> shift;
  work[at + step] = (x1 + s2) >> shift;
  work[at + 2 * step] = (x2 + s1) >> shift;
  work[at + 3 * step] = (x3 + s0) >> shift;
  work[at + 4 * step] = (x3 - s0) >> shift;
  work[at + 5 * step] = (x2 - s1) >> shift;
  work[at + 6 * step] = (x1 - s2) >> shift;
  work[at + 7 * step] = (x0 - s3) >> shift;
}
