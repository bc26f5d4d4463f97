import type { AlbumPhoto } from "../api/photos.ts";
import { distanceKm } from "../map/geodesic.ts";
import type { Line, Mark, Overlay } from "../map/marks.ts";
import { candidatesTable } from "../ui/candidates.ts";
import { button, h, scrollable } from "../ui/element.ts";
import { PhotoFigure } from "../ui/figure.ts";
import {
  answerWords,
  clockWords,
  dateWords,
  kilometres,
  percent,
  placeName,
  shortName,
} from "../ui/format.ts";

/** From this distance on, the album has changed a photo's place: the scale of a city. */
const CHANGED_KM = 25;

/** Whether the album says another place than the photo alone. */
export function changed({ alone, album }: AlbumPhoto): boolean {
  const [a, b] = [alone.predictions?.[0], album.predictions?.[0]];
  return a !== undefined && b !== undefined && distanceKm(a, b) > CHANGED_KM;
}

/** What the cells on the map show. */
export type Side = "album" | "alone";

/** One photo: what it says alone against what the album says. */
export class AlbumPanel {
  readonly element = h("aside", {
    class: "answer album-panel",
    "aria-label": "Photo of the album",
    tabindex: "0",
  });
  private readonly figure = new PhotoFigure();
  private readonly body = h("div", { class: "album-compare" });

  private readonly sides: Record<Side, HTMLButtonElement>;
  /** Whose cells are on the map. */
  side: Side = "album";

  /** `cells` is called when the cells of the other side are wanted. */
  constructor(cells: (side: Side) => void) {
    const choose = (side: Side, words: string) =>
      button(
        {
          click: () => {
            this.choose(side);
            cells(side);
          },
        },
        words,
      );
    this.sides = { album: choose("album", "In the album"), alone: choose("alone", "Alone") };
    this.choose("album");
    const group = h(
      "div",
      { class: "album-sides", role: "group", "aria-label": "Cells on the map" },
      h("span", { class: "hint", "aria-hidden": "true" }, "Cells on the map"),
      this.sides.album,
      this.sides.alone,
    );
    this.element.append(this.figure.element, group, this.body);
  }

  private choose(side: Side): void {
    this.side = side;
    for (const [name, it] of Object.entries(this.sides)) it.setAttribute("aria-pressed", String(name === side));
  }

  show(photo: AlbumPhoto, file: File | null): void {
    if (file) this.figure.showFile(file);
    const [first, together] = [photo.alone.predictions?.[0], photo.album.predictions?.[0]];
    const moved = first && together ? distanceKm(first, together) : 0;
    this.body.replaceChildren(
      h(
        "p",
        { class: "hint" },
        `${photo.photo} · ${photo.time ? `${dateWords(photo.time)}, ${clockWords(photo.time)}` : "without a time"}`,
      ),
      h(
        "p",
        { class: "headline" },
        changed(photo) ? `The album moves it ${kilometres(moved)}` : "Alone and in the album: the same place",
      ),
      side("In the album", "accent", photo.album),
      side("Alone", "muted", photo.alone),
    );
  }
}

function side(title: string, tone: string, answer: AlbumPhoto["alone"]): HTMLElement {
  const short = { ...answer, predictions: answer.predictions?.slice(0, 3) ?? [] };
  return h(
    "section",
    { class: `album-side album-side-${tone}` },
    h("h2", {}, h("span", { class: `album-key album-key-${tone}`, "aria-hidden": "true" }), title),
    h("p", { class: "hint" }, answerWords(answer)),
    candidatesTable(short, `Candidates: ${title.toLowerCase()}`),
  );
}

/** The album's way over the map, and for one photo the candidates of both kinds. */
export function albumOverlay(photos: readonly AlbumPhoto[], current: number): Overlay {
  const places = photos.map((it) => it.album.predictions?.[0] ?? null);
  const lines: Line[] = [];
  const marks: Mark[] = [];
  places.forEach((place, index) => {
    const next = places[index + 1];
    if (place && next && distanceKm(place, next) > 1) lines.push({ from: place, to: next, tone: "muted" });
    if (place) marks.push({ at: place, shape: "dot", tone: "muted", size: 3.5 });
  });
  const photo = photos[current];
  if (!photo) return { lines, marks };
  const alone = photo.alone.predictions?.slice(0, 3) ?? [];
  const [first] = alone;
  const together = photo.album.predictions?.[0];
  if (first && together && changed(photo))
    lines.push({ from: first, to: together, tone: "accent", dashed: true });
  alone.forEach((it, index) => {
    marks.push({
      at: it,
      shape: "ring",
      tone: "muted",
      size: 10 - 2.5 * index,
      ...(index === 0 && changed(photo) ? { label: `alone: ${shortName(it)}` } : {}),
    });
  });
  if (together)
    marks.push({ at: together, shape: "dot", tone: "accent", size: 8, label: shortName(together) });
  if (photo.alone.truth)
    marks.push({
      at: photo.alone.truth,
      shape: "star",
      tone: "truth",
      size: 7,
      label: "position in the file",
    });
  return { lines, marks };
}

/** All photos in words. */
export function albumTable(photos: readonly AlbumPhoto[]): HTMLElement {
  const cell = (answer: AlbumPhoto["alone"]) => {
    const best = answer.predictions?.[0];
    return best ? `${placeName(best.place, best)}, ${percent(best.probability)}` : "No answer";
  };
  const body = h("tbody", {});
  const details = h(
    "details",
    { class: "card" },
    h("summary", {}, "All photos as a table"),
    scrollable(
      "Photos of the album",
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            ...["Photo", "Time", "Alone", "In the album", "Moved"].map((it) => h("th", { scope: "col" }, it)),
          ),
        ),
        body,
      ),
    ),
  );
  // A thousand rows are made only when somebody looks at them.
  details.addEventListener("toggle", () => {
    if (body.childElementCount > 0) return;
    for (const it of photos) {
      const [a, b] = [it.alone.predictions?.[0], it.album.predictions?.[0]];
      body.append(
        h(
          "tr",
          {},
          h("th", { scope: "row" }, it.photo),
          h("td", {}, it.time?.replace("T", " ") ?? ""),
          h("td", {}, cell(it.alone)),
          h("td", {}, cell(it.album)),
          h("td", { class: "number" }, a && b ? kilometres(distanceKm(a, b)) : ""),
        ),
      );
    }
  });
  return details;
}
