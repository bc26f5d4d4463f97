import { expect, test } from "vitest";
import { LEAST_SHARE, ramp, STEPS, stepOf } from "../../src/map/colour.ts";
import { EventParser } from "../../src/api/stream.ts";
import { within } from "../../src/ui/curve.ts";
import {
  certainWords,
  clockWords,
  coordinates,
  dateWords,
  kilometres,
  percent,
  placeName,
} from "../../src/ui/format.ts";
import { libraryRows } from "../../src/views/library-rows.ts";
import type { LibraryPhoto } from "../../src/api/library.ts";

const plain = (words: string): string => words.replaceAll("\u00a0", " ");

test("probabilities and distances have as many digits as count", () => {
  expect([1, 0.8198, 0.0428, 0.0007, 0, 1e-9].map(percent).map(plain)).toEqual([
    "100 %",
    "82 %",
    "4.3 %",
    "0.07 %",
    "0 %",
    "< 0.001 %",
  ]);
  expect([0.85, 1, 7.14, 1492.7].map(kilometres).map(plain)).toEqual(["850 m", "1 km", "7.1 km", "1,493 km"]);
  expect(plain(coordinates({ lat: -33.9258, lng: 18.4232 }, 2))).toBe("33.93° S, 18.42° E");
});

test("places are named without repetitions, and by position where they have no name", () => {
  expect(placeName({ name: "Lima", region: "Lima", country: "Peru", country_code: "PE" })).toBe("Lima, Peru");
  expect(plain(placeName({ name: "", region: "", country: "", country_code: "" }, { lat: 1, lng: 2 }))).toBe(
    "1.00° N, 2.00° E",
  );
});

test("an unknown level has no words", () => {
  expect(certainWords({ level: "unknown" })).toBeNull();
  expect(
    certainWords({ level: "city", name: "Harbin", lat: 0, lng: 0, radius_km: 25, probability: 0.8 }),
  ).toBe("Within 25\u00a0km of Harbin");
});

test("a local time stays as it is written", () => {
  expect(dateWords("2016-05-01T23:30:00")).toBe("1 May 2016");
  expect(clockWords("2016-05-01T23:30:00+09:00")).toBe("23:30");
  expect(dateWords(null)).toBe("Without a time");
});

test("the colours' scale is logarithmic and ends at the greatest probability", () => {
  expect(ramp(false)).toHaveLength(STEPS);
  expect(stepOf(0.2, 0.2)).toBe(STEPS - 1);
  expect(stepOf(0.2 * LEAST_SHARE, 0.2)).toBe(0);
  expect(stepOf(0.2 * Math.sqrt(LEAST_SHARE), 0.2)).toBe(Math.round((STEPS - 1) / 2));
  expect(stepOf(0.2 * LEAST_SHARE * 0.9, 0.2)).toBe(-1);
});

test("events arrive whole, however the stream is cut", () => {
  const text =
    'event: progress\ndata: {"done":1}\n\n: comment\n\nevent: result\r\ndata: {"a":\r\ndata: 1}\r\n\r\n';
  const parser = new EventParser();
  const parts = text.match(/[^]{1,7}/g) ?? [];
  const events = parts.flatMap((part) => parser.push(part));
  expect(events).toEqual([
    { event: "progress", data: '{"done":1}' },
    { event: "result", data: '{"a":\n1}' },
  ]);
});

test("the share within a distance counts the distance itself", () => {
  expect(within([1, 25, 300], 25)).toBeCloseTo(2 / 3, 9);
  expect(within([], 25)).toBe(0);
});

test("a library is listed by day and place", () => {
  const photo = (id: number, time: string | null, name: string | null): LibraryPhoto => ({
    id,
    photo: `${id}.jpg`,
    time,
    evidence: [],
    decision: "open",
    position: null,
    known: name === null ? { lat: 1, lng: 1 } : null,
    found: name === null ? null : { lat: 1, lng: 1, radius_km: 1, probability: 0.9, level: "street", name },
  });
  const photos = [
    photo(0, "2019-05-01T09:00:00", "Rome"),
    photo(1, "2019-05-01T10:00:00", null),
    photo(2, "2019-05-01T11:00:00", "Rome"),
    photo(3, "2019-05-01T20:00:00", "Paris"),
    photo(4, "2019-05-02T09:00:00", "Paris"),
    photo(5, null, "Paris"),
  ];
  const headings = libraryRows(photos, "all").flatMap((it) =>
    it.kind === "heading" ? [[it.day, it.place, it.ids]] : [],
  );
  expect(headings).toEqual([
    ["1 May 2019", "Rome", [0, 1, 2]],
    ["1 May 2019", "Paris", [3]],
    ["2 May 2019", "Paris", [4]],
    ["Without a time", "Paris", [5]],
  ]);
  expect(libraryRows(photos, "open").filter((it) => it.kind === "photo")).toHaveLength(5);
});
