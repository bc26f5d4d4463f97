import assert from "node:assert/strict";
import { drop } from "./site.mjs";

/** The main way through each view. */
export function flows(site) {
  const { state } = site;
  const tests = [["the server sends a policy that allows nothing of other origins", () => policy(site)]];
  if (state.model) {
    tests.push(
      ["a dropped photo is located, and the answer is explained", () => locate(site)],
      ["a list of photos is gone through by keyboard", () => locateByKeyboard(site)],
      ["a map is zoomed by wheel, keys and two fingers, and the earth goes round", () => gestures(site)],
      ["an album is located, and a photo compared", () => album(site)],
    );
  }
  if (state.library)
    tests.push(["a library is reviewed by keyboard: accept, undo, correct, dry run", () => library(site)]);
  if (state.library && site.isMock)
    tests.push(["positions are written, with the command that takes them back", () => write(site)]);
  if (state.match) {
    tests.push(
      ["a match of two players, by keyboard alone, to the summary", () => match(site)],
      ["a tournament in which each has photos of their own", () => tournament(site)],
    );
  }
  tests.push(["the report is shown, or how to make one", () => compare(site)]);
  return tests;
}

async function policy(site) {
  const header = (await fetch(site.url)).headers.get("content-security-policy") ?? "";
  for (const part of [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "frame-ancestors 'none'",
  ]) {
    assert.ok(header.includes(part), `${part} is missing in: ${header}`);
  }
}

async function locate(site) {
  const page = await site.page("locate");
  await drop(page, 1);
  await page.locator(".headline").waitFor();
  const candidates = Math.min(5, site.state.model.classes);
  assert.equal(await page.locator(".candidates tbody tr").count(), candidates);
  assert.ok(await page.locator(".locate .legend").isVisible());
  await page.getByRole("button", { name: "Show why" }).click();
  await page.getByText("Light parts matter most").waitFor({ timeout: 60_000 });
  assert.ok(await page.locator(".figure-heat").isVisible());
  await page.getByRole("button", { name: "Hide why" }).click();
  assert.ok(!(await page.locator(".figure-heat").isVisible()));
}

async function locateByKeyboard(site) {
  const page = await site.page("locate");
  await site.choose(page, site.photos(9));
  await page.getByText("9 photos", { exact: true }).waitFor();
  await page.locator('[role=option][aria-selected="true"]').focus();
  for (let i = 0; i < 3; i += 1) await page.keyboard.press("ArrowDown");
  await page.locator(".answer-name", { hasText: "IMG_2003.png" }).waitFor();
  await page.keyboard.press("End");
  await page.locator(".answer-name", { hasText: "IMG_2008.png" }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("aria-selected")), "true");
  // The map answers to its keys.
  const surface = page.locator(".locate .map-surface");
  await surface.focus();
  for (const key of ["+", "+", "ArrowLeft", "ArrowUp", "0"]) await page.keyboard.press(key);
}

/** The map's scale, and the longitude of its middle. */
const seen = (page) =>
  page.evaluate(async () => {
    // Two frames: the first one draws.
    for (let i = 0; i < 2; i += 1) await new Promise(requestAnimationFrame);
    const { scale, lng } = document.querySelector("section:not([hidden]) .map-canvas").dataset;
    return { scale: Number(scale), lng: Number(lng) };
  });

