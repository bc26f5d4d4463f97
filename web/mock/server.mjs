// The interface of planet serve with invented answers, for the page's development and its tests.
// Nothing is random: the same requests have the same answers.
//
//   PORT=8400          port on 127.0.0.1
//   MOCK_CELLS=400     cells of the model; MOCK_EVEN=1: of even size
//   MOCK_PHOTOS=3000   photos of the library
//   MOCK_WITHOUT=      comma-separated: model, library, match, report
//   MOCK_BUSY=0        answers 429 to every n-th request for a location
//   MOCK_DELAY=15      milliseconds that a location takes

import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { answer, explanation } from "./answers.mjs";
import { encode, evenPartition, landOutlines, partition } from "./cells.mjs";
import * as libraries from "./library.mjs";
import * as matches from "./match.mjs";
import { picture } from "./picture.mjs";
import { near, PLACES, random } from "./places.mjs";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const setting = (name, otherwise) => process.env[name] ?? otherwise;
const without = new Set(setting("MOCK_WITHOUT", "").split(","));
const delay = Number(setting("MOCK_DELAY", 15));
const busy = Number(setting("MOCK_BUSY", 0));
const PHOTO_BYTES = 64 << 20;

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; " +
  "frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const REPORT_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox";

const crowd = (() => {
  const next = random(11);
  return PLACES.flatMap((it) => Array.from({ length: 24 }, () => near(it, 900 * next() ** 3, next)));
})();
const count = Number(setting("MOCK_CELLS", 400));
const cells = setting("MOCK_EVEN", "") ? evenPartition(count) : partition(crowd, count);
const outlines = {
  cells: encode(cells),
  land: landOutlines(readFileSync(at("../../crates/planet/src/map/land.bin"))),
};
const library = libraries.library(Number(setting("MOCK_PHOTOS", 3000)));

const state = {
  version: "0.1.0",
  model: without.has("model")
    ? null
    : {
        name: "demo",
        architecture: "inception-mini",
        classes: cells.length,
        input: [64, 64],
        features: 512,
        warning: "the model was trained on synthetic photos; its answers to real photos are meaningless",
        schemes: ["average", "hmm", "lstm"],
      },
  ...(without.has("model")
    ? {
        get_model: [
          "planet demo",
          "planet train --photos ~/Pictures -o run",
          "planet model import model.onnx",
        ],
      }
    : {}),
  library: without.has("library") ? null : { folder: library.folder, photos: library.photos.length },
  match: without.has("match") ? null : { photos: 2000, dataset: "photos-test" },
  report: !without.has("report"),
  limits: { photo_bytes: PHOTO_BYTES, request_photos: 64, pixels: 120000000 },
};

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function body(request) {
  return new Promise((resolve, reject) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => resolve(Buffer.concat(parts)));
    request.on("error", reject);
  });
}

/** The names and bytes of the photos of a multipart body. */
function photosOf(request, bytes) {
  const boundary = /boundary=("?)([^";]+)\1/.exec(request.headers["content-type"] ?? "")?.[2];
  if (!boundary) return [{ name: "photo", bytes }];
  const mark = Buffer.from(`--${boundary}`);
  const photos = [];
  let from = bytes.indexOf(mark);
  for (;;) {
    const to = bytes.indexOf(mark, from + mark.length);
    if (to < 0) return photos;
    const part = bytes.subarray(from + mark.length + 2, to - 2);
    const end = part.indexOf("\r\n\r\n");
    const head = part.subarray(0, end).toString("utf8");
    photos.push({ name: /filename="([^"]*)"/.exec(head)?.[1] ?? "photo", bytes: part.subarray(end + 4) });
    from = to;
  }
}

const readable = ({ bytes }) =>
  bytes.length > 8 &&
  (bytes.readUInt16BE(0) === 0xffd8 ||
    bytes.readUInt32BE(0) === 0x89504e47 ||
    bytes.toString("latin1", 0, 4) === "RIFF");

function send(response, status, value, headers = {}) {
  response.writeHead(status, {
    "Content-Type": "application/json",
    "Content-Security-Policy": POLICY,
    ...headers,
  });
  response.end(JSON.stringify(value));
}

function sendBytes(response, type, bytes, headers = {}) {
  response.writeHead(200, { "Content-Type": type, "Content-Security-Policy": POLICY, ...headers });
  response.end(bytes);
}

let located = 0;

async function locate(request, response, url) {
  const photos = photosOf(request, await body(request));
  located += 1;
  if (busy > 0 && located % busy === 0) {
    return send(response, 429, { error: "the queue is full" }, { "Retry-After": "1" });
  }
  await sleep(delay * photos.length);
  const posterior = url.searchParams.get("posterior") === "true";
  const answers = photos.map((it) =>
    readable(it)
      ? answer(it.name, cells, { posterior })
      : { photo: it.name, error: "not a photo: the file is not JPEG, PNG, WebP, TIFF, GIF, HEIC or AVIF" },
  );
  if (photos.length > 1) return send(response, 200, { photos: answers });
  return answers[0].error
    ? send(response, 422, { error: answers[0].error })
    : send(response, 200, answers[0]);
}

