import assert from "node:assert/strict";
import { AxeBuilder } from "@axe-core/playwright";
import { picture } from "../../mock/picture.mjs";

/** The page under test: opens it, and watches what no test may cause. */
export class Site {
  constructor(browser, url, isMock) {
    this.browser = browser;
    this.url = url;
    this.isMock = isMock;
    this.state = null;
    this.open = [];
  }

  /** What the server has. */
  async look() {
    this.state = await (await fetch(new URL("api/state", this.url))).json();
  }

  /** A page of a view. Errors, and requests to other origins, are collected. */
  async page(view, { width = 1280, scheme = "light", before = async () => undefined, allowed = [] } = {}) {
    const phone = width < 500;
    const context = await this.browser.newContext({
      viewport: { width, height: phone ? 844 : 800 },
      colorScheme: scheme,
      hasTouch: phone,
      reducedMotion: "reduce",
    });
    const page = await context.newPage();
    const problems = [];
    page.on("pageerror", (error) => problems.push(String(error.stack ?? error)));
    page.on("console", (message) => {
      const text = message.text();
      if (message.type() === "error" && !allowed.some((it) => text.includes(it))) problems.push(text);
    });
    page.on("request", (request) => {
      const { origin, protocol } = new URL(request.url());
      if (/^https?:$/.test(protocol) && origin !== new URL(this.url).origin)
        problems.push(`request to ${request.url()}`);
    });
    this.open.push({ context, problems });
    await before(page);
    await page.goto(new URL(`#${view}`, this.url).href);
    return page;
  }

  /** Runs a test, closes its pages, and fails where one of them had problems. */
  async run(test) {
    try {
      const words = await test();
      for (const { problems } of this.open) assert.deepEqual(problems, []);
      return words;
    } finally {
      for (const { context } of this.open) await context.close();
      this.open = [];
    }
  }

  photos(count, first = 0) {
    return Array.from({ length: count }, (_, i) => ({
      name: `IMG_${2000 + first + i}.png`,
      mimeType: "image/png",
      buffer: picture(first + i),
    }));
  }

  choose(page, files) {
    return page.locator("section:not([hidden]) input[type=file]").first().setInputFiles(files);
  }

  async accessible(page) {
    const { violations } = await new AxeBuilder({ page }).exclude("iframe").analyze();
    const words = violations.map(
      (it) =>
        `${it.id}: ${it.help}\n${it.nodes.map((node) => `  ${node.html}\n  ${node.failureSummary}`).join("\n")}`,
    );
    assert.equal(words.join("\n"), "");
  }
}

/** Drops files on the view as a hand would: photos made in the page, all with the same picture. `ready` is
 * called when they are made. */
export async function drop(page, count, side = 1200, ready = async () => undefined) {
  const transfer = await page.evaluateHandle(
    async ({ count, side }) => {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [side, (side * 3) / 4];
      const context = canvas.getContext("2d");
      for (let i = 0; i < 400; i += 1) {
        context.fillStyle = `hsl(${(i * 37) % 360} 50% ${30 + (i % 50)}%)`;
        context.fillRect((i * 97) % side, (i * 61) % canvas.height, 90, 70);
      }
      const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.85));
      const transfer = new DataTransfer();
      for (let i = 0; i < count; i += 1)
        transfer.items.add(new File([blob], `DSC_${10000 + i}.jpg`, { type: "image/jpeg" }));
      return transfer;
    },
    { count, side },
  );
  await ready();
  await page.dispatchEvent("section:not([hidden])", "drop", { dataTransfer: transfer });
}
