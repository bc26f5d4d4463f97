import { svg } from "./element.ts";

/** Line drawings on a grid of 24 units. */
const PATHS = {
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  globe: "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M3 12h18M12 3c3.2 3 3.2 15 0 18M12 3c-3.2 3-3.2 15 0 18",
  locate:
    "M12 21s-6.5-6-6.5-11a6.5 6.5 0 0 1 13 0c0 5-6.5 11-6.5 11M12 7.8a2.2 2.2 0 1 0 0 4.4a2.2 2.2 0 0 0 0-4.4",
  album: "M4 7h12v12H4zM8 7V4h12v12h-4M4 15l3.5-3.5L11 15l2-2 3 3",
  library: "M4 4h6v7H4zM14 4h6v7h-6zM4 14h6v6H4zM14 17l2.3 2.5L21 14",
  match: "M6 21V4M6 4.5h11l-2.5 4 2.5 4H6",
  compare: "M4 20h16M7 17V9M12 17V4M17 17v-6",
  photo: "M4 5h16v14H4zM4 16l4.5-4.5L13 16l2.5-2.5L20 18M15.5 8a1.2 1.2 0 1 0 0 2.4a1.2 1.2 0 0 0 0-2.4",
  folder: "M3 6h6l2 2.5h10V19H3z",
  upload: "M12 15V4M7.5 8.5L12 4l4.5 4.5M4 15v5h16v-5",
  download: "M12 4v11M7.5 10.5L12 15l4.5-4.5M4 15v5h16v-5",
  warning: "M12 4L2.5 20h19zM12 10v5M12 17.2v.3",
  check: "M4.5 12.5l5 5L20 7",
  cross: "M6 6l12 12M18 6L6 18",
  undo: "M4 9h10a5.5 5.5 0 0 1 0 11H9M4 9l4.5-4.5M4 9l4.5 4.5",
  pin: "M12 21v-7M12 3a5.5 5.5 0 1 0 0 11a5.5 5.5 0 0 0 0-11",
  eye: "M2.5 12S6 5.5 12 5.5S21.5 12 21.5 12S18 18.5 12 18.5S2.5 12 2.5 12M12 9.2a2.8 2.8 0 1 0 0 5.6a2.8 2.8 0 0 0 0-5.6",
  next: "M5 12h14M13 6l6 6-6 6",
} as const;

export type IconName = keyof typeof PATHS;

export function icon(name: IconName): SVGElement {
  return svg(
    "svg",
    { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" },
    svg("path", { d: PATHS[name] }),
  );
}
