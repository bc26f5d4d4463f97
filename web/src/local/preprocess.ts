import { resample, type Picture, type Window } from "./resample.ts";

/** How a photo becomes the network's input, as model.json says. */
export interface Preprocess {
  /** Height and width. */
  size: [number, number];
  fit: "squash" | "letterbox" | { "centre-crop": { share: number } } | { "squash-crop": { share: number } };
  filter: string;
  mean: [number, number, number];
  std: [number, number, number];
  channel_order: "rgb" | "bgr";
  layout: "nchw" | "nhwc";
}

/** Which part of the photo goes to which part of the input. */
interface Placement {
  window: Window;
  size: [number, number];
  /** Row and column where it begins. */
  offset: [number, number];
}

/** Halves to the even number. */
function roundEven(value: number): number {
  const low = Math.floor(value);
  const part = value - low;
  if (part !== 0.5) return part < 0.5 ? low : low + 1;
  return low % 2 === 0 ? low : low + 1;
}

/** Places a photo of `[height, width]`. */
export function placed(fit: Preprocess["fit"], photo: [number, number], input: [number, number]): Placement {
  const whole = { left: 0, top: 0, width: photo[1], height: photo[0] };
  if (fit === "squash") return { window: whole, size: input, offset: [0, 0] };
  if (fit === "letterbox") return { window: whole, ...letterbox(photo, input) };
  const crop = "squash-crop" in fit ? squashCrop(fit["squash-crop"].share, photo, input)
    : centreCrop(Math.fround(fit["centre-crop"].share), photo, input);
  return { window: crop, size: input, offset: [0, 0] };
}

function squashCrop(share: number, photo: [number, number], input: [number, number]): Window {
  const along = (axis: 0 | 1): [number, number] => {
    const resized = Math.round(input[axis] / Math.fround(share));
    const step = photo[axis] / resized;
    return [Math.floor((resized - input[axis]) / 2) * step, input[axis] * step];
  };
  const [[top, height], [left, width]] = [along(0), along(1)];
  return { left, top, width: Math.min(width, photo[1] - left), height: Math.min(height, photo[0] - top) };
}

function centreCrop(share: number, photo: [number, number], input: [number, number]): Window {
  const [rows, columns] = input.map((side) => Math.floor(side / share)) as [number, number];
  const resized: [number, number] =
    rows / photo[0] >= columns / photo[1]
      ? [rows, Math.max(Math.floor((rows * photo[1]) / photo[0]), columns)]
      : [Math.max(Math.floor((columns * photo[0]) / photo[1]), rows), columns];
  const along = (axis: 0 | 1): [number, number] => {
    const step = photo[axis] / resized[axis];
    return [roundEven((resized[axis] - input[axis]) / 2) * step, input[axis] * step];
  };
  const [[top, height], [left, width]] = [along(0), along(1)];
  return { left, top, width: Math.min(width, photo[1] - left), height: Math.min(height, photo[0] - top) };
}

function letterbox([height, width]: [number, number], input: [number, number]): Omit<Placement, "window"> {
  const [rows, columns] = input;
  const size: [number, number] =
    width / height > columns / rows
      ? [Math.max(roundEven((height / width) * columns), 1), columns]
      : [rows, Math.max(roundEven((width / height) * rows), 1)];
  return { size, offset: [roundEven((rows - size[0]) * 0.5), roundEven((columns - size[1]) * 0.5)] };
}

/** The network's input of an upright photo, in the order of its axes. */
export function inputOf(photo: Picture, preprocess: Preprocess): Float32Array<ArrayBuffer> {
  const { size, fit, filter, channel_order: order, layout } = preprocess;
  const placement = placed(fit, [photo.height, photo.width], size);
  const fitted = resample(photo, placement.window, placement.size, filter);
  const [rows, columns] = size;
  const [top, left] = placement.offset;
  // What a letterbox leaves free is zero.
  const values = new Float32Array(3 * rows * columns);
  for (let plane = 0; plane < 3; plane += 1) {
    const channel = order === "rgb" ? plane : 2 - plane;
    const levels = levelsOf(preprocess.mean[channel] ?? 0, preprocess.std[channel] ?? 1);
    for (let y = 0; y < fitted.height; y += 1)
      for (let x = 0; x < fitted.width; x += 1) {
        const level = levels[fitted.rgb[3 * (y * fitted.width + x) + channel] as number] as number;
        const place = (top + y) * columns + left + x;
        values[layout === "nchw" ? plane * rows * columns + place : 3 * place + plane] = level;
      }
  }
  return values;
}

/** `(byte / 255 − mean) / std` of each byte, in 32 bits. */
function levelsOf(mean: number, std: number): Float32Array {
  const level = (_: unknown, byte: number) => Math.fround(Math.fround(byte / 255) - Math.fround(mean)) / Math.fround(std);
  return Float32Array.from({ length: 256 }, level);
}
