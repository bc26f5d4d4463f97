import type { Explanation } from "../api/photos.ts";
import { h } from "./element.ts";

/** A photo at full size with, if wanted, the map of what its answer rests on. */
export class PhotoFigure {
  readonly element: HTMLElement;
  private readonly image = h("img", { class: "figure-photo", alt: "" });
  private readonly heat = h("canvas", { class: "figure-heat", "aria-hidden": "true" });
  private url: string | null = null;

  constructor() {
    this.element = h("div", { class: "figure" }, this.image, this.heat);
    this.heat.hidden = true;
    this.image.addEventListener("error", () => this.element.classList.add("figure-none"));
    this.image.addEventListener("load", () => this.element.classList.remove("figure-none"));
  }

  showFile(file: File): void {
    this.release();
    this.url = URL.createObjectURL(file);
    this.image.src = this.url;
    this.image.alt = `Photo ${file.name}`;
    this.clearHeat();
  }

  showUrl(url: string, alt: string): void {
    if (this.image.getAttribute("src") === url) return;
    this.release();
    this.image.src = url;
    this.image.alt = alt;
    this.clearHeat();
  }

  release(): void {
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = null;
  }

  clearHeat(): void {
    this.heat.hidden = true;
  }

  /** Darkens what does not matter: light parts lower the probability most when they are hidden. */
  showHeat({ values, rows, columns, probability }: Explanation): void {
    this.heat.width = columns;
    this.heat.height = rows;
    const context = this.heat.getContext("2d");
    if (!context) return;
    const drops = values.flat().map((it) => Math.max(0, probability - it));
    const greatest = Math.max(...drops, 1e-9);
    const pixels = context.createImageData(columns, rows);
    drops.forEach((drop, index) => {
      const share = drop / greatest;
      pixels.data.set([12, 14, 20, Math.round(215 * (1 - share) ** 1.2)], 4 * index);
    });
    context.putImageData(pixels, 0, 0);
    this.heat.hidden = false;
  }
}
