import { expect, test } from "vitest";
import { radians } from "../../src/map/geodesic.ts";
import { equalEarth, mercator, PROJECTIONS } from "../../src/map/projection.ts";
import { View } from "../../src/map/view.ts";

test("Equal Earth agrees with the values of its authors' definition", () => {
  // The world is 2.05458 times as wide as high, and the poles are 0.59247 as long as the equator.
  expect((Math.PI * equalEarth.width(0)) / equalEarth.height(Math.PI / 2)).toBeCloseTo(2.05458, 4);
  expect(equalEarth.width(Math.PI / 2) / equalEarth.width(0)).toBeCloseTo(0.59247, 3);
});

test("Equal Earth keeps the size of areas", () => {
  // A band of latitude has the area of its projected strip.
  for (const lat of [0, 20, 45, 70, 85]) {
    const [a, b] = [radians(lat), radians(lat + 1)];
    const onSphere = Math.sin(b) - Math.sin(a);
    const middle = radians(lat + 0.5);
    const onMap = equalEarth.width(middle) * (equalEarth.height(b) - equalEarth.height(a));
    expect(onMap / onSphere).toBeCloseTo(1, 3);
  }
});

test("Mercator ends where the world is a square", () => {
  expect(mercator.height(mercator.maxLat)).toBeCloseTo(Math.PI, 9);
  expect(mercator.height(radians(90))).toBeCloseTo(Math.PI, 9);
});

test.each(PROJECTIONS)("$name finds the latitude of a height again", (projection) => {
  for (let lat = -85; lat <= 85; lat += 5) {
    expect(projection.latitude(projection.height(radians(lat)))).toBeCloseTo(radians(lat), 8);
  }
});

test.each(PROJECTIONS)(
  "a view of $name finds the position of a point again, on both sides of 180°",
  (projection) => {
    const view = new View();
    view.projection = projection;
    view.resize(800, 500);
    view.centreOn({ lat: 12, lng: 176 }, 400);
    for (const at of [
      { lat: 10, lng: 179 },
      { lat: -20, lng: -175 },
      { lat: 40, lng: 150 },
    ]) {
      const [x, y] = view.toScreen(at);
      const back = view.toPosition(x, y);
      expect(back?.lat).toBeCloseTo(at.lat, 6);
      expect(back?.lng).toBeCloseTo(at.lng, 6);
    }
  },
);

test("a bordered world has no position beside it", () => {
  const view = new View();
  view.resize(800, 400);
  expect(view.toPosition(5, 5)).toBeNull();
  expect(view.toPosition(400, 200)).not.toBeNull();
});

test("a view without a size has a scale all the same", () => {
  const view = new View();
  expect(view.leastScale).toBeGreaterThan(0);
  view.centreOn({ lat: 0, lng: 0 }, view.leastScale);
  view.resize(800, 400);
  expect(view.toPosition(400, 200)?.lat).toBeCloseTo(0, 9);
});

test("a view around positions on both sides of 180° does not show the whole world", () => {
  const view = new View();
  view.resize(800, 500);
  const target = view.around(
    [
      { lat: -18, lng: 178 },
      { lat: -14, lng: -172 },
    ],
    5000,
  );
  expect(Math.abs(target?.at.lng ?? 0)).toBeGreaterThan(170);
  expect(target?.scale ?? 0).toBeGreaterThan(1000);
});

test("zooming keeps the place under the pointer", () => {
  const view = new View();
  view.projection = mercator;
  view.resize(800, 500);
  view.centreOn({ lat: 40, lng: 10 }, 600);
  const before = view.toPosition(600, 100);
  view.zoom(1.7, 600, 100);
  const after = view.toPosition(600, 100);
  expect(after?.lat).toBeCloseTo(before?.lat ?? NaN, 6);
  expect(after?.lng).toBeCloseTo(before?.lng ?? NaN, 6);
});
