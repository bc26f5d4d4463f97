import { h } from "./element.ts";

/** Rows beyond the visible part that are kept, in pixels. */
const MARGIN = 400;

/** The tops of rows of different heights: row i lies from tops[i] to tops[i + 1]. */
export function topsOf(heights: readonly number[]): Float64Array {
  const tops = new Float64Array(heights.length + 1);
  heights.forEach((height, index) => {
    tops[index + 1] = tops[index]! + height;
  });
  return tops;
}

/** The first row that ends below a height. */
export function rowAt(tops: Float64Array, height: number): number {
  let [low, high] = [0, Math.max(0, tops.length - 2)];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tops[middle + 1]! > height) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The rows from `first` up to `last` (excluded) that a window shows. */
export function visibleRows(tops: Float64Array, from: number, to: number): { first: number; last: number } {
  if (tops.length < 2) return { first: 0, last: 0 };
  return { first: rowAt(tops, from), last: Math.min(tops.length - 1, rowAt(tops, to) + 1) };
}

export interface Row {
  element: HTMLElement;
  /** Shows what has changed, without making the row anew. */
  update?: () => void;
  /** Releases what the row holds, when it leaves the screen. */
  release?: () => void;
}

export interface ListOptions {
  label: string;
  /** Down the page, or along a line. */
  direction?: "vertical" | "horizontal";
  class?: string;
  render: (index: number) => Row;
  /** The role of the rows' container and of its rows; a listbox by default. */
  roles?: [string, string];
}

/** A list that keeps only the rows on the screen in the document. */
export class VirtualList {
  readonly element: HTMLElement;
  private readonly space = h("div", { class: "list-space" });
  private tops = topsOf([]);
  private readonly rows = new Map<number, Row>();
  private readonly horizontal: boolean;
  private frame = 0;

  constructor(private readonly options: ListOptions) {
    this.horizontal = options.direction === "horizontal";
    const name = `list list-${options.direction ?? "vertical"} ${options.class ?? ""}`;
    this.element = h("div", { class: name.trim() }, this.space);
    const [role] = options.roles ?? ["listbox", "option"];
    this.space.setAttribute("role", role);
    this.space.setAttribute("aria-label", options.label);
    this.element.addEventListener("scroll", () => this.refresh(), { passive: true });
    new ResizeObserver(() => this.refresh()).observe(this.element);
  }

  /** Takes rows of these heights (or widths) in pixels, and draws them anew. */
  show(heights: readonly number[]): void {
    this.tops = topsOf(heights);
    const size = `${this.tops[heights.length] ?? 0}px`;
    if (this.horizontal) this.space.style.width = size;
    else this.space.style.height = size;
    if (this.options.roles?.[0] === "grid") this.space.setAttribute("aria-rowcount", String(heights.length));
    this.clear();
    this.update();
  }

  /** Shows what has changed in a row, if it is on the screen. */
  renew(index: number): void {
    const row = this.rows.get(index);
    if (!row) return;
    if (row.update) return row.update();
    const focused = row.element.contains(document.activeElement);
    const fresh = this.row(index);
    row.release?.();
    row.element.replaceWith(fresh.element);
    this.rows.set(index, fresh);
    if (focused) fresh.element.focus({ preventScroll: true });
  }

  /** Scrolls just so far that a row is visible. */
  reveal(index: number): void {
    const [top, bottom] = [this.tops[index] ?? 0, this.tops[index + 1] ?? 0];
    const size = this.horizontal ? this.element.clientWidth : this.element.clientHeight;
    const from = this.horizontal ? this.element.scrollLeft : this.element.scrollTop;
    const to = top < from ? top : bottom > from + size ? bottom - size : from;
    if (to === from) return;
    if (this.horizontal) this.element.scrollLeft = to;
    else this.element.scrollTop = to;
    this.update();
  }

  /** The row's element, if it is on the screen. */
  rowElement(index: number): HTMLElement | null {
    return this.rows.get(index)?.element ?? null;
  }

  private refresh(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.update();
    });
  }

  private update(): void {
    const size = this.horizontal ? this.element.clientWidth : this.element.clientHeight;
    const from = this.horizontal ? this.element.scrollLeft : this.element.scrollTop;
    const { first, last } = visibleRows(this.tops, from - MARGIN, from + size + MARGIN);
    for (const [index, row] of this.rows) {
      // The row that has the focus stays, so that the keyboard does not lose its place.
      if ((index >= first && index < last) || row.element.contains(document.activeElement)) continue;
      row.release?.();
      row.element.remove();
      this.rows.delete(index);
    }
    for (let index = first; index < last; index += 1) {
      if (this.rows.has(index)) continue;
      const row = this.row(index);
      this.rows.set(index, row);
      this.space.append(row.element);
    }
  }

  private row(index: number): Row {
    const row = this.options.render(index);
    const [, role] = this.options.roles ?? ["listbox", "option"];
    const { element } = row;
    element.classList.add("list-row");
    element.setAttribute("role", role);
    if (role === "row") {
      element.setAttribute("aria-rowindex", String(index + 1));
    } else {
      element.setAttribute("aria-posinset", String(index + 1));
      element.setAttribute("aria-setsize", String(this.tops.length - 1));
    }
    const [top, size] = [this.tops[index] ?? 0, (this.tops[index + 1] ?? 0) - (this.tops[index] ?? 0)];
    const { style } = element;
    if (this.horizontal) [style.left, style.width] = [`${top}px`, `${size}px`];
    else [style.top, style.height] = [`${top}px`, `${size}px`];
    return row;
  }

  private clear(): void {
    for (const row of this.rows.values()) {
      row.release?.();
      row.element.remove();
    }
    this.rows.clear();
  }
}
