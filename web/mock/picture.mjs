import { deflateSync } from "node:zlib";
import { random } from "./places.mjs";

const CRC = Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const crc = body.reduce((c, byte) => CRC[(c ^ byte) & 0xff] ^ (c >>> 8), 0xffffffff) ^ 0xffffffff;
  const [length, end] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  end.writeUInt32BE(crc >>> 0);
  return Buffer.concat([length, body, end]);
}

const drawn = new Map();

/** The picture of a seed; drawn once. */
export function picture(seed, width = 320, height = 240) {
  const key = `${seed} ${width} ${height}`;
  if (!drawn.has(key)) drawn.set(key, draw(seed, width, height));
  return drawn.get(key);
}

/** A synthetic landscape as PNG: a sky, a sun, hills and a foreground whose colours depend on the seed. */
function draw(seed, width, height) {
  const next = random(seed * 7919 + 17);
  for (let i = 0; i < 5; i += 1) next();
  const tone = (r, g, b, spread) => [r, g, b].map((it) => it + (next() - 0.5) * spread);
  const [top, low] = [tone(96, 150, 205, 70), tone(226, 214, 190, 60)];
  const layers = Array.from({ length: 4 }, (_, layer) => ({
    base: 0.48 + layer * 0.13,
    waves: [0, 1, 2].map(() => [1 + 5 * next(), 6.3 * next(), 0.035 + 0.05 * next()]),
    colour: tone(150 - 32 * layer, 158 - 24 * layer, 150 - 34 * layer, 55),
  }));
  const sun = { x: next(), y: 0.12 + 0.25 * next(), r: 0.045 };
  const rows = Buffer.alloc(height * (1 + 3 * width));
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const [u, v] = [x / width, y / height];
      let colour = top.map((it, i) => it + (low[i] - it) * Math.min(1, v / 0.6));
      if (Math.hypot((u - sun.x) * (width / height), v - sun.y) < sun.r) colour = [255, 244, 214];
      for (const { base, waves, colour: hill } of layers) {
        const edge = waves.reduce((sum, [f, p, a]) => sum + a * Math.sin(f * u * 3 + p), base);
        if (v > edge) colour = hill.map((it) => it - (v - edge) * 60);
      }
      colour.forEach((it, i) => (rows[y * (1 + 3 * width) + 1 + 3 * x + i] = Math.max(0, Math.min(255, it))));
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk("IHDR", head),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}
