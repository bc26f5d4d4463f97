import { css, ramp, STEPS, stepOf } from "./colour.ts";
import { radians } from "./geodesic.ts";
import { drawMarks, drawWays, type Colours, type Overlay } from "./marks.ts";
import type { Raster } from "./raster.ts";
import type { Shapes } from "./shapes.ts";
import type { View } from "./view.ts";
import type { Posterior } from "../api/photos.ts";

/** Colours of the earth. */
export interface Theme {
  dark: boolean;
  sea: string;
  land: string;
  coast: string;
  grid: string;
  cell: string;
  marks: Colours;
}

/** What is on the map. */
export interface Scene {
  land: Shapes | null;
  cells: Shapes | null;
  /** Classes in the order of the colours' steps. */
  steps: number[][];
  overlay: Overlay;
  raster: Raster;
}

/** The classes of each colour's step; those that are too improbable are left out. */
export function stepsOf(posterior: Posterior | null): number[][] {
  const steps: number[][] = Array.from({ length: STEPS }, () => []);
  const greatest = posterior?.probabilities.reduce((a, b) => Math.max(a, b), 0) ?? 0;
  posterior?.classes.forEach((c, index) => {
    steps[stepOf(posterior.probabilities[index] ?? 0, greatest)]?.push(c);
  });
  return steps;
}

/** From so many cells on the screen on, they are drawn as pixels. */
const MANY = 700;
/** Cells that are smaller than this have no outline, in pixels. */
const LEAST_OUTLINE = 7;

/** The border of a world that has one; otherwise the whole canvas. */
function worldBorder(context: CanvasRenderingContext2D, view: View): void {
  const { projection, scale, centreX, centreY } = view;
  context.beginPath();
  if (!projection.bordered) {
    context.rect(0, 0, view.width, view.height);
    return;
  }
  const steps = 60;
  for (const side of [1, -1]) {
    for (let step = 0; step <= steps; step += 1) {
      const lat = side * projection.maxLat * (1 - (2 * step) / steps);
      const x = centreX + side * Math.PI * projection.width(lat) * scale;
      const y = centreY - (projection.height(lat) - view.y) * scale;
      if (side === 1 && step === 0) context.moveTo(x, y);
      else context.lineTo(x, y);
    }
  }
  context.closePath();
}

function graticule(context: CanvasRenderingContext2D, view: View): void {
  const { projection, scale, centreX, centreY } = view;
  context.beginPath();
  for (let lat = -60; lat <= 60; lat += 30) {
    const y = centreY - (projection.height(radians(lat)) - view.y) * scale;
    context.moveTo(0, y);
    context.lineTo(view.width, y);
  }
  const step = radians(30);
  for (let lng = Math.ceil(view.left / step) * step; lng <= view.right; lng += step) {
    for (let lat = -90; lat <= 90; lat += 6) {
      const phi = Math.max(-projection.maxLat, Math.min(projection.maxLat, radians(lat)));
      const x = centreX + (lng - view.lng) * projection.width(phi) * scale;
      const y = centreY - (projection.height(phi) - view.y) * scale;
      if (lat === -90) context.moveTo(x, y);
      else context.lineTo(x, y);
    }
  }
  context.stroke();
}

/** Cells as paths: smooth edges. */
function fewCells(
  context: CanvasRenderingContext2D,
  view: View,
  cells: Shapes,
  steps: readonly number[][],
  theme: Theme,
): void {
  const colours = ramp(theme.dark);
  steps.forEach((classes, step) => {
    const colour = colours[step];
    if (classes.length === 0 || !colour) return;
    context.beginPath();
    for (const c of classes) cells.draw(context, view, c);
    context.fillStyle = css(colour);
    context.fill();
  });
  context.beginPath();
  cells.drawAll(context, view, LEAST_OUTLINE);
  context.lineWidth = 0.6;
  context.strokeStyle = theme.cell;
  context.stroke();
}

/** Cells as pixels: thousands of them within one frame. */
function manyCells(
  context: CanvasRenderingContext2D,
  view: View,
  cells: Shapes,
  { steps, raster }: Scene,
  theme: Theme,
): void {
  const { count } = cells.outlines;
  const { fills, borders } = raster.colours(count);
  const border = theme.dark ? 0x30d2beaa : 0x386e5a46;
  ramp(theme.dark).forEach(([r, g, b], step) => {
    const packed = (0xff << 24) | (b << 16) | (g << 8) | r;
    const darker = (0xff << 24) | ((b * 0.82) << 16) | ((g * 0.82) << 8) | (r * 0.82);
    for (const c of steps[step] ?? []) [fills[c], borders[c]] = [packed, darker];
  });
  raster.begin(view.width, view.height, context.getTransform().a);
  for (let c = 0; c < count; c += 1) {
    const small = cells.size(view, c) < LEAST_OUTLINE;
    if (small && fills[c] === 0) continue;
    if (small) borders[c] = fills[c]!;
    else if (fills[c] === 0) borders[c] = border;
    raster.use(c);
    cells.draw(raster, view, c);
  }
  raster.paint(context, fills, borders);
}

/** Classes that are points, as some models' are. */
function points(
  context: CanvasRenderingContext2D,
  view: View,
  cells: Shapes,
  steps: readonly number[][],
  theme: Theme,
): void {
  const colours = ramp(theme.dark);
  steps.forEach((classes, step) => {
    context.beginPath();
    for (const c of classes) {
      const at = cells.point(c);
      if (!at) continue;
      const [x, y] = view.toScreen(at);
      context.moveTo(x + 3, y);
      context.arc(x, y, 3, 0, 2 * Math.PI);
    }
    context.fillStyle = css(colours[step] ?? [0, 0, 0]);
    context.fill();
  });
}

export function paint(context: CanvasRenderingContext2D, view: View, scene: Scene, theme: Theme): void {
  context.clearRect(0, 0, view.width, view.height);
  context.save();
  worldBorder(context, view);
  context.fillStyle = theme.sea;
  context.fill();
  if (view.projection.bordered) context.clip();
  // Cells have lines of their own; two grids would be confused.
  if (!scene.cells) {
    context.lineWidth = 1;
    context.strokeStyle = theme.grid;
    graticule(context, view);
  }

  const land = new Path2D();
  scene.land?.drawAll(land, view, 1);
  context.fillStyle = theme.land;
  context.fill(land, "evenodd");

  const { cells } = scene;
  const many = cells !== null && cells.visible(view, MANY) >= MANY;
  if (cells && many) manyCells(context, view, cells, scene, theme);
  if (cells && !many) fewCells(context, view, cells, scene.steps, theme);
  if (cells) points(context, view, cells, scene.steps, theme);
  context.lineWidth = 0.7;
  context.lineJoin = "round";
  context.strokeStyle = theme.coast;
  context.stroke(land);
  drawWays(context, view, scene.overlay, theme.marks);
  context.restore();

  if (view.projection.bordered) {
    worldBorder(context, view);
    context.lineWidth = 1;
    context.strokeStyle = theme.coast;
    context.stroke();
  }
  drawMarks(context, view, scene.overlay, theme.marks);
}
