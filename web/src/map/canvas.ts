import { cellOutlines, landOutlines } from "../api/outlines.ts";
import type { LatLng, Posterior } from "../api/photos.ts";
import { h } from "../ui/element.ts";
import { mapControls } from "./controls.ts";
import { followPointers } from "./gestures.ts";
import { followKeys } from "./keys.ts";
import type { Overlay } from "./marks.ts";
import type { Outlines } from "./outlines.ts";
import { paint, stepsOf, type Scene, type Theme } from "./paint.ts";
import type { Projection } from "./projection.ts";
import { Raster } from "./raster.ts";
import { Shapes } from "./shapes.ts";
import { View } from "./view.ts";

const FLIGHT_MS = 450;
const HELP =
  "Arrow keys move the map, or the mark where a position is being chosen. Plus and minus zoom, 0 shows the world.";
/** Maps that were made; each has a help text of its own. */
let maps = 0;

/** Receives a chosen position, and whether arrow keys are still moving it. */
export type Picked = (at: LatLng, moving: boolean) => void;

export interface MapOptions {
  /** What the map shows, for those who do not see it. */
  label: string;
  projection?: Projection;
}

/** A map on a canvas: land, a partition's cells with probabilities, and marks. */
export class WorldMap {
  readonly element: HTMLElement;
  readonly canvas = h("canvas", { class: "map-canvas" });
  readonly view = new View();
  private readonly scene: Scene = { land: null, cells: null, steps: [], overlay: {}, raster: new Raster() };
  private outlines: { land: Outlines | null; cells: Outlines | null } = { land: null, cells: null };
  private theme: Theme | null = null;
  private frame = 0;
  private flight = 0;
  private crosshair: LatLng | null = null;
  private picked: Picked | undefined;
  private model: string | null = null;
  private waiting: { positions: LatLng[]; closest: number } | null = null;
  /** Called when Enter is pressed on the map after a position was chosen. */
  confirmed: (() => void) | undefined;
  private readonly stop = new AbortController();

