import type { AlbumPhoto } from "../api/photos.ts";
import { thumbnail } from "../photos/thumbnail.ts";
import { h } from "../ui/element.ts";
import { clockWords, dateWords, shortName } from "../ui/format.ts";
import type { Row } from "../ui/list.ts";
import { changed } from "./album-panel.ts";

export const STRIP_WIDTH = 132;

/** A photo of the strip: its thumbnail and time; below, what it says alone and what the album says. */
export function stripPhoto(photo: AlbumPhoto | null, file: File | null): Row {
  const small = file ? thumbnail(file, 160) : null;
  const row = h(
    "div",
    { class: "strip-photo" },
    h("div", { class: "strip-thumbnail" }, small?.element),
    ...(photo ? words(photo) : [h("div", { class: "strip-time" }, file?.name ?? "")]),
  );
  if (photo && changed(photo)) row.classList.add("strip-changed");
  return { element: row, release: () => small?.release() };
}

function words({ photo, time, alone, album }: AlbumPhoto): HTMLElement[] {
  const [first, together] = [alone.predictions?.[0], album.predictions?.[0]];
  return [
    h(
      "div",
      { class: "strip-time", title: photo },
      time ? `${dateWords(time).replace(/ \d{4}$/, "")}, ${clockWords(time)}` : "Without a time",
    ),
    h("div", { class: "strip-album" }, together ? shortName(together) : "No answer"),
    h("div", { class: "strip-alone" }, first ? `alone: ${shortName(first)}` : "alone: no answer"),
  ];
}
