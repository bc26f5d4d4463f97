import { expect, test } from "vitest";
import { rowAt, topsOf, visibleRows } from "../../src/ui/list.ts";

const TOPS = topsOf([64, 76, 76, 64, 76]);

test("rows lie one below another", () => {
  expect([...TOPS]).toEqual([0, 64, 140, 216, 280, 356]);
});

test("the row at a height is found, beyond the ends the first and the last", () => {
  expect([-50, 0, 63, 64, 139.5, 216, 355, 9000].map((it) => rowAt(TOPS, it))).toEqual([
    0, 0, 0, 1, 1, 3, 4, 4,
  ]);
});

test("only rows of the window are visible", () => {
  expect(visibleRows(TOPS, 70, 150)).toEqual({ first: 1, last: 3 });
  expect(visibleRows(topsOf([]), 0, 500)).toEqual({ first: 0, last: 0 });
});

test("of ten thousand rows as many are made as fit", () => {
  const { first, last } = visibleRows(topsOf(new Array<number>(10_000).fill(68)), 68 * 5000, 68 * 5000 + 680);
  expect(first).toBe(5000);
  expect(last - first).toBe(11);
});
