import { expect, test } from "vitest";
import { encode, evenPartition } from "../../mock/cells.mjs";
import { decodeOutlines, flatRing } from "../../src/map/outlines.ts";
import { equalEarth, mercator } from "../../src/map/projection.ts";
import { Raster } from "../../src/map/raster.ts";
import { Shapes } from "../../src/map/shapes.ts";
import { View } from "../../src/map/view.ts";

function decoded(classes: unknown[]) {
  const bytes = encode(classes);
  return decodeOutlines(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer);
}

test("outlines are decoded as they were encoded", () => {
  const square = [
    [0, 10],
    [0, 20],
    [5, 20],
    [5, 10],
  ];
  const outlines = decoded([
    { lat: 2, lng: 15, rings: [square, square] },
    { lat: NaN, lng: NaN, rings: [] },
  ]);
  expect(outlines.count).toBe(2);
  expect([...outlines.classRings]).toEqual([0, 2, 2]);
  expect([...outlines.ringPoints]).toEqual([0, 4, 8]);
  expect(outlines.lng[1]).toBeCloseTo((20 * Math.PI) / 180, 6);
  expect(outlines.points[1]).toBe(15);
  expect(outlines.points[2]).toBeNaN();
});

test("another format is refused", () => {
  expect(() => decodeOutlines(new TextEncoder().encode("<html>....").buffer as ArrayBuffer)).toThrow(
    /format/,
  );
});

test("a ring across 180° has no jump", () => {
  const lngs = flatRing([
    [170, 0],
    [-170, 0],
    [-170, 10],
    [170, 10],
  ]).map(([lng]) => lng);
  expect(lngs).toEqual([170, 190, 190, 170]);
});

test("a ring around a pole runs along the map's edge", () => {
  const ring = flatRing([
    [0, 80],
    [90, 80],
    [180, 80],
    [-90, 80],
  ]);
  expect(ring.slice(-3)).toEqual([
    [360, 80],
    [360, 90],
    [0, 90],
  ]);
});

test("a corner at a pole is spread over the longitudes of its neighbours", () => {
  const ring = flatRing([
    [0, 60],
    [90, 60],
    [45, 90],
  ]);
  expect(ring).toEqual([
    [0, 60],
    [90, 60],
    [90, 90],
    [0, 90],
  ]);
});

test("the cells of a partition cover the world without gaps", () => {
  const outlines = decoded(evenPartition(384));
  const view = new View();
  view.projection = mercator;
  view.resize(400, 300);
  view.centreOn({ lat: 0, lng: 170 }, view.leastScale);
  expect(covered(outlines, view)).toBeGreaterThan(0.9999);
  view.project(equalEarth);
  view.centreOn({ lat: 60, lng: -179 }, 400);
  expect(covered(outlines, view)).toBeGreaterThan(0.999);
});

/** The share of pixels that have a class. */
function covered(outlines: ReturnType<typeof decoded>, view: View): number {
  const shapes = new Shapes(outlines, view.projection);
  const raster = new Raster();
  raster.begin(view.width, view.height, 1);
  for (let c = 0; c < outlines.count; c += 1) {
    raster.use(c);
    shapes.draw(raster, view, c);
  }
  return raster.ids.reduce((sum, id) => sum + (id >= 0 ? 1 : 0), 0) / raster.ids.length;
}
