import { exifOf, type Exif } from "./exif.ts";
import { decodeJpeg } from "./jpeg/decode.ts";
import type { Picture } from "./resample.ts";

/** A photo cannot be located; the words are for people. */
export class PhotoError extends Error {}

/** Upright pixels, and what the photo says of itself. */
export async function decode(bytes: Uint8Array<ArrayBuffer>, mostPixels: number): Promise<[Picture, Exif]> {
  const exif = exifOf(bytes);
  const check = (width: number, height: number) => {
    if (width * height > mostPixels) throw new PhotoError(`The photo has more than ${mostPixels} pixels`);
  };
  const isJpeg = bytes[0] === 0xff && bytes[1] === 0xd8;
  const stored = isJpeg ? decodeJpeg(bytes, check) : null;
  return [stored ? turned(stored, exif.orientation) : await byBrowser(bytes, check), exif];
}

/** The browser turns photos upright by itself. Colour profiles are not applied, transparent parts are white. */
async function byBrowser(bytes: Uint8Array<ArrayBuffer>, check: (width: number, height: number) => void): Promise<Picture> {
  const options: ImageBitmapOptions = { colorSpaceConversion: "none", premultiplyAlpha: "none" };
  const bitmap = await createImageBitmap(new Blob([bytes]), options).catch(() => {
    throw new PhotoError("The browser cannot read this file as a photo");
  });
  const { width, height } = bitmap;
  check(width, height);
  // Drawn by the processor: graphics cards round differently.
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (!context) throw new PhotoError("The browser has no memory for a photo of this size");
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const rgb = new Uint8Array(3 * width * height);
  for (let from = 0, to = 0; from < data.length; from += 4) {
    rgb[to++] = data[from] as number;
    rgb[to++] = data[from + 1] as number;
    rgb[to++] = data[from + 2] as number;
  }
  return { width, height, rgb };
}

/** A picture turned as EXIF's orientation says. */
export function turned(stored: Picture, orientation: number): Picture {
  if (orientation === 1) return stored;
  const { rgb } = stored;
  const sideways = orientation >= 5;
  const [width, height] = sideways ? [stored.height, stored.width] : [stored.width, stored.height];
  const [right, bottom] = [stored.width - 1, stored.height - 1];
  const mirroredX = [2, 3, 7, 8].includes(orientation);
  const mirroredY = [3, 4, 6, 7].includes(orientation);
  const out = new Uint8Array(rgb.length);
  for (let y = 0, to = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) {
      const [column, row] = sideways ? [y, x] : [x, y];
      const from = 3 * ((mirroredY ? bottom - row : row) * stored.width + (mirroredX ? right - column : column));
      out[to++] = rgb[from] as number;
      out[to++] = rgb[from + 1] as number;
      out[to++] = rgb[from + 2] as number;
    }
  return { width, height, rgb: out };
}
