type Child = Node | string | null | undefined | false;

/** An element of HTML. Attributes are set as they are; the page's policy forbids `style` among them. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | boolean | undefined> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? "" : value);
  }
  element.append(
    ...children.filter((it): it is Node | string => it !== null && it !== undefined && it !== false),
  );
  return element;
}

/** An element of SVG. */
export function svg(
  tag: string,
  attributes: Record<string, string | number> = {},
  ...children: Node[]
): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** Wide content, such as a table, that is scrolled on its own; by keyboard too. */
export function scrollable(label: string, ...children: Child[]): HTMLElement {
  return h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": label }, ...children);
}

/** Whether fingers point here: keys need not be explained then. */
export const byTouch = (): boolean => matchMedia("(pointer: coarse)").matches;

export interface ButtonOptions {
  class?: string;
  /** Words for a button that shows only an icon; they are its tooltip too. */
  label?: string;
  /** The key that does the same, shown in the tooltip. */
  key?: string;
  click: (event: MouseEvent) => void;
}

export function button(options: ButtonOptions, ...children: Child[]): HTMLButtonElement {
  const element = h("button", { type: "button", class: options.class ?? "button" }, ...children);
  if (options.label !== undefined) {
    element.setAttribute("aria-label", options.label);
    element.title = options.key === undefined ? options.label : `${options.label} (${options.key})`;
  } else if (options.key !== undefined) {
    element.title = `Key: ${options.key}`;
  }
  if (options.key !== undefined) element.setAttribute("aria-keyshortcuts", options.key);
  element.addEventListener("click", options.click);
  return element;
}
