import { button, h } from "../ui/element.ts";
import { icon } from "../ui/icons.ts";
import type { WorldMap } from "./canvas.ts";
import { PROJECTIONS } from "./projection.ts";

/** Buttons over the map: zoom, the whole world, and the projection. */
export function mapControls(map: WorldMap): HTMLElement {
  const choice = h(
    "select",
    { class: "map-projection", "aria-label": "Projection of the map" },
    ...PROJECTIONS.map((it) => h("option", { value: it.id }, it.name)),
  );
  choice.value = map.view.projection.id;
  choice.addEventListener("change", () => {
    const chosen = PROJECTIONS.find((it) => it.id === choice.value);
    if (chosen) map.project(chosen);
  });
  return h(
    "div",
    { class: "map-controls" },
    h(
      "div",
      { class: "map-buttons" },
      button({ label: "Zoom in", class: "map-button", click: () => map.zoomBy(1.6) }, icon("plus")),
      button({ label: "Zoom out", class: "map-button", click: () => map.zoomBy(1 / 1.6) }, icon("minus")),
      button(
        { label: "Show the whole world", class: "map-button", click: () => map.showWorld() },
        icon("globe"),
      ),
    ),
    choice,
  );
}
