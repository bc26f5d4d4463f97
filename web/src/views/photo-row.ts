import type { QueuedPhoto } from "../photos/queue.ts";
import { thumbnail } from "../photos/thumbnail.ts";
import { h } from "../ui/element.ts";
import { answerWords, kilometres, percent } from "../ui/format.ts";
import type { Row } from "../ui/list.ts";

export const ROW_HEIGHT = 68;

/** A photo in a list: its thumbnail, its name and its answer in one line. */
export function photoRow(photo: QueuedPhoto): Row {
  const { element, release } = thumbnail(photo.file, 72);
  const answer = h("div", { class: "photo-answer" });
  const more = h("div", { class: "photo-detail" });
  const row = h(
    "div",
    { class: "photo-row" },
    h("div", { class: "photo-thumbnail" }, element),
    h("div", { class: "photo-words" }, h("div", { class: "photo-name" }, photo.file.name), answer, more),
  );
  const update = () => {
    row.dataset["state"] = photo.state;
    answer.textContent = words(photo);
    more.textContent = detail(photo);
  };
  update();
  return { element: row, update, release };
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
  return `${percent(share)}${truth === undefined ? "" : ` · ${kilometres(truth)} from file’s position`}`;
}
