import { h, scrollable, svg } from "./element.ts";
import { percent, plural } from "./format.ts";

export interface Series {
  name: string;
  /** Distances in km, in any order. */
  distances: number[];
  /** The class of its line in the style sheet. */
  class: string;
}

const [WIDTH, HEIGHT] = [560, 300];
const [LEFT, RIGHT, TOP, BOTTOM] = [46, 16, 12, 44];
/** The axis of distances, logarithmic, in km. */
const [NEAREST, FARTHEST] = [1, 20_000];
const TICKS: [number, string][] = [
  [1, "1"],
  [10, "10"],
  [100, "100"],
  [1000, "1,000"],
  [10_000, "10,000"],
];
/** The scales of the paper: street, city, region, country, continent. */
export const SCALES: [string, number][] = [
  ["1 km", 1],
  ["25 km", 25],
  ["200 km", 200],
  ["750 km", 750],
  ["2,500 km", 2500],
];

/** The share of distances up to a limit. */
export function within(distances: readonly number[], km: number): number {
  return distances.length === 0 ? 0 : distances.filter((it) => it <= km).length / distances.length;
}

const x = (km: number): number =>
  LEFT + ((WIDTH - LEFT - RIGHT) * Math.log(Math.max(NEAREST, km) / NEAREST)) / Math.log(FARTHEST / NEAREST);
const y = (share: number): number => TOP + (HEIGHT - TOP - BOTTOM) * (1 - share);

function path(distances: readonly number[]): string {
  const sorted = [...distances].sort((a, b) => a - b);
  let d = `M${x(NEAREST).toFixed(1)} ${y(0).toFixed(1)}`;
  sorted.forEach((km, index) => {
    if (km > FARTHEST) return;
    d += `H${x(km).toFixed(1)}V${y((index + 1) / sorted.length).toFixed(1)}`;
  });
  return `${d}H${x(FARTHEST)}`;
}

/** Which share of the photos was located within a distance: one line for each player. */
export function curveFigure(series: readonly Series[], title: string): HTMLElement {
  const chart = svg("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    class: "curve",
    role: "img",
    "aria-label": `${title}; the table has the numbers`,
  });
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    chart.append(
      svg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(share), y2: y(share), class: "curve-grid" }),
      label(LEFT - 8, y(share) + 4, percent(share), "end"),
    );
  }
  for (const [km, words] of TICKS) chart.append(label(x(km), HEIGHT - BOTTOM + 18, words, "middle"));
  chart.append(label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, "distance in km", "middle"));
  for (const it of series)
    chart.append(svg("path", { d: path(it.distances), class: `curve-line ${it.class}` }));
  const keys = series.map((it) =>
    h("li", {}, swatch(it.class), `${it.name} (${plural(it.distances.length, "guess", "guesses")})`),
  );
  return h(
    "figure",
    { class: "card curve-figure" },
    h("figcaption", {}, title),
    h("ul", { class: "curve-keys" }, ...keys),
    chart,
    scalesTable(series),
  );
}

function label(at: number, height: number, words: string, anchor: string): SVGElement {
  const text = svg("text", { x: at, y: height, "text-anchor": anchor, class: "curve-text" });
  text.textContent = words;
  return text;
}

function swatch(name: string): SVGElement {
  const line = svg("svg", { viewBox: "0 0 28 8", class: "curve-swatch", "aria-hidden": "true" });
  line.append(svg("path", { d: "M0 4H28", class: `curve-line ${name}` }));
  return line;
}

function scalesTable(series: readonly Series[]): HTMLElement {
  const head = h(
    "tr",
    {},
    h("th", { scope: "col" }, "Located within"),
    ...SCALES.map(([words]) => h("th", { scope: "col", class: "number" }, words)),
  );
  const rows = series.map((it) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, it.name),
      ...SCALES.map(([, km]) => h("td", { class: "number" }, percent(within(it.distances, km)))),
    ),
  );
  return scrollable("Shares within distances", h("table", {}, h("thead", {}, head), h("tbody", {}, ...rows)));
}
