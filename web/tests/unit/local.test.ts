import { expect, test } from "vitest";
import { probabilitiesOf } from "../../src/local/answer.ts";
import { turned } from "../../src/local/decode.ts";
import { Discs } from "../../src/local/discs.ts";
import { exifOf } from "../../src/local/exif.ts";
import { decodeJpeg } from "../../src/local/jpeg/decode.ts";
import type { ClassFacts } from "../../src/local/package.ts";
import { inputOf, placed, type Preprocess } from "../../src/local/preprocess.ts";
import { resample } from "../../src/local/resample.ts";
import { Spread } from "../../src/local/spread.ts";

// A slope of 20 x 12 pixels by Pillow: Image.save("JPEG", quality=60, subsampling=2, optimize=True).
const BASELINE =
  "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdB" +
  "RkxOUlNSMj5aYVpQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09P" +
  "T09PT09PT09PT09PT0//wAARCAAMABQDASIAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAABgAF/8QAHRAAAQMFAQAAAAAA" +
  "AAAAAAAAAAMEIgECBSExEv/EABYBAQEBAAAAAAAAAAAAAAAAAAQCBv/EABsRAAIBBQAAAAAAAAAAAAAAAAACBQMEERIh/9oA" +
  "DAMBAAIRAxEAPwAs2w/Imq2w/IiFs2S1E1WzZLUSqbA7GTfgbsw8aRIbWNkvNIkJ2NEsm+D/2Q==";
// The same with progressive=True.
const PROGRESSIVE =
  "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdB" +
  "RkxOUlNSMj5aYVpQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09P" +
  "T09PT09PT09PT09PT0//wgARCAAMABQDASIAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAABQAE/8QAFgEBAQEAAAAAAAAA" +
  "AAAAAAAAAwEF/9oADAMBAAIQAxAAAAErWhromzcmj//EABkQAAMBAQEAAAAAAAAAAAAAAAABAgMSE//aAAgBAQABBQKcScTx" +
  "JlEyjlH/xAAXEQADAQAAAAAAAAAAAAAAAAAAAQQD/9oACAEDAQE/AcKWKln/xAAXEQEAAwAAAAAAAAAAAAAAAAAAAQIR/9oA" +
  "CAECAQE/Aay1/8QAFBABAAAAAAAAAAAAAAAAAAAAIP/aAAgBAQAGPwJf/8QAGhAAAQUBAAAAAAAAAAAAAAAAAAERMVFhIf/a" +
  "AAgBAQABPyHAwE4goFARiD//2gAMAwEAAgADAAAAEKAv/8QAFhEBAQEAAAAAAAAAAAAAAAAAABEh/9oACAEDAQE/EMaN/8QA" +
  "FBEBAAAAAAAAAAAAAAAAAAAAEP/aAAgBAgEBPxAH/8QAFxABAQEBAAAAAAAAAAAAAAAAACExEf/aAAgBAQABPxDIyJCcnOcf" +
  "/9k=";
// What Pillow (libjpeg-turbo) decodes at some places: the command differs by a few units at most.
const PLACES = [[0, 0], [7, 3], [19, 11], [12, 8]] as const;
const COLOURS = [[0, 5, 0], [92, 58, 82], [227, 215, 253], [142, 161, 176]];

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (it) => it.charCodeAt(0));
const anySize = () => undefined;

test.each([["baseline", BASELINE], ["progressive", PROGRESSIVE]])("a %s JPEG has libjpeg's pixels within a few units", (_, base64) => {
  const photo = decodeJpeg(bytesOf(base64), anySize);
  expect([photo?.width, photo?.height]).toEqual([20, 12]);
  PLACES.forEach(([x, y], i) => {
    for (let channel = 0; channel < 3; channel += 1) {
      const found = photo?.rgb[3 * (y * 20 + x) + channel] ?? NaN;
      expect(Math.abs(found - (COLOURS[i]?.[channel] ?? NaN))).toBeLessThanOrEqual(4);
    }
  });
});

test("both codings of one picture have the same pixels", () => {
  expect(decodeJpeg(bytesOf(PROGRESSIVE), anySize)?.rgb).toEqual(decodeJpeg(bytesOf(BASELINE), anySize)?.rgb);
});

test("damaged files and other kinds are left to the browser, and the size is checked before memory is taken", () => {
  const whole = bytesOf(BASELINE);
  for (let length = 0; length < whole.length; length += 7) expect(decodeJpeg(whole.slice(0, length), anySize)).toBeNull();
  expect(decodeJpeg(Uint8Array.of(0x89, 0x50, 0x4e, 0x47), anySize)).toBeNull();
  const refuse = (width: number, height: number) => {
    throw new RangeError(`${width} x ${height}`);
  };
  expect(() => decodeJpeg(whole, refuse)).toThrow("20 x 12");
});

/** `[height, width, 3]` of letters, each the three bytes of its code. */
const picture = (width: number, letters: string) => ({
  width,
  height: letters.length / width,
  rgb: Uint8Array.from([...letters].flatMap((it) => new Array<number>(3).fill(it.charCodeAt(0)))),
});

test.each([
  [1, "abcdef", 3], [2, "cbafed", 3], [3, "fedcba", 3], [4, "defabc", 3],
  [5, "adbecf", 2], [6, "cfbead", 2], [7, "fcebda", 2], [8, "daebfc", 2],
])("orientation %i gives the upright photo", (orientation, letters, width) => {
  expect(turned(picture(width, letters), orientation)).toEqual(picture(3, "abcdef"));
});

