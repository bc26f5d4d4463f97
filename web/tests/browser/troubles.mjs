import assert from "node:assert/strict";

/** What the page says when something is missing or goes wrong. */
export function troubles(site) {
  const tests = [
    ["without a model the page says how to get one", () => withoutModel(site)],
    ["a server that does not answer is named, and tried again", () => gone(site)],
  ];
  if (site.state.model) {
    tests.push(
      ["a full queue is waited for as long as the server says", () => busy(site)],
      ["a request that is too large is sent photo by photo", () => large(site)],
      ["an album that fails says why, and can be stopped", () => albumFails(site)],
      ["a file that is not a photo has its own error", () => damaged(site)],
    );
  }
  if (site.state.library)
    tests.push(["a library that was changed elsewhere is loaded again", () => conflict(site)]);
  return tests;
}

async function withoutModel(site) {
  const state = {
    ...site.state,
    model: null,
    library: null,
    match: null,
    report: false,
    get_model: ["planet demo", "planet train", "planet model import"],
  };
  const page = await site.page("locate", {
    before: (page) => page.route("**/api/state", (route) => route.fulfill({ json: state })),
  });
  await page.getByText("This needs a model").waitFor();
  await page.getByText("planet model import").waitFor();
  await site.accessible(page);
  for (const [view, words] of [
    ["Library", "planet serve --library"],
    ["Compare", "planet evaluate"],
  ]) {
    await page.getByRole("link", { name: view }).click();
    await page.getByText(words).first().waitFor();
  }
  await site.accessible(page);
}

async function gone(site) {
  let answers = false;
  const before = (page) =>
    page.route("**/api/state", (route) => (answers ? route.continue() : route.abort()));
  const page = await site.page("locate", { before, allowed: ["ERR_FAILED"] });
  await page.getByText("The server does not answer").waitFor();
  await site.accessible(page);
  answers = true;
  await page.getByRole("button", { name: "Try again" }).click();
  await page.locator(".locate, .empty").first().waitFor();
}

async function busy(site) {
  let refused = 0;
  const before = (page) =>
    page.route("**/api/locate*", (route) => {
      if (refused >= 2) return route.continue();
      refused += 1;
      return route.fulfill({
        status: 429,
        headers: { "Retry-After": "1" },
        json: { error: "the queue is full" },
      });
    });
  const page = await site.page("locate", { before, allowed: ["429"] });
  const start = Date.now();
  await site.choose(page, site.photos(6));
  await page.getByText("6 photos", { exact: true }).waitFor();
  assert.ok(Date.now() - start > 900, "the page did not wait");
  assert.equal(refused, 2);
}

async function large(site) {
  let several = 0;
  const before = (page) =>
    page.route("**/api/locate*", (route) => {
      const photos = (
        route
          .request()
          .postDataBuffer()
          ?.toString("latin1")
          .match(/filename="/g) ?? []
      ).length;
      if (photos <= 1) return route.continue();
      several += 1;
      return route.fulfill({ status: 413, json: { error: "the request is too large" } });
    });
  const page = await site.page("locate", { before, allowed: ["413"] });
  await site.choose(page, site.photos(5));
  await page.getByText("5 photos", { exact: true }).waitFor();
  assert.ok(several > 0);
}

async function albumFails(site) {
  let waits = true;
  const before = (page) =>
    page.route("**/api/album*", async (route) => {
      if (!waits) return route.fulfill({ status: 413, json: { error: "an album may have 1000 photos" } });
      return new Promise(() => undefined);
    });
  const page = await site.page("album", { before, allowed: ["413"] });
  await site.choose(page, site.photos(3));
  await page.getByRole("button", { name: "Locate the album" }).click();
  await page.getByRole("button", { name: "Stop" }).click();
  waits = false;
  await page.getByRole("button", { name: "Locate the album" }).click();
  await page.getByText("an album may have 1000 photos").waitFor();
  await site.accessible(page);
}

async function damaged(site) {
  const page = await site.page("locate", { allowed: ["422"] });
  await site.choose(page, [
    ...site.photos(2),
    { name: "torn.jpg", mimeType: "image/jpeg", buffer: Buffer.from("not a photo") },
  ]);
  await page.getByText("3 photos, 1 without an answer").waitFor();
  await page.locator(".photo-row", { hasText: "torn.jpg" }).click();
  await page.locator(".answer .notice-error", { hasText: "not a photo" }).waitFor();
  await site.accessible(page);
}

async function conflict(site) {
  let first = true;
  const before = (page) =>
    page.route("**/api/library/decisions", (route) => {
      if (!first) return route.continue();
      first = false;
      return route.fulfill({ status: 409, json: { error: "the library was changed", version: 9 } });
    });
  const page = await site.page("library", { before, allowed: ["409"] });
  await page.locator(".library-photo").first().waitFor({ timeout: 120_000 });
  const name = await page.locator(".library-path").textContent();
  await page.keyboard.press("a");
  await page.getByText("The library was changed elsewhere").waitFor();
  assert.notEqual(name, "");
  await site.accessible(page);
}