async function gestures(site) {
  const page = await site.page("locate", { width: 390 });
  await page.locator(".map-canvas[data-scale]").waitFor();
  const world = await seen(page);
  const surface = page.locator(".locate .map-surface");
  await surface.scrollIntoViewIfNeeded();
  const box = await surface.boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + Math.min(box.height / 2, 100)];
  await page.mouse.move(x, y);
  await page.mouse.wheel(0, -300);
  const wheeled = await seen(page);
  assert.ok(wheeled.scale > 1.3 * world.scale, "the wheel does not zoom");
  await surface.press("0");
  assert.equal((await seen(page)).scale, world.scale);
  const touch = await page.context().newCDPSession(page);
  const fingers = (apart) => [
    { x: x - apart, y, id: 1 },
    { x: x + apart, y, id: 2 },
  ];
  await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: fingers(30) });
  for (const apart of [45, 60, 75, 90])
    await touch.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: fingers(apart) });
  await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  const pinched = await seen(page);
  assert.ok(pinched.scale > 2 * world.scale, `two fingers do not zoom: ${pinched.scale} of ${world.scale}`);
  // Far enough to the east, one arrives in the west.
  const lngs = [];
  for (let i = 0; i < 30; i += 1) {
    await surface.press("ArrowRight");
    lngs.push((await seen(page)).lng);
  }
  assert.ok(lngs.every((it) => it >= -180 && it <= 180));
  assert.ok(
    lngs.some((it, i) => i > 0 && it < lngs[i - 1] - 180),
    "the earth does not go round",
  );
}

async function album(site) {
  const page = await site.page("album");
  await site.choose(page, site.photos(24));
  await page.getByRole("button", { name: "Locate the album" }).click();
  await page.locator(".album.has-result").waitFor({ timeout: 60_000 });
  assert.equal(await page.locator(".album-side").count(), 2);
  // The cells of either side are on the map.
  assert.ok(await page.locator(".album .legend").isVisible());
  const greatest = () => page.locator(".album .legend-ticks span").last().textContent();
  const together = await greatest();
  const alone = page.locator(".album-sides").getByRole("button", { name: "Alone" });
  await alone.click();
  assert.equal(await alone.getAttribute("aria-pressed"), "true");
  if (site.isMock) assert.notEqual(await greatest(), together);
  await page.locator('.strip [role=option][aria-selected="true"]').focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.locator('.strip [aria-selected="true"]').getAttribute("aria-posinset"), "3");
  await page.getByText("All photos as a table").click();
  await page.locator(".album-table tbody tr").nth(23).waitFor();
}

const counts = async (page) =>
  Object.fromEntries(
    await page
      .locator(".filter")
      .evaluateAll((all) =>
        all.map((it) => [
          it.dataset.filter,
          Number(it.querySelector("span").textContent.replaceAll(",", "")),
        ]),
      ),
  );

async function library(site) {
  const page = await site.page("library");
  await page.locator(".library-photo").first().waitFor({ timeout: 120_000 });
  const before = await counts(page);
  const name = await page.locator(".library-path").textContent();
  await page.keyboard.press("a");
  assert.equal((await counts(page)).accepted, before.accepted + 1);
  assert.notEqual(await page.locator(".library-path").textContent(), name);
  await page.keyboard.press("u");
  assert.deepEqual(await counts(page), before);
  assert.equal(await page.locator(".library-path").textContent(), name);
  await page.keyboard.press("c");
  for (let i = 0; i < 4; i += 1) await page.keyboard.press("Shift+ArrowRight");
  await page.keyboard.press("Enter");
  assert.equal((await counts(page)).corrected, before.corrected + 1);
  // The focus is in the list again.
  assert.ok(await page.evaluate(() => document.activeElement?.classList.contains("library-photo")));
  await page.getByRole("button", { name: "Write" }).click();
  await page.getByText("Nothing has been written yet").waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+z");
  assert.deepEqual(await counts(page), before);
  // A click on the map corrects too.
  await page.getByRole("button", { name: "Correct" }).last().click();
  await page.locator(".library .map-surface").click({ position: { x: 200, y: 200 } });
  assert.equal((await counts(page)).corrected, before.corrected + 1);
  await page.getByRole("button", { name: "Undo" }).click();
  assert.deepEqual(await counts(page), before);
  await page.waitForTimeout(300);
}

