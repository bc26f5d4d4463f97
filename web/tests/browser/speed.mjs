import { encode, evenPartition } from "../../mock/cells.mjs";
import { drop } from "./site.mjs";

const CELLS = 26_000;
const PHOTOS = 1000;

/** Measurements. They are printed and not asserted: other work on the machine would decide. */
export function speed(site) {
  const tests = [];
  if (site.state.model) {
    tests.push(
      [`${CELLS} cells are redrawn`, () => redraw(site)],
      [`${PHOTOS} dropped photos`, () => dropped(site)],
    );
  }
  if (site.state.library) tests.push(["a library is scrolled through", () => scrolled(site)]);
  return tests;
}

/** Begins to keep the lengths of tasks over 50 ms. */
const watchTasks = (page) =>
  page.evaluate(() => {
    window.longTasks = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.longTasks.push(entry.duration);
    }).observe({ type: "longtask" });
  });

const longest = (page) => page.evaluate(() => Math.round(Math.max(0, ...window.longTasks)));

async function redraw(site) {
  const cells = evenPartition(CELLS);
  const body = Buffer.from(encode(cells));
  // All cells are coloured: their probabilities span the whole scale.
  const posterior = {
    classes: cells.map((_, i) => i),
    probabilities: cells.map((_, i) => 0.01 * 10 ** ((-3 * i) / cells.length)),
  };
  const candidate = { class: 0, cell: "1", probability: 0.01, lat: 0, lng: 0, radius_km: 100 };
  const answer = {
    photo: "a.png",
    predictions: [candidate],
    certain: { level: "unknown" },
    truth: null,
    posterior,
  };
  const before = async (page) => {
    await page.route("**/api/cells/*", (route) =>
      route.fulfill({ body, contentType: "application/octet-stream" }),
    );
    await page.route("**/api/locate*", (route) => route.fulfill({ json: answer }));
  };
  const page = await site.page("locate", { before });
  await site.choose(page, site.photos(1));
  await page.locator(".legend").waitFor();
  await page.waitForTimeout(1500);
  const parts = [];
  for (const [name, keys] of [
    ["world", ["0"]],
    ["continent", ["+", "+", "+"]],
    ["country", ["+", "+", "+", "+"]],
  ]) {
    for (const key of keys) await page.locator(".locate .map-surface").press(key);
    const { median, most } = await page.evaluate(panned);
    parts.push(`${name} ${median} ms (most ${most})`);
  }
  return parts.join(", ");
}

/** Moves the map 60 times by key, and gives the times of its redraws in ms. */
async function panned() {
  const surface = document.querySelector(".locate .map-surface");
  const canvas = surface.querySelector("canvas");
  const times = [];
  for (let i = 0; i < 60; i += 1) {
    surface.dispatchEvent(new KeyboardEvent("keydown", { key: i % 2 ? "ArrowRight" : "ArrowLeft" }));
    await new Promise(requestAnimationFrame);
    await new Promise((resolve) => setTimeout(resolve, 20));
    times.push(Number(canvas.dataset.drawMs));
  }
  times.sort((a, b) => a - b);
  return { median: times[30], most: times[59] };
}

async function dropped(site) {
  const page = await site.page("locate");
  await page.locator(".locate .map-canvas").waitFor();
  await page.waitForTimeout(500);
  await drop(page, PHOTOS, 1200, () => watchTasks(page));
  const list = page.locator(".locate .list");
  for (let i = 0; i < 12; i += 1) {
    await list.evaluate((it) => it.scrollBy(0, 900));
    await page.waitForTimeout(150);
  }
  if (site.isMock) await page.getByText("1,000 photos", { exact: true }).waitFor({ timeout: 180_000 });
  const rows = await page.locator(".locate .photo-row").count();
  if (rows > 60) throw new Error(`${rows} rows are in the document`);
  const ms = await longest(page);
  return `longest task ${ms} ms, ${rows} rows in the document`;
}

async function scrolled(site) {
  const page = await site.page("library");
  await page.locator(".library-photo").first().waitFor({ timeout: 120_000 });
  await page.locator('.filter[data-filter="all"]').click();
  await watchTasks(page);
  const list = page.locator(".library .list");
  for (let i = 0; i < 40; i += 1) {
    await list.evaluate((it, i) => it.scrollBy(0, i % 10 === 9 ? 20_000 : 700), i);
    await page.waitForTimeout(30);
  }
  const ms = await longest(page);
  const rows = await page.locator(".library .list-row").count();
  return `longest task ${ms} ms, ${rows} rows in the document`;
}