test("an EXIF block states orientation and position; a cut one states nothing", () => {
  const block = [
    0x4d, 0x4d, 0, 42, 0, 0, 0, 8,
    0, 2, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0x88, 0x25, 0, 4, 0, 0, 0, 1, 0, 0, 0, 38, 0, 0, 0, 0,
    0, 4,
    0, 1, 0, 2, 0, 0, 0, 2, 83, 0, 0, 0, 0, 2, 0, 5, 0, 0, 0, 3, 0, 0, 0, 92,
    0, 3, 0, 2, 0, 0, 0, 2, 69, 0, 0, 0, 0, 4, 0, 5, 0, 0, 0, 3, 0, 0, 0, 92,
    0, 0, 0, 0,
    0, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0, 30, 0, 0, 0, 1, 0, 0, 0, 36, 0, 0, 0, 2,
  ];
  const jpeg = (block: number[]) => Uint8Array.of(0xff, 0xd8, 0xff, 0xe1, 0, block.length + 8, 69, 120, 105, 102, 0, 0, ...block);
  const { orientation, position } = exifOf(jpeg(block));
  expect(orientation).toBe(6);
  expect(position?.lat).toBeCloseTo(-12.505, 9);
  expect(position?.lng).toBeCloseTo(12.505, 9);
  expect(exifOf(jpeg(block.slice(0, 60)))).toEqual({ orientation: 1, position: null });
});

test("resampling keeps one colour, takes means, and leaves pixels alone that need none", () => {
  const plain = picture(8, "k".repeat(40));
  for (const filter of ["bilinear", "bicubic", "lanczos", "box"]) {
    const whole = { left: 0, top: 0, width: 8, height: 5 };
    expect(resample(plain, whole, [3, 3], filter)).toEqual(picture(3, "k".repeat(9)));
  }
  const halves = { width: 4, height: 1, rgb: Uint8Array.of(0, 0, 0, 10, 20, 30, 50, 50, 50, 51, 51, 51) };
  expect([...resample(halves, { left: 0, top: 0, width: 4, height: 1 }, [1, 2], "box").rgb]).toEqual([5, 10, 15, 51, 51, 51]);
  expect([...resample(halves, { left: 1, top: 0, width: 2, height: 1 }, [1, 2], "lanczos").rgb]).toEqual([10, 20, 30, 50, 50, 50]);
});

const plain: Preprocess = {
  size: [4, 4], fit: "letterbox", filter: "bilinear", mean: [0.5, 0.5, 0.5], std: [1, 1, 1], channel_order: "rgb", layout: "nchw",
};

test("photos are placed as the command places them", () => {
  expect(placed({ "centre-crop": { share: 1 } }, [100, 200], [50, 50])).toEqual({
    window: { left: 50, top: 0, width: 100, height: 100 }, size: [50, 50], offset: [0, 0],
  });
  expect(placed({ "squash-crop": { share: 0.875 } }, [256, 512], [224, 224])).toEqual({
    window: { left: 32, top: 16, width: 448, height: 224 },
    size: [224, 224],
    offset: [0, 0],
  });
  const letterbox = placed("letterbox", [100, 200], [50, 50]);
  expect([letterbox.size, letterbox.offset]).toEqual([[25, 50], [12, 0]]);
  // What a letterbox leaves free is zero.
  const input = inputOf({ width: 4, height: 2, rgb: new Uint8Array(24).fill(255) }, plain);
  expect([...input.slice(0, 16)]).toEqual([0, 0, 0, 0, ...new Array<number>(8).fill(0.5), 0, 0, 0, 0]);
});

test("probabilities are a softmax with the temperature", () => {
  const model = { temperature: 2, kind: "logits" } as const;
  const found = probabilitiesOf(Float32Array.of(2 * Math.log(3), 0, -Infinity), model as never);
  [0.75, 0.25, 0].forEach((wanted, i) => expect(found[i]).toBeCloseTo(wanted, 6));
  expect(() => probabilitiesOf(Float32Array.of(NaN, 1), model as never)).toThrow("no distribution");
});

const LEVELS = [1, 25, 200, 750, 2500];

test("about its own point a class has the shares that were counted, and half of it lies behind a far rim", () => {
  const shares = [0.1, 0.4, 0.7, 0.95, 1];
  const spread = new Spread(shares, LEVELS, 900);
  LEVELS.forEach((km, i) => expect(spread.within(km, 0)).toBeCloseTo(shares[i] ?? NaN, 9));
  const near = new Spread([0.3, 0.6, 1, 1, 1], LEVELS, 40);
  const rim = (2 * Math.sin(2500 / 6371 / 2)) ** 2;
  expect(near.within(2500, rim)).toBeCloseTo(0.5, 2);
});

test("two halves apart are certain only together, and equal discs go to the more probable class", () => {
  const facts = (lng: number): ClassFacts => ({
    lat: 0, lng, radius_km: 0, place: { name: "", region: "", country: "", country_code: "" }, continent: "", reach_km: 0, shares: [1, 1, 1, 1, 1],
  });
  const discs = new Discs([facts(0), null, facts(1), facts(90)], LEVELS);
  const probabilities = Float32Array.of(0.35, 0, 0.4, 0.25);
  expect(discs.densest(probabilities, 25, 0.5)).toBeNull();
  const disc = discs.densest(probabilities, 200, 0.5);
  expect(disc?.index).toBe(2);
  expect(disc?.mass).toBeCloseTo(0.75, 6);
});
