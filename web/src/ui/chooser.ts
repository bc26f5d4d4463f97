import { VirtualList, type ListOptions, type Row } from "./list.ts";

export interface ChooserOptions extends ListOptions {
  /** Called when another row becomes the current one. */
  choose: (index: number) => void;
  /** Rows that cannot be chosen, such as headings. */
  heading?: (index: number) => boolean;
}

/** A virtual list with one current row, moved by arrow keys, Home, End, Page Up, Page Down or a click. */
export class Chooser {
  readonly list: VirtualList;
  private current = -1;
  private count = 0;

  constructor(private readonly options: ChooserOptions) {
    this.list = new VirtualList({
      ...options,
      render: (index) => this.render(index),
    });
    this.list.element.addEventListener("keydown", (event) => this.key(event));
  }

  get element(): HTMLElement {
    return this.list.element;
  }

  get index(): number {
    return this.current;
  }

  show(sizes: readonly number[], current = -1): void {
    this.count = sizes.length;
    this.current = current;
    this.list.show(sizes);
    if (current >= 0) this.list.reveal(current);
  }

  /** Makes a row the current one without calling `choose`. */
  mark(index: number, focus = false): void {
    const before = this.current;
    this.current = index;
    this.paint(before);
    this.list.reveal(index);
    this.paint(index);
    // Until a row is chosen, the first one can be reached by Tab.
    if (before < 0) this.paint(this.beside(-1, 1));
    if (focus) this.focus();
  }

  /** Moves the focus to the current row. */
  focus(): void {
    this.list.rowElement(this.current)?.focus({ preventScroll: true });
  }

  /** The next row that can be chosen in a direction, or the same one at the end. */
  beside(index: number, step: number): number {
    const heading = this.options.heading ?? (() => false);
    for (let next = index + step; next >= 0 && next < this.count; next += Math.sign(step)) {
      if (!heading(next)) return next;
    }
    return index;
  }

  private render(index: number): Row {
    const row = this.options.render(index);
    if (this.options.heading?.(index)) return row;
    this.paint(index, row.element);
    row.element.addEventListener("click", () => this.take(index));
    return row;
  }

  private paint(index: number, element = this.list.rowElement(index)): void {
    if (!element || this.options.heading?.(index)) return;
    const chosen = index === this.current;
    const first = this.current < 0 && index === this.beside(-1, 1);
    element.tabIndex = chosen || first ? 0 : -1;
    element.setAttribute("aria-selected", String(chosen));
    element.classList.toggle("chosen", chosen);
  }

  private take(index: number): void {
    if (index === this.current) return;
    this.mark(index, true);
    this.options.choose(index);
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const across = this.options.direction === "horizontal";
    const steps: Record<string, number | undefined> = {
      [across ? "ArrowLeft" : "ArrowUp"]: -1,
      [across ? "ArrowRight" : "ArrowDown"]: 1,
      PageUp: -10,
      PageDown: 10,
    };
    const step = steps[event.key];
    let next: number;
    if (step !== undefined) {
      const far = Math.max(0, Math.min(this.count - 1, this.current + step - Math.sign(step)));
      next = this.beside(Math.abs(step) === 1 ? this.current : far, Math.sign(step));
    } else if (event.key === "Home") next = this.beside(-1, 1);
    else if (event.key === "End") next = this.beside(this.count, -1);
    else if (event.key === "Enter" || event.key === " ") next = Math.max(0, this.current);
    else return;
    event.preventDefault();
    this.take(next);
  }
}