  constructor({ label, projection }: MapOptions) {
    if (projection) this.view.projection = projection;
    const help = h("p", { class: "unseen", id: `map-help-${(maps += 1)}` }, HELP);
    const surface = h(
      "div",
      {
        class: "map-surface",
        tabindex: "0",
        role: "application",
        "aria-label": label,
        "aria-roledescription": "map",
        "aria-describedby": help.id,
      },
      this.canvas,
    );
    this.element = h("div", { class: "map" }, surface, help, mapControls(this));
    followPointers(this, surface);
    followKeys(this, surface);
    const observer = new ResizeObserver(() => this.resize());
    observer.observe(surface);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => this.retheme(), { signal: this.stop.signal });
    this.stop.signal.addEventListener("abort", () => observer.disconnect());
    landOutlines().then(
      (land) => {
        this.outlines.land = land;
        this.reproject();
      },
      () => undefined, // Without the land the map is poorer, but still a map.
    );
  }

  /** Ends everything that the map listens to. */
  close(): void {
    this.stop.abort();
    cancelAnimationFrame(this.frame);
    cancelAnimationFrame(this.flight);
  }

  /** Shows the cells of a model. */
  showCells(model: string): Promise<void> {
    this.model = model;
    return cellOutlines(model).then((cells) => {
      if (this.model !== model) return;
      this.outlines.cells = cells;
      this.reproject();
    });
  }

  showPosterior(posterior: Posterior | null): void {
    this.scene.steps = stepsOf(posterior);
    this.redraw();
  }

  showOverlay(overlay: Overlay): void {
    this.scene.overlay = overlay;
    this.redraw();
  }

  /** Whether clicks and keys choose a position; keys begin at `start`, or in the middle of the map. */
  choose(picked: Picked | undefined, start: LatLng | null = null): void {
    this.picked = picked;
    this.crosshair = start;
    this.element.classList.toggle("choosing", picked !== undefined);
    this.redraw();
  }

  focus(): void {
    this.canvas.parentElement?.focus({ preventScroll: true });
  }

  get focused(): boolean {
    return document.activeElement === this.canvas.parentElement;
  }

  get choosing(): boolean {
    return this.picked !== undefined;
  }

  pick(at: LatLng | null, moving = false): void {
    if (!at || !this.picked) return;
    this.crosshair = at;
    this.picked(at, moving);
  }

  /** Moves the position that is being chosen by pixels; it begins in the middle of the map. */
  nudge(dx: number, dy: number): void {
    const { view } = this;
    const [x, y] = this.crosshair ? view.toScreen(this.crosshair) : [view.centreX, view.centreY];
    const at = view.toPosition(x + dx, y + dy);
    if (!at) return;
    const [left, top, margin] = [x + dx, y + dy, 24];
    const inside = left > margin && top > margin && left < view.width - margin && top < view.height - margin;
    if (!inside) view.pan(-dx * 2, -dy * 2);
    this.pick(at, true);
    this.redraw();
  }

  project(projection: Projection): void {
    this.view.project(projection);
    this.reproject();
  }

  /** Moves so that all positions are visible. */
  fit(positions: LatLng[], closest = 900): void {
    if (this.view.width < 2) {
      this.waiting = { positions, closest };
      return;
    }
    const target = this.view.around(positions, closest);
    if (target) this.fly(target.at, target.scale);
  }

  /** Moves only if one of the positions is not visible, and then shows them all. */
  include(positions: LatLng[], closest = 900): void {
    const { view } = this;
    const hidden = positions.some((it) => {
      const [x, y] = view.toScreen(it);
      return x < 20 || y < 20 || x > view.width - 20 || y > view.height - 20;
    });
    if (hidden || view.width < 2) this.fit(positions, closest);
  }

  /** Zooms about the position that is being chosen, otherwise about the middle. */
  zoomBy(factor: number): void {
    this.halt();
    const [x, y] = this.crosshair ? this.view.toScreen(this.crosshair) : [undefined, undefined];
    this.view.zoom(factor, x, y);
    this.redraw();
  }

  showWorld(): void {
    this.waiting = null;
    // A map that has no size yet shows the world when it gets one.
    if (this.view.width < 2) return;
    this.fly({ lat: 0, lng: (this.view.lng * 180) / Math.PI }, this.view.leastScale);
  }

  redraw(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  /** Draws now; how long it took, and the part of the earth, are in the canvas's data, for tests. */
  draw(): void {
    const context = this.canvas.getContext("2d");
    if (!context || this.view.width < 2) return;
    const before = performance.now();
    this.theme ??= readTheme(this.element);
    const ratio = this.canvas.width / this.view.width;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint(context, this.view, this.scene, this.theme);
    const { dataset } = this.canvas;
    dataset["drawMs"] = (performance.now() - before).toFixed(2);
    dataset["scale"] = this.view.scale.toFixed(2);
    dataset["lng"] = ((this.view.lng * 180) / Math.PI).toFixed(3);
  }

  private fly(at: LatLng, scale: number): void {
    cancelAnimationFrame(this.flight);
    const { view } = this;
    const quiet = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const from = view.toPosition(view.centreX, view.centreY);
    if (quiet || !from) {
      view.centreOn(at, scale);
      this.redraw();
      return;
    }
    const [startScale, start] = [view.scale, performance.now()];
    const turn = at.lng - from.lng - 360 * Math.round((at.lng - from.lng) / 360);
    const step = (now: number) => {
      const share = Math.min(1, (now - start) / FLIGHT_MS);
      const eased = 1 - (1 - share) ** 3;
      view.centreOn(
        { lat: from.lat + (at.lat - from.lat) * eased, lng: from.lng + turn * eased },
        startScale * (scale / startScale) ** eased,
      );
      this.redraw();
      if (share < 1) this.flight = requestAnimationFrame(step);
    };
    this.flight = requestAnimationFrame(step);
  }

  /** Ends a movement: the hand is on the map. */
  halt(): void {
    cancelAnimationFrame(this.flight);
  }

  private resize(): void {
    const box = this.canvas.parentElement?.getBoundingClientRect();
    if (!box || box.width < 2 || box.height < 2) return;
    const ratio = Math.min(2, devicePixelRatio || 1);
    this.canvas.width = Math.round(box.width * ratio);
    this.canvas.height = Math.round(box.height * ratio);
    const first = this.view.width < 2;
    if (first) this.view.scale = 0;
    this.view.resize(box.width, box.height);
    if (this.waiting) {
      const target = this.view.around(this.waiting.positions, this.waiting.closest);
      if (target) this.view.centreOn(target.at, target.scale);
      this.waiting = null;
    }
    // A canvas that was resized is empty until it is drawn: do it before the next paint.
    this.draw();
  }

  private retheme(): void {
    this.theme = null;
    this.redraw();
  }

  private reproject(): void {
    const { projection } = this.view;
    const { land, cells } = this.outlines;
    this.scene.land = land && new Shapes(land, projection);
    this.scene.cells = cells && new Shapes(cells, projection);
    this.redraw();
  }
}

function readTheme(element: Element): Theme {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(`--map-${name}`).trim();
  return {
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
    sea: colour("sea"),
    land: colour("land"),
    coast: colour("coast"),
    grid: colour("grid"),
    cell: colour("cell"),
    marks: {
      accent: colour("accent"),
      truth: colour("truth"),
      model: colour("model"),
      first: colour("first"),
      second: colour("second"),
      muted: colour("muted"),
      ink: colour("ink"),
      halo: colour("halo"),
    },
  };
}