async function album(request, response, url) {
  const photos = photosOf(request, await body(request));
  response.writeHead(200, { "Content-Type": "text/event-stream", "Content-Security-Policy": POLICY });
  const event = (name, data) => response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  const next = random(photos.length);
  const stations = Array.from(
    { length: Math.max(1, Math.ceil(photos.length / 8)) },
    (_, i) => PLACES[(i * 2 + 1) % PLACES.length],
  );
  const results = [];
  for (const [index, it] of photos.entries()) {
    const centre = stations[Math.floor(index / 8)];
    const minutes = index * 40;
    const time = new Date(Date.UTC(2016, 4, 1, 9) + minutes * 60_000).toISOString().slice(0, 19);
    const confused = next() < 0.35;
    const alone = answer(it.name, cells, confused ? { sure: 0.3, posterior: true } : { centre, sure: 0.55, posterior: true });
    results.push({ photo: it.name, time, alone, album: answer(it.name, cells, { centre, sure: 0.8, posterior: true }) });
    event("progress", { done: index + 1, stage: "network" });
    await sleep(Math.min(delay, 10));
  }
  event("result", { scheme: url.searchParams.get("scheme") ?? "average", photos: results });
  response.end();
}

const REPORT = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Report</title>
<style>body{font:15px/1.5 system-ui;margin:2rem;max-width:44rem;color-scheme:light dark}td,th{padding:.3rem .8rem;text-align:right}</style>
<h1>Report of demo</h1><p>2,000 photos. The photos of the demo are synthetic.</p>
<table><tr><th>within<th>1 km<th>25 km<th>200 km<th>750 km<th>2500 km<tr><th>first answer<td>5.7<td>12.8<td>18.4<td>25.9<td>41.2</table></html>`;

async function matchRoute(request, response, url, parts) {
  if (parts.length === 0) return send(response, 200, matches.start(JSON.parse(await body(request))));
  const match = matches.find(parts[0]);
  if (!match) return send(response, 404, { error: "there is no such match", hint: "Start a new one." });
  const player = url.searchParams.get("player");
  if (parts[1] === "photo")
    return sendBytes(response, "image/png", picture(matches.photoSeed(match, parts[2], player), 640, 420));
  if (parts[1] === "guess") {
    const { status, body: answered } = matches.guess(match, JSON.parse(await body(request)));
    return send(response, status, answered);
  }
  if (parts[1] === "summary") return send(response, 200, matches.summary(match));
  if (parts[1] === "answers") return sendBytes(response, "application/x-ndjson", matches.answers(match));
  if (parts[1] === "predictions")
    return sendBytes(response, "text/csv; charset=utf-8", matches.predictions(match));
  return send(response, 200, matches.describe(match));
}

async function libraryRoute(request, response, url, parts) {
  if (!state.library) return send(response, 404, { error: "no library was given" });
  if (parts[0] === "photo") {
    const side = Number(url.searchParams.get("size") ?? 160);
    const small = picture(Number(parts[1]), side > 400 ? 640 : 120, side > 400 ? 480 : 90);
    return sendBytes(response, "image/png", small, { "Cache-Control": "max-age=3600" });
  }
  if (parts[0] === "decisions") {
    const { status, body: answered } = libraries.decide(library, JSON.parse(await body(request)));
    return send(response, status, answered);
  }
  if (parts[0] === "write")
    return send(response, 200, libraries.write(library, JSON.parse(await body(request))));
  const written = ({ known, decision, position, found }) =>
    known || decision === "rejected" ? null : (position ?? (found && { lat: found.lat, lng: found.lng }));
  return send(response, 200, {
    ...library,
    photos: library.photos.map((it) => ({ ...it, position: written(it) })),
  });
}

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css" };

function file(response, path) {
  try {
    const name = path === "/" ? "/index.html" : path;
    sendBytes(
      response,
      TYPES[extname(name)] ?? "application/octet-stream",
      readFileSync(at(`../dist${name}`)),
    );
  } catch {
    send(response, 404, { error: "there is no such page" });
  }
}

async function route(request, response) {
  const url = new URL(request.url, "http://mock");
  const parts = url.pathname.split("/").slice(1).map(decodeURIComponent);
  if (parts[0] !== "api") return file(response, url.pathname.replaceAll("..", ""));
  const [, subject, ...rest] = parts;
  const lasting = { "Cache-Control": "public, max-age=31536000, immutable" };
  if (subject === "state") return send(response, 200, state);
  if (subject === "land") return sendBytes(response, "application/octet-stream", outlines.land, lasting);
  if (subject === "cells") return sendBytes(response, "application/octet-stream", outlines.cells, lasting);
  if (subject === "locate") return locate(request, response, url);
  if (subject === "album") return album(request, response, url);
  if (subject === "library") return libraryRoute(request, response, url, rest);
  if (subject === "match") return matchRoute(request, response, url, rest);
  if (subject === "report")
    return sendBytes(response, "text/html; charset=utf-8", REPORT, {
      "Content-Security-Policy": REPORT_POLICY,
    });
  if (subject === "explain") {
    const [photo] = photosOf(request, await body(request));
    await sleep(delay * 20);
    return send(response, 200, explanation(photo.name));
  }
  return send(response, 404, { error: "there is no such address" });
}

const port = Number(setting("PORT", 8400));
const server = createServer((request, response) => {
  route(request, response).catch((error) => send(response, 500, { error: String(error) }));
});
server.listen(port, "127.0.0.1", () => console.error(`http://127.0.0.1:${server.address().port}`));
