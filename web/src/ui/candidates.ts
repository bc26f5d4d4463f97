import type { Answer } from "../api/photos.ts";
import { h } from "./element.ts";
import { coordinates, kilometres, percent, placeName } from "./format.ts";

/** The candidates of an answer as a table: the words beside the map. */
export function candidatesTable(answer: Answer, caption: string): HTMLElement {
  const greatest = answer.predictions?.[0]?.probability ?? 1;
  const rows = (answer.predictions ?? []).map((candidate, index) => {
    const bar = h("span", { class: "bar", "aria-hidden": "true" });
    bar.style.width = `${Math.max(2, (100 * candidate.probability) / greatest)}%`;
    return h(
      "tr",
      {},
      h("td", { class: "rank" }, String(index + 1)),
      h(
        "th",
        { scope: "row" },
        h("span", { class: "place" }, placeName(candidate.place, candidate)),
        h(
          "span",
          { class: "detail" },
          `${coordinates(candidate, 2)} ±\u00a0${kilometres(candidate.radius_km)}`,
        ),
      ),
      h(
        "td",
        { class: "probability" },
        percent(candidate.probability),
        h("span", { class: "bar-track", "aria-hidden": "true" }, bar),
      ),
    );
  });
  return h(
    "table",
    { class: "candidates" },
    h("caption", { class: "unseen" }, caption),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "col" }, h("span", { class: "unseen" }, "Rank")),
        h("th", { scope: "col" }, "Place"),
        h("th", { scope: "col", class: "probability" }, "Probability"),
      ),
    ),
    h("tbody", {}, ...rows),
  );
}