async function write(site) {
  const page = await site.page("library");
  await page.locator(".library-photo").first().waitFor();
  await page.keyboard.press("a");
  await page.keyboard.press("r");
  await page.getByRole("button", { name: "Write" }).click();
  await page.getByRole("button", { name: "Write 1 file" }).click();
  await page.getByText("planet library undo").waitFor();
  await page.getByRole("button", { name: "Close" }).click();
  await page.keyboard.press("u");
  await page.keyboard.press("u");
  await page.waitForTimeout(300);
}

async function match(site) {
  const page = await site.page("match");
  await page.getByLabel("Two players").focus();
  await page.keyboard.press("Space");
  const names = page.locator(".setup-names input");
  await names.nth(0).fill("Ann");
  await names.nth(1).fill("Ben");
  await page.keyboard.press("Enter");
  for (let round = 1; round <= 5; round += 1) {
    for (const player of ["Ann", "Ben"]) {
      await page.locator(".round-turn", { hasText: `${player}, where was` }).waitFor();
      await page.locator(".round .map-surface").focus();
      const keys = player === "Ann" ? ["ArrowRight", "ArrowUp"] : ["ArrowLeft", "ArrowDown"];
      for (const key of keys) for (let i = 0; i <= round; i += 1) await page.keyboard.press(`Shift+${key}`);
      await page.keyboard.press("Enter");
    }
    await page.locator(".round-table").waitFor();
    assert.equal(await page.locator(".round-table tbody tr").count(), 3);
    // The button that goes on has the focus.
    await page.keyboard.press("Enter");
    // A page that is loaded again goes on with the match.
    if (round === 1) await page.reload();
  }
  await page.locator(".summary h1").waitFor();
  assert.equal(await page.locator(".summary-players tbody tr").count(), 3);
  assert.equal(await page.locator(".curve-line").count(), 6);
  const saved = async (name) => {
    const link = await page.getByRole("link", { name: `Save ${name}` }).getAttribute("href");
    return page.evaluate(async (link) => (await fetch(link)).text(), link);
  };
  const people = await saved("match.csv");
  assert.equal(people.trim().split("\n").length, 1 + 10);
  assert.ok(people.startsWith("photo,lat,lng,author"));
  const answers = (await saved("planet.jsonl")).trim().split("\n");
  assert.equal(answers.length, 5);
  assert.ok(answers.every((line) => "truth" in JSON.parse(line)));
}

async function tournament(site) {
  const page = await site.page("match");
  await page.getByLabel("Tournament").check();
  await page.getByRole("button", { name: "Add a player" }).click();
  await page.getByLabel("Rounds").fill("2");
  await page.getByRole("button", { name: "Start" }).click();
  for (let round = 0; round < 2; round += 1) {
    for (let player = 1; player <= 4; player += 1) {
      await page.locator(".round-turn", { hasText: `Player ${player}, where was` }).waitFor();
      await page.locator(".round .map-surface").click({ position: { x: 200 + 40 * player, y: 350 } });
      await page.getByRole("button", { name: "Guess", exact: true }).click();
      await page.locator(".round-table").waitFor();
      await page.locator(".round-foot .button-primary").click();
    }
  }
  await page.locator(".summary h1").waitFor();
  // One curve for the people and one for PlaNet, each with its key.
  assert.equal(await page.locator(".curve-line").count(), 4);
  await page.getByText("People (8 guesses)").waitFor();
  await page.getByText("All guesses", { exact: true }).click();
  assert.equal(await page.locator(".summary-guesses tbody tr").count(), 16);
  if (site.isMock) assert.ok(!(await page.locator(".summary-guesses").textContent()).includes("no answer"));
}

async function compare(site) {
  const page = await site.page("compare");
  if (!site.state.report) return void (await page.getByText("planet evaluate --model").waitFor());
  const frame = page.locator("iframe");
  assert.equal(await frame.getAttribute("sandbox"), "");
  await page.frameLocator("iframe").locator("h1").first().waitFor();
}
