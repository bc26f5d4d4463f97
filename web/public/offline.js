// Keeps all files of the site, so that it works without a network. planet serve --export-site writes SITE, the
// version and the files, before the first line: another version is another worker, which the browser notices.

const PREFIX = `planet ${self.registration.scope} `;
const KEPT = PREFIX + SITE.version;

self.addEventListener("install", (event) => {
  const files = SITE.files.map((path) => new Request(path, { cache: "reload" }));
  event.waitUntil(
    caches
      .open(KEPT)
      .then((kept) => kept.addAll(files))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  const old = (names) => names.filter((name) => name.startsWith(PREFIX) && name !== KEPT);
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(old(names).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  // Nothing of this site asks elsewhere; should anything, it gets no answer.
  if (url.origin !== self.location.origin) return event.respondWith(Response.error());
  if (request.method !== "GET") return;
  event.respondWith(
    caches
      .open(KEPT)
      .then((kept) => kept.match(request.mode === "navigate" ? "./" : url.href, { ignoreSearch: true }))
      .then((found) => found ?? fetch(request)),
  );
});
