// Tests of the page in Chromium: each view in light and dark, wide and on a phone, without violations that
// axe finds; the main way through each view, by mouse and by keyboard; and measurements.
//
//   npm run browser                    against the mock
//   PLANET_URL=http://127.0.0.1:8080/ npm run browser
//                                      against a server; what it does not have is left out
//   CHROMIUM=FILE                      the browser; otherwise the system's
//   ONLY=WORDS                         only tests whose name contains these words
//   QUICK=1                            without measurements, looks in half of the settings
//   SCREENSHOTS=DIR                    keeps pictures of all views

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { launch } from "./browser/chromium.mjs";
import { flows } from "./browser/flows.mjs";
import { looks } from "./browser/looks.mjs";
import { Site } from "./browser/site.mjs";
import { speed } from "./browser/speed.mjs";
import { troubles } from "./browser/troubles.mjs";

async function mock() {
  const path = fileURLToPath(new URL("../mock/server.mjs", import.meta.url));
  const server = spawn(process.execPath, [path], {
    env: { ...process.env, PORT: "0", MOCK_DELAY: "3" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  // The mock says where it listens.
  const words = await new Promise((resolve) => server.stderr.once("data", resolve));
  return { url: `${String(words).trim()}/`, stop: () => server.kill() };
}

async function main() {
  const browser = await launch();
  if (!browser) return console.log("skipped: there is no Chromium");
  const server = process.env.PLANET_URL
    ? { url: process.env.PLANET_URL, stop: () => undefined }
    : await mock();
  const site = new Site(browser, server.url, !process.env.PLANET_URL);
  let failed = 0;
  try {
    await site.look();
    const tests = [...flows(site), ...troubles(site), ...(process.env.QUICK ? [] : speed(site)), ...looks(site)];
    for (const [name, test] of tests) {
      if (!name.includes(process.env.ONLY ?? "")) continue;
      try {
        const words = await site.run(test);
        console.log(`ok       ${name}${words ? `: ${words}` : ""}`);
      } catch (error) {
        failed += 1;
        console.log(`FAILED   ${name}\n${String(error.stack ?? error).replaceAll(/^/gm, "         ")}`);
      }
    }
  } finally {
    await browser.close();
    server.stop();
  }
  console.log(failed === 0 ? "all well" : `${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

await main();
