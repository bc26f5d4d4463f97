import { h } from "../ui/element.ts";
import { percent } from "../ui/format.ts";
import { css, LEAST_SHARE, ramp } from "./colour.ts";

/** The legend of the probabilities' logarithmic scale. */
export class Legend {
  readonly element: HTMLElement;
  private readonly bar = h("div", { class: "legend-bar" });
  private readonly ticks = h("div", { class: "legend-ticks" });

  constructor() {
    this.element = h(
      "div",
      { class: "legend", role: "img" },
      h("div", { class: "legend-title" }, "Probability per cell (log scale)"),
      this.bar,
      this.ticks,
    );
    this.paint();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
    this.show(null);
  }

  /** Shows the scale up to the greatest probability; nothing without one. */
  show(greatest: number | null): void {
    this.element.hidden = greatest === null;
    if (greatest === null) return;
    const numbers = [LEAST_SHARE, LEAST_SHARE ** (2 / 3), LEAST_SHARE ** (1 / 3), 1].map((share) =>
      percent(share * greatest),
    );
    this.ticks.replaceChildren(...numbers.map((it) => h("span", {}, it)));
    this.element.setAttribute(
      "aria-label",
      `Colours from ${numbers[0] ?? ""} to ${numbers[3] ?? ""} probability per cell, on a logarithmic scale`,
    );
  }

  private paint(): void {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    this.bar.style.background = `linear-gradient(to right, ${ramp(dark).map(css).join(", ")})`;
  }
}
