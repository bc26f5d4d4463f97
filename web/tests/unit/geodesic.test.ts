import { expect, test } from "vitest";
import {
  circle,
  destination,
  distanceKm,
  geodesic,
  median,
  pointsAt,
  turned,
  unwrapped,
} from "../../src/map/geodesic.ts";

const PARIS = { lat: 48.8534, lng: 2.3488 };
const TOKYO = { lat: 35.6895, lng: 139.6917 };

test("distances are those of the sphere of 6371 km", () => {
  expect(distanceKm({ lat: 0, lng: 0 }, { lat: 0, lng: 1 })).toBeCloseTo(111.1949, 3);
  expect(distanceKm({ lat: 0, lng: 179.5 }, { lat: 0, lng: -179.5 })).toBeCloseTo(111.1949, 3);
  expect(distanceKm({ lat: 90, lng: 0 }, { lat: -90, lng: 0 })).toBeCloseTo(Math.PI * 6371, 6);
});

test("a geodesic is the shortest way: its parts add up to the distance", () => {
  const way = geodesic(PARIS, TOKYO);
  const length = way.slice(1).reduce((sum, it, i) => sum + distanceKm(way[i] ?? it, it), 0);
  expect(length).toBeCloseTo(distanceKm(PARIS, TOKYO), 6);
  expect(way[0]?.lat).toBeCloseTo(PARIS.lat, 9);
  expect(way.at(-1)?.lng).toBeCloseTo(TOKYO.lng, 9);
  expect(Math.max(...way.map((it) => it.lat))).toBeGreaterThan(60);
});

test("opposite points are joined too", () => {
  const way = geodesic({ lat: 10, lng: 20 }, { lat: -10, lng: -160 });
  expect(way.every((it) => Number.isFinite(it.lat) && Number.isFinite(it.lng))).toBe(true);
});

test("a circle has its radius everywhere", () => {
  for (const point of circle(TOKYO, 250)) expect(distanceKm(TOKYO, point)).toBeCloseTo(250, 6);
  expect(destination(TOKYO, 100, 0).lat).toBeGreaterThan(TOKYO.lat);
});

test("longitudes are turned into -180 to 180 and unwrapped without jumps", () => {
  expect(turned(190)).toBe(-170);
  const lngs = unwrapped([
    { lat: 0, lng: 179 },
    { lat: 0, lng: -179 },
    { lat: 0, lng: -170 },
  ]).map((it) => it.lng);
  expect(lngs).toEqual([179, 181, 190]);
});

test("points fall from 5000 by e at 1492.7 km", () => {
  expect(pointsAt(0)).toBe(5000);
  expect(pointsAt(1492.7)).toBe(1839);
  expect(pointsAt(1000)).toBe(2559);
  expect(pointsAt(20000)).toBe(0);
});

test("the median is the middle, or the mean of the two in the middle", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
});
