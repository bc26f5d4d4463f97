import { libraryPhotoUrl, type Decision, type LibraryPhoto } from "../api/library.ts";
import { button, h } from "../ui/element.ts";
import { clockWords, coordinates, dateWords, fileName, kilometres, percent, plural } from "../ui/format.ts";
import { icon, type IconName } from "../ui/icons.ts";
import type { Row } from "../ui/list.ts";

export const HEADING_HEIGHT = 64;
export const PHOTO_HEIGHT = 76;

/** Which photos the list shows. */
export type Filter = "open" | "accepted" | "corrected" | "rejected" | "all";

export const FILTERS: [Filter, string][] = [
  ["open", "To review"],
  ["accepted", "Accepted"],
  ["corrected", "Corrected"],
  ["rejected", "Rejected"],
  ["all", "All"],
];

export type LibraryRow =
  { kind: "heading"; day: string; place: string; ids: number[] } | { kind: "photo"; id: number };

const shows = (filter: Filter, photo: LibraryPhoto): boolean =>
  filter === "all" || (photo.decision === filter && (filter !== "open" || photo.found !== null));

/** The photos by day and place, each group under a heading. */
export function libraryRows(photos: readonly LibraryPhoto[], filter: Filter): LibraryRow[] {
  const rows: LibraryRow[] = [];
  let heading: Extract<LibraryRow, { kind: "heading" }> | null = null;
  for (const photo of photos) {
    if (!shows(filter, photo)) continue;
    const day = dateWords(photo.time);
    // Photos with a position of their own belong to the place around them.
    const place: string = photo.found?.name ?? (heading?.day === day ? heading.place : "");
    const joins: boolean = heading?.day === day && (heading.place === place || heading.place === "");
    if (!heading || !joins) {
      heading = { kind: "heading", day, place, ids: [] };
      rows.push(heading);
    }
    if (heading.place === "") heading.place = place;
    heading.ids.push(photo.id);
    rows.push({ kind: "photo", id: photo.id });
  }
  return rows;
}

const DECISIONS: Record<Decision, [IconName, string]> = {
  open: ["eye", "To review"],
  accepted: ["check", "Accepted"],
  rejected: ["cross", "Rejected"],
  corrected: ["pin", "Corrected"],
};

export function decisionBadge(photo: LibraryPhoto): HTMLElement {
  if (photo.known) return h("span", { class: "badge" }, "Position in the file");
  if (!photo.found && photo.decision === "open") return h("span", { class: "badge" }, "Not found");
  const [name, words] = DECISIONS[photo.decision];
  return h("span", { class: `badge badge-${photo.decision}` }, icon(name), words);
}

export function headingRow(
  row: Extract<LibraryRow, { kind: "heading" }>,
  open: number,
  accept: () => void,
): Row {
  const element = h(
    "div",
    { class: "library-heading" },
    h(
      "div",
      { role: "gridcell" },
      h("h2", {}, row.day),
      h("p", {}, `${row.place === "" ? "" : `${row.place} · `}${plural(row.ids.length, "photo")}`),
    ),
    open > 0 &&
      h(
        "div",
        { role: "gridcell" },
        button(
          {
            class: "button",
            label: `Accept ${plural(open, "photo")} of ${row.day}, ${row.place}`,
            click: accept,
          },
          `Accept ${open}`,
        ),
      ),
  );
  return { element };
}

/** Thumbnails that were shown last: an image that is used again does not flicker. */
const images = new Map<number, HTMLImageElement>();
const KEPT_IMAGES = 100;

function thumbnailOf(id: number): HTMLImageElement {
  const image =
    images.get(id) ??
    h("img", { src: libraryPhotoUrl(id, 160), alt: "", decoding: "async", width: "56", height: "56" });
  images.delete(id);
  images.set(id, image);
  const [oldest] = images.keys();
  if (images.size > KEPT_IMAGES && oldest !== undefined) images.delete(oldest);
  return image;
}

export function photoRow(photo: LibraryPhoto): Row {
  const { found } = photo;
  const words = found
    ? `${kilometres(found.radius_km)} around ${found.name || coordinates(found, 2)} · ${percent(found.probability)}`
    : photo.known
      ? coordinates(photo.known, 3)
      : "No position found";
  const element = h(
    "div",
    { class: `library-photo is-${photo.decision}` },
    thumbnailOf(photo.id),
    h(
      "div",
      { class: "photo-words", role: "gridcell" },
      h(
        "div",
        { class: "photo-name" },
        [clockWords(photo.time), fileName(photo.photo)].filter((it) => it !== "").join(" · "),
      ),
      h("div", { class: "library-found" }, words),
      decisionBadge(photo),
    ),
  );
  return { element };
}
