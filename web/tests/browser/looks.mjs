import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";

const ALL = [1280, 390].flatMap((width) => ["light", "dark"].map((scheme) => [width, scheme]));
const QUICK = [ALL[0], ALL[3]];

/** Each view in its states: nothing beyond the window's width, and nothing that axe finds. */
export function looks(site) {
  const { state } = site;
  const views = [];
  if (state.model) views.push(["locate", locate], ["album", album]);
  if (state.library) views.push(["library", library]);
  if (state.match) views.push(["match", match]);
  views.push(["compare", async (page, look) => look("report")]);
  return (process.env.QUICK ? QUICK : ALL).flatMap(([width, scheme]) =>
    views.map(([view, states]) => [
      `${view} at ${width} pixels, ${scheme}`,
      () => examine(site, view, states, width, scheme),
    ]),
  );
}

async function examine(site, view, states, width, scheme) {
  const page = await site.page(view, { width, scheme });
  const look = async (name) => {
    await page.waitForTimeout(250);
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(beyond <= 0, `${name} is ${beyond} pixels wider than the window`);
    await site.accessible(page);
    const folder = process.env.SCREENSHOTS;
    if (!folder) return;
    mkdirSync(folder, { recursive: true });
    await page.screenshot({ path: `${folder}/${view}-${name}-${width}-${scheme}.png` });
  };
  await states(page, look, site);
}

async function locate(page, look, site) {
  await page.locator(".map-canvas").first().waitFor();
  await look("empty");
  await site.choose(page, site.photos(8));
  await page.locator(".candidates").waitFor();
  await page.getByText("8 photos", { exact: true }).waitFor();
  await look("answer");
}

async function album(page, look, site) {
  await look("empty");
  await site.choose(page, site.photos(20));
  await page.getByRole("button", { name: "Locate the album" }).click();
  await page.locator(".has-result").waitFor({ timeout: 60_000 });
  await look("result");
}

async function library(page, look) {
  await page.locator(".library-photo").first().waitFor({ timeout: 120_000 });
  await look("review");
  await page.keyboard.press("c");
  await look("correct");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Write" }).click();
  await page.locator(".dialog .actions").waitFor();
  await look("write");
}

async function match(page, look) {
  await look("setup");
  await page.getByLabel("Rounds").fill("1");
  await page.getByRole("button", { name: "Start" }).click();
  await page.locator(".round .map-surface").click();
  await look("guess");
  await page.getByRole("button", { name: "Guess", exact: true }).click();
  await page.locator(".round-table").waitFor();
  await look("answer");
  await page.getByRole("button", { name: "Show the result" }).click();
  await page.locator(".summary").waitFor();
  await look("summary");
}
