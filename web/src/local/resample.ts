/**
 * The command's resampling (fast_image_resize, which is Pillow's): weights of 16 bits, columns first, then
 * rows, rounded to bytes after each.
 */

/** The filters by the names of model.json: weight at a distance, and half the width. */
const FILTERS: Record<string, [(x: number) => number, number]> = {
  bilinear: [(x) => Math.max(0, 1 - Math.abs(x)), 1],
  bicubic: [cubic, 2],
  lanczos: [(x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0), 3],
  box: [(x) => (x > -0.5 && x <= 0.5 ? 1 : 0), 0.5],
};

function cubic(signed: number): number {
  const x = Math.abs(signed);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

/** The weights of each output along one side. */
interface Weights {
  /** Bits behind the point. */
  precision: number;
  outputs: { start: number; values: Int16Array }[];
}

/** Part of a picture in pixels, which need not be whole. */
export interface Window {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Pixels of three bytes. */
export interface Picture {
  width: number;
  height: number;
  rgb: Uint8Array;
}

/** A window of a picture at this height and width. */
export function resample(from: Picture, window: Window, [height, width]: [number, number], filter: string): Picture {
  const down = weights(from.height, window.top, window.height, height, filter);
  const middle = rows(from, down, height);
  return columns(middle, weights(from.width, window.left, window.width, width, filter), width);
}

/** Nothing is resampled where the pixels are taken as they are. */
function weights(side: number, begin: number, length: number, outputs: number, filter: string): Weights {
  const known = FILTERS[filter];
  if (!known) throw new Error(`the filter ${filter} is not known to this page`);
  if (outputs === length && Number.isInteger(begin)) {
    const values = Int16Array.of(1);
    return { precision: 0, outputs: Array.from({ length: outputs }, (_, i) => ({ start: begin + i, values })) };
  }
  const [weigh, support] = known;
  const scale = (begin + length - begin) / outputs;
  const widened = Math.max(scale, 1);
  const radius = support * widened;
  const lists = Array.from({ length: outputs }, (_, i) => {
    const centre = begin + (i + 0.5) * scale;
    const first = Math.max(Math.floor(centre - radius), 0);
    const last = Math.min(Math.ceil(centre + radius), side);
    return normalised(first, last, (x) => weigh((x - (centre - 0.5)) * (1 / widened)));
  });
  const greatest = Math.max(...lists.map((it) => Math.max(...it.values)));
  let precision = 0;
  while (precision < 21 && roundAway(greatest * 2 ** (precision + 1)) < 1 << 15) precision += 1;
  const whole = ({ start, values }: { start: number; values: number[] }) => ({
    start,
    values: Int16Array.from(values, (value) => roundAway(value * 2 ** precision)),
  });
  return { precision, outputs: lists.map(whole) };
}

/** Weights that sum to one, without zeros at either end. */
function normalised(first: number, last: number, weigh: (x: number) => number) {
  const values: number[] = [];
  let [sum, start] = [0, first];
  for (let x = first; x < last; x += 1) {
    const value = weigh(x);
    if (x === start && value === 0) start += 1;
    else {
      values.push(value);
      sum += value;
    }
  }
  while (values.length > 0 && values[values.length - 1] === 0) values.pop();
  return { start, values: sum === 0 ? values : values.map((value) => value / sum) };
}

/** Halves away from zero, as Rust rounds. */
const roundAway = (value: number): number => Math.sign(value) * Math.floor(Math.abs(value) + 0.5);

const clipped = (sum: number, precision: number): number => {
  const value = sum >> precision;
  return value < 0 ? 0 : value > 255 ? 255 : value;
};

function rows({ width, rgb }: Picture, { precision, outputs }: Weights, height: number): Picture {
  const stride = 3 * width;
  const out = new Uint8Array(stride * height);
  const half = precision > 0 ? 1 << (precision - 1) : 0;
  const sums = new Int32Array(stride);
  outputs.forEach(({ start, values }, y) => {
    sums.fill(half);
    values.forEach((weight, k) => {
      const row = rgb.subarray((start + k) * stride, (start + k + 1) * stride);
      for (let x = 0; x < stride; x += 1) sums[x] = (sums[x] as number) + weight * (row[x] as number);
    });
    for (let x = 0; x < stride; x += 1) out[y * stride + x] = clipped(sums[x] as number, precision);
  });
  return { width, height, rgb: out };
}

function columns({ width: from, height, rgb }: Picture, { precision, outputs }: Weights, width: number): Picture {
  const out = new Uint8Array(3 * width * height);
  const half = precision > 0 ? 1 << (precision - 1) : 0;
  for (let y = 0, to = 0; y < height; y += 1)
    for (const { start, values } of outputs) {
      let [red, green, blue] = [half, half, half];
      for (let k = 0, at = 3 * (y * from + start); k < values.length; k += 1, at += 3) {
        const weight = values[k] as number;
        red += weight * (rgb[at] as number);
        green += weight * (rgb[at + 1] as number);
        blue += weight * (rgb[at + 2] as number);
      }
      out[to++] = clipped(red, precision);
      out[to++] = clipped(green, precision);
      out[to++] = clipped(blue, precision);
    }
  return { width, height, rgb: out };
}
