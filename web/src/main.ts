/**
 * The page of `planet serve`: TypeScript without a framework and without dependencies at run time.
 *
 *   api/     what the server is asked, one file a subject; request.ts has errors and the full queue (429)
 *   map/     the map: projection.ts, view.ts (which part is visible), outlines.ts (the server's binary
 *            outlines), shapes.ts (outlines projected once), paint.ts and marks.ts (drawing), canvas.ts
 *            (WorldMap, which ties them together), gestures.ts and keys.ts
 *   local/   a site without a server (planet serve --export-site): the photo's pixels as the command has them,
 *            the network in a worker, the answer; package.ts has what the site says of its model
 *   photos/  photos of the person at the page: dropped, sent a few at a time, shown small
 *   ui/      what views share: elements, the virtual list, words, notices
 *   views/   one file a view; a view is made when it is first opened, and kept
 *   style/   custom properties for light and dark, then one file a subject
 *
 * The server's policy (Content-Security-Policy) allows scripts, styles and requests of its own origin
 * only; styles that are computed are set through the CSSOM.
 */
import "./style/page.css";
import { serverState, type ServerState } from "./api/state.ts";
import { announce, announcer } from "./ui/announce.ts";
import { button, h } from "./ui/element.ts";
import { icon, type IconName } from "./ui/icons.ts";
import { errorNotice } from "./ui/notice.ts";
import { LocateView } from "./views/locate.ts";
import { AlbumView } from "./views/album.ts";
import { LibraryView } from "./views/library.ts";
import { MatchView } from "./views/match.ts";
import { CompareView } from "./views/compare.ts";
import type { MakeView, PageView } from "./views/view.ts";

const VIEWS: { id: string; name: string; icon: IconName; make: MakeView }[] = [
  { id: "locate", name: "Locate", icon: "locate", make: (state) => LocateView.make(state) },
  { id: "album", name: "Album", icon: "album", make: (state) => AlbumView.make(state) },
  { id: "library", name: "Library", icon: "library", make: (state) => LibraryView.make(state) },
  { id: "match", name: "Match", icon: "match", make: (state) => MatchView.make(state) },
  { id: "compare", name: "Compare", icon: "compare", make: (state) => CompareView.make(state) },
];

/** A site without a server has no other view. */
let views = VIEWS;
const made = new Map<string, PageView>();
const content = h("main", { id: "content", tabindex: "-1" });
let links: HTMLElement[] = [];

function open(state: ServerState): void {
  const id = location.hash.slice(1).split("/")[0];
  const index = Math.max(
    0,
    views.findIndex((it) => it.id === id),
  );
  const entry = views[index];
  if (!entry) return;
  let view = made.get(entry.id);
  const first = view === undefined;
  if (!view) {
    view = entry.make(state);
    made.set(entry.id, view);
    content.append(view.element);
  }
  for (const [key, it] of made) it.element.hidden = key !== entry.id;
  links.forEach((link, i) => {
    if (i === index) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  });
  document.title = `${entry.name} · PlaNet`;
  view.shown?.();
  if (!first) announce(entry.name);
}

function frame(state: ServerState): void {
  const { model } = state;
  const about = model
    ? h(
        "p",
        { class: "model", title: `${model.architecture}, ${model.classes} cells` },
        h("span", {}, "Model"),
        model.name,
      )
    : h("p", { class: "model" }, h("span", {}, "No model"));
  if (state.local) views = VIEWS.filter((it) => it.id === "locate");
  links = views.map((it) => h("a", { href: `#${it.id}` }, icon(it.icon), h("span", {}, it.name)));
  const skip = h("a", { class: "skip", href: "#content" }, "Skip to the content");
  skip.addEventListener("click", (event) => {
    event.preventDefault();
    content.focus();
  });
  document.body.replaceChildren(
    skip,
    h(
      "header",
      { class: "top" },
      h("a", { class: "brand", href: "#locate" }, icon("globe"), "PlaNet"),
      links.length > 1 && h("nav", { "aria-label": "Views" }, ...links),
      about,
    ),
    content,
    announcer,
  );
  addEventListener("hashchange", () => open(state));
  // A file that misses its target must not replace the page.
  for (const name of ["dragover", "drop"] as const) addEventListener(name, (event) => event.preventDefault());
  open(state);
}

async function start(): Promise<void> {
  try {
    const state = await serverState();
    // The server's token came with the address and is now a cookie: it need not be seen or copied.
    if (location.search) history.replaceState(null, "", `${location.pathname}${location.hash}`);
    frame(state);
  } catch (error) {
    const again = button({ class: "button button-primary", click: () => void start() }, "Try again");
    document.body.replaceChildren(
      h("main", { class: "alone" }, h("h1", {}, "PlaNet"), errorNotice(error, again)),
    );
  }
}

void start();
