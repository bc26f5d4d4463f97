// Tests of a site without a server (planet serve --export-site) in Chromium: it is written, loaded once from a
// plain file server, and then, without any network, locates photos as the command does.
//
//   PLANET=FILE MODEL=DIR PHOTOS=DIR ONNXRUNTIME_WEB=DIR npm run alone
//   CHROMIUM=FILE                      the browser; otherwise the system's
//   SCREENSHOTS=DIR                    keeps pictures

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join, normalize } from "node:path";
import { promisify } from "node:util";
import { AxeBuilder } from "@axe-core/playwright";
import { launch } from "./browser/chromium.mjs";

const run = promisify(execFile);
const { PLANET, MODEL, PHOTOS, ONNXRUNTIME_WEB, SCREENSHOTS } = process.env;
/** What the page and the command may differ by. */
const MOST = 1e-4;

const KINDS = { html: "text/html", js: "text/javascript", mjs: "text/javascript", css: "text/css", json: "application/json", wasm: "application/wasm" };

/** Sends the files of a folder, and knows nothing else. */
async function plainServer(folder) {
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
    const name = normalize(path.endsWith("/") ? `${path}index.html` : path);
    try {
      const bytes = await readFile(join(folder, name));
      const kind = KINDS[name.split(".").at(-1)] ?? "application/octet-stream";
      response.writeHead(200, { "Content-Type": kind }).end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${server.address().port}/`, stop };
}

/** The command's answers, by the photo's path. */
async function answersOfTheCommand() {
  const options = ["locate", "--model", MODEL, "--format", "jsonl", "--top", "5", PHOTOS];
  const { stdout } = await run(PLANET, options, { maxBuffer: 1 << 28 });
  return stdout.trim().split("\n").map((line) => JSON.parse(line));
}

/** The answers of the site's own worker to some photos, as the page gets them. */
const answersOfTheSite = (page, photos) =>
  page.evaluate(async (photos) => {
    const { local, limits, model } = await (await fetch("api/state")).json();
    const worker = new Worker("worker.js", { type: "module" });
    const reply = () => new Promise((resolve) => worker.addEventListener("message", (it) => resolve(it.data), { once: true }));
    const loaded = reply();
    worker.postMessage({ model: local, limits, warning: model.warning });
    const first = await loaded;
    if (first.error) throw new Error(first.error);
    const answers = [];
    for (const [i, { name, base64 }] of photos.entries()) {
      const bytes = Uint8Array.from(atob(base64), (it) => it.charCodeAt(0));
      const answer = reply();
      worker.postMessage({ id: i + 1, photo: new File([bytes], name), top: 5, posterior: true });
      answers.push(await answer);
    }
    return answers;
  }, photos);

function compare(expected, { answer, error }) {
  assert.equal(error, undefined, expected.photo);
  assert.equal(answer.photo, expected.photo);
  assert.equal(answer.predictions.length, expected.predictions.length);
  let worst = 0;
  expected.predictions.forEach((wanted, i) => {
    const at = answer.posterior.classes.indexOf(wanted.class);
    const found = at < 0 ? 0 : answer.posterior.probabilities[at];
    worst = Math.max(worst, Math.abs(found - wanted.probability));
    const candidate = answer.predictions[i];
    // Where two probabilities are all but equal, either may be the first.
    if (candidate.class !== wanted.class) assert.ok(Math.abs(candidate.probability - wanted.probability) < MOST);
    else assert.deepEqual({ ...candidate, probability: 0 }, { ...wanted, probability: 0 });
  });
  assert.ok(worst < MOST, `${expected.photo}: the probabilities differ by ${worst}`);
  assert.equal(answer.certain.level, expected.certain.level, expected.photo);
  assert.equal(answer.certain.name, expected.certain.name, expected.photo);
  for (const key of ["lat", "lng"])
    assert.ok(Math.abs((answer.truth?.[key] ?? 0) - (expected.truth?.[key] ?? 0)) < 1e-5, expected.photo);
  return worst;
}

/** Opens the site once, with a network, until it says that it needs none any more. */
async function load(context, url) {
  const page = await context.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error.stack ?? error)));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  context.on("request", (request) => {
    if (/^http/.test(request.url()) && !request.url().startsWith(url)) problems.push(`request to ${request.url()}`);
  });
  await page.goto(url);
  const status = page.locator(".welcome [role=status]");
  await status.filter({ hasNotText: "being loaded" }).waitFor({ timeout: 60_000 });
  const words = await status.textContent();
  assert.match(words, /works without a network/, [words, ...problems].join("\n"));
  return { page, problems };
}

async function useByHand(page, { photo, predictions }) {
  await page.reload();
  await page.locator("section:not([hidden]) input[type=file]").first().setInputFiles(photo);
  await page.locator(".headline").waitFor({ timeout: 60_000 });
  assert.equal(await page.locator(".candidates tbody tr").count(), predictions.length);
  assert.equal(await page.locator("nav").count(), 0);
  assert.equal(await page.getByRole("button", { name: "Show why" }).count(), 0);
  const { violations } = await new AxeBuilder({ page }).analyze();
  assert.deepEqual(violations.map((it) => `${it.id}: ${it.help}`), []);
}

async function pictures(browser, context, url, photo) {
  if (!SCREENSHOTS) return;
  for (const [width, height] of [[1280, 800], [390, 844]])
    for (const colorScheme of ["light", "dark"]) {
      const page = await context.newPage();
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme });
      await page.goto(url);
      await page.getByText("works without a network").waitFor();
      await page.screenshot({ path: join(SCREENSHOTS, `alone-${width}-${colorScheme}-empty.png`) });
      await page.locator("section:not([hidden]) input[type=file]").first().setInputFiles(photo);
      await page.locator(".headline").waitFor();
      await page.waitForTimeout(500);
      await page.screenshot({ path: join(SCREENSHOTS, `alone-${width}-${colorScheme}.png`), fullPage: true });
      await page.close();
    }
}

async function main() {
  const browser = await launch();
  if (!browser) return console.log("skipped: there is no Chromium");
  const folder = await mkdtemp(join(tmpdir(), "planet-site-"));
  try {
    const site = join(folder, "site");
    await run(PLANET, ["serve", "--model", MODEL, "--export-site", site, "--onnxruntime-web", ONNXRUNTIME_WEB]);
    const expected = await answersOfTheCommand();
    const server = await plainServer(site);
    const context = await browser.newContext({ reducedMotion: "reduce" });
    const { page, problems } = await load(context, server.url);
    // From here on there is neither a server nor a network.
    server.stop();
    await context.setOffline(true);
    await useByHand(page, expected[0]);
    const photos = await Promise.all(
      expected.map(async ({ photo }) => ({ name: photo, base64: (await readFile(photo)).toString("base64") })),
    );
    const found = await answersOfTheSite(page, photos);
    const worst = expected.reduce((worst, it, i) => Math.max(worst, compare(it, found[i])), 0);
    await pictures(browser, context, server.url, expected[0].photo);
    assert.deepEqual(problems, []);
    console.log(
      `ok       without a server and a network, ${expected.length} photos are located as the command locates them; probabilities differ by ${worst.toExponential(1)} at most`,
    );
  } finally {
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
