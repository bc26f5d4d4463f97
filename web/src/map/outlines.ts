import { radians, turned } from "./geodesic.ts";

/**
 * Outlines of classes in flat arrays: class c has the rings from classRings[c] up to classRings[c + 1],
 * ring r the points from ringPoints[r] up to ringPoints[r + 1]. Angles are in radians; the longitudes
 * of a ring are continuous and may lie beyond ±π.
 */
export interface Outlines {
  count: number;
  lat: Float32Array;
  lng: Float32Array;
  ringPoints: Uint32Array;
  classRings: Uint32Array;
  /** The classes' points: latitude and longitude in degrees, NaN where there is none. */
  points: Float32Array;
}

/** Closer to a pole than this, a longitude says nothing. */
const POLE = 89.9999;

/**
 * A closed ring of [lng, lat] in degrees as a flat map needs it: without jumps at ±180°, along the map's
 * edge where it goes around a pole, and with a pole that is a corner spread over its neighbours' longitudes.
 */
export function flatRing(ring: readonly (readonly [number, number])[]): [number, number][] {
  const count = ring.length;
  const points: [number, number][] = [];
  // Longitudes are continued from the last point that has one, so start at such a point.
  const first = Math.max(
    0,
    ring.findIndex(([, lat]) => Math.abs(lat) < POLE),
  );
  let before = ring[first]?.[0] ?? 0;
  const start = before;
  for (let step = 0; step < count; step += 1) {
    const [lng, lat] = ring[(first + step) % count] ?? [0, 0];
    if (Math.abs(lat) >= POLE) {
      const next = nextOffPole(ring, first + step);
      points.push([before, lat]);
      if (next === null) continue;
      before += turned(next - before);
      points.push([before, lat]);
      continue;
    }
    before += turned(lng - before);
    points.push([before, lat]);
  }
  const home = before + turned(start - before);
  if (Math.abs(home - start) > 180 && points.length > 0) {
    const mean = points.reduce((sum, [, lat]) => sum + lat, 0) / points.length;
    const pole = mean < 0 ? -90 : 90;
    points.push([home, points[0]?.[1] ?? pole], [home, pole], [start, pole]);
  }
  return points;
}

function nextOffPole(ring: readonly (readonly [number, number])[], at: number): number | null {
  for (let step = 1; step <= ring.length; step += 1) {
    const [lng, lat] = ring[(at + step) % ring.length] ?? [0, 90];
    if (Math.abs(lat) < POLE) return lng;
  }
  return null;
}

/** Decodes the server's binary outlines ("PLO1"). */
export function decodeOutlines(buffer: ArrayBuffer): Outlines {
  const data = new DataView(buffer);
  const magic = String.fromCharCode(...new Uint8Array(buffer, 0, Math.min(4, buffer.byteLength)));
  if (magic !== "PLO1") throw new Error("the outlines are not in a format that this page reads");
  let at = 8;
  const f32 = () => data.getFloat32((at += 4) - 4, true);
  const u16 = () => data.getUint16((at += 2) - 2, true);
  const count = data.getUint32(4, true);
  const lats: number[] = [];
  const lngs: number[] = [];
  const ringPoints: number[] = [0];
  const classRings = new Uint32Array(count + 1);
  const points = new Float32Array(2 * count);
  for (let index = 0; index < count; index += 1) {
    points[2 * index] = f32();
    points[2 * index + 1] = f32();
    const rings = u16();
    for (let r = 0; r < rings; r += 1) {
      const ring: [number, number][] = [];
      const length = u16();
      for (let p = 0; p < length; p += 1) {
        const lat = f32();
        ring.push([f32(), lat]);
      }
      for (const [lng, lat] of flatRing(ring)) {
        lngs.push(radians(lng));
        lats.push(radians(lat));
      }
      ringPoints.push(lats.length);
    }
    classRings[index + 1] = ringPoints.length - 1;
  }
  return {
    count,
    lat: Float32Array.from(lats),
    lng: Float32Array.from(lngs),
    ringPoints: Uint32Array.from(ringPoints),
    classRings,
    points,
  };
}

/** The same rings, each as a class of its own. */
export function ringByRing(outlines: Outlines): Outlines {
  const count = outlines.ringPoints.length - 1;
  const classRings = Uint32Array.from({ length: count + 1 }, (_, ring) => ring);
  return { ...outlines, count, classRings, points: new Float32Array(2 * count).fill(NaN) };
}
