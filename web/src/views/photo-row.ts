import type { QueuedPhoto } from "../photos/queue.ts";
import { thumbnail } from "../photos/thumbnail.ts";
import { h } from "../ui/element.ts";
import { answerWords, kilometres, percent } from "../ui/format.ts";
import type { Row } from "../ui/list.ts";

export const ROW_HEIGHT = 68;

/** A photo in a list: its thumbnail, its name and its answer in one line. */
export function photoRow(photo: QueuedPhoto, chosen: boolean): Row {
  const { element, release } = thumbnail(photo.file, 72);
  const row = h(
    "div",
    { class: `photo-row photo-${photo.state}` },
    h("div", { class: "photo-thumbnail" }, element),
    h(
      "div",
      { class: "photo-words" },
      h("div", { class: "photo-name" }, photo.file.name),
      h("div", { class: "photo-answer" }, words(photo)),
      h("div", { class: "photo-detail" }, detail(photo)),
    ),
  );
  row.classList.toggle("chosen", chosen);
  return { element: row, release };
}

function words(photo: QueuedPhoto): string {
  if (photo.failure) return photo.failure;
  if (photo.answer) return answerWords(photo.answer);
  return photo.state === "sent" ? "Being located …" : "Waiting";
}

function detail({ answer }: QueuedPhoto): string {
  const best = answer?.predictions?.[0];
  if (!answer || !best) return "";
  const certain = answer.certain;
  const share = certain && certain.level !== "unknown" ? certain.probability : best.probability;
  const truth = answer.truth?.distance_km;
  return `${percent(share)}${truth === undefined ? "" : ` · ${kilometres(truth)} from the file's position`}`;
}
