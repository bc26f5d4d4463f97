import { h } from "./element.ts";

const region = h("div", { class: "unseen", "aria-live": "polite", role: "status" });

/** Where announcements are made; it belongs into the page once. */
export const announcer = region;

/** Says something to those who do not see the page. */
export function announce(words: string): void {
  region.textContent = "";
  // A region whose text does not change is not read again.
  setTimeout(() => (region.textContent = words), 60);
}
