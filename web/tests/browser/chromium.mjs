// Chromium for the tests of the page.
//
//   node tests/browser/chromium.mjs    ends with 0 where Chromium starts and draws a page, else says why not
//   CHROMIUM=FILE                      the browser; otherwise the system's

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
/** Without a graphics card, and without the services that ask for a network at every start. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
/** Debian's Chromium now and then crashes while it starts in a container. */
const ATTEMPTS = 3;

/** A started browser, or none where there is no Chromium. */
export async function launch() {
  const executablePath = process.env.CHROMIUM ?? PLACES.find((it) => existsSync(it));
  if (!executablePath) return undefined;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await chromium.launch({ executablePath, args: FLAGS });
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

async function check() {
  const browser = await launch();
  if (!browser) throw new Error("there is no Chromium");
  try {
    const page = await browser.newPage();
    await page.setContent("<canvas></canvas>");
    await page.evaluate(() => {
      document.querySelector("canvas").getContext("2d").fillRect(0, 0, 9, 9);
      return new WebAssembly.Memory({ initial: 1 }).buffer.byteLength;
    });
    await page.screenshot();
  } finally {
    await browser.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await check();
  } catch (error) {
    console.log(String(error).split("\n", 1)[0]);
    process.exitCode = 1;
  }
}
