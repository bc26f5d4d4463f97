import { libraryPhotoUrl, type LibraryPhoto } from "../api/library.ts";
import type { LatLng } from "../api/photos.ts";
import { distanceKm } from "../map/geodesic.ts";
import type { Mark, Overlay } from "../map/marks.ts";
import { button, h } from "../ui/element.ts";
import { PhotoFigure } from "../ui/figure.ts";
import { clockWords, coordinates, dateWords, kilometres, percent } from "../ui/format.ts";
import { icon } from "../ui/icons.ts";
import { decisionBadge } from "./library-rows.ts";

export interface LibraryActions {
  accept: () => void;
  reject: () => void;
  correct: () => void;
  undo: () => void;
}

/** One photo of the library: what was found, the evidence for it, and the decision. */
export class LibraryDetail {
  readonly element: HTMLElement;
  private readonly figure = new PhotoFigure();
  private readonly body = h("div", { class: "library-words" });
  private readonly buttons: Record<keyof LibraryActions, HTMLButtonElement>;

  constructor(actions: LibraryActions) {
    this.buttons = {
      accept: button(
        { class: "button button-primary", key: "A", click: actions.accept },
        icon("check"),
        "Accept",
      ),
      reject: button({ class: "button", key: "R", click: actions.reject }, icon("cross"), "Reject"),
      correct: button({ class: "button", key: "C", click: actions.correct }, icon("pin"), "Correct"),
      undo: button({ class: "button", key: "U", click: actions.undo }, icon("undo"), "Undo"),
    };
    this.element = h(
      "aside",
      { class: "answer library-detail", "aria-label": "Photo of the library" },
      this.figure.element,
      this.body,
      h(
        "p",
        { class: "hint library-keys" },
        "Keys: A accept, R reject, C correct, U undo, ↑ ↓ other photos, G accept the group",
      ),
      h("div", { class: "library-actions" }, ...Object.values(this.buttons)),
    );
  }

  show(photo: LibraryPhoto | null, canUndo: boolean, correcting: boolean): void {
    const settable = photo !== null && photo.known === null;
    this.buttons.accept.disabled = !settable || !photo.found;
    this.buttons.reject.disabled = !settable || !photo.found;
    this.buttons.correct.disabled = !settable;
    this.buttons.correct.setAttribute("aria-pressed", String(correcting));
    this.buttons.undo.disabled = !canUndo;
    this.figure.element.hidden = photo === null;
    if (!photo) return this.body.replaceChildren(h("p", { class: "hint" }, "No photo is chosen."));
    this.figure.showUrl(libraryPhotoUrl(photo.id, 800), `Photo ${photo.photo}`);
    this.body.replaceChildren(
      h("p", { class: "hint library-path" }, photo.photo),
      h(
        "p",
        { class: "hint" },
        [dateWords(photo.time), clockWords(photo.time)].filter((it) => it !== "").join(", "),
      ),
      h("p", { class: "headline" }, headline(photo)),
      h("p", { class: "library-state" }, decisionBadge(photo)),
      ...evidence(photo),
    );
  }
}

function headline({ known, found, position }: LibraryPhoto): string {
  if (known) return "The file has a position";
  if (position) return `Corrected to ${coordinates(position, 3)}`;
  if (!found) return "No position was found";
  return `Within ${kilometres(found.radius_km)} of ${found.name || coordinates(found, 2)}`;
}

function evidence({ known, found, evidence, position }: LibraryPhoto): HTMLElement[] {
  if (known) return [h("p", { class: "hint" }, coordinates(known))];
  if (!found)
    return [
      h(
        "p",
        { class: "hint" },
        "Nothing is known about it. A click on the map after “Correct” sets its position.",
      ),
    ];
  return [
    h(
      "p",
      { class: "hint" },
      `with a probability of ${percent(found.probability)}${position ? `; corrected by ${kilometres(distanceKm(found, position))}` : ""}`,
    ),
    ...(evidence.length > 0
      ? [
          h("h2", {}, "Evidence"),
          h("ul", { class: "library-evidence" }, ...evidence.map((it) => h("li", {}, it))),
        ]
      : []),
  ];
}

/** A photo of the library on the map, with the known positions of the photos around it. */
export function libraryOverlay(
  photos: readonly LibraryPhoto[],
  current: LibraryPhoto,
  setting: LatLng | null,
): Overlay {
  const marks: Mark[] = neighbours(photos, current.id).map((at): Mark => ({
    at,
    shape: "dot",
    tone: "muted",
    size: 4,
  }));
  const { found, known, position, decision } = current;
  const rejected = decision === "rejected";
  if (known) marks.push({ at: known, shape: "star", tone: "truth", size: 8, label: "position in the file" });
  if (found) {
    marks.push({
      at: found,
      shape: rejected || position ? "ring" : "dot",
      tone: rejected ? "muted" : "accent",
      size: 7,
      label: rejected ? "rejected" : found.name,
    });
  }
  const set = setting ?? position;
  if (set)
    marks.push({
      at: set,
      shape: "star",
      tone: "truth",
      size: 8,
      label: setting ? "new position" : "corrected",
    });
  return {
    marks,
    circles: found && !rejected && !set ? [{ at: found, km: found.radius_km, tone: "accent" }] : [],
    lines: found && set ? [{ from: found, to: set, tone: "truth", dashed: true }] : [],
  };
}

/** Known positions of the photos before and after, as far as they are on the list of times. */
export function neighbours(photos: readonly LibraryPhoto[], id: number, reach = 12): LatLng[] {
  return photos
    .slice(Math.max(0, id - reach), id + reach + 1)
    .flatMap((it) => (it.known && it.time ? [it.known] : []));
}
