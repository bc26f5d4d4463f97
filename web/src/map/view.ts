import type { LatLng } from "../api/photos.ts";
import { degrees, radians, turned } from "./geodesic.ts";
import { equalEarth, type Projection } from "./projection.ts";

/** Greatest zoom: pixels per radian at which a street can be seen. */
const GREATEST_SCALE = 400_000;

/** Which part of the earth is on the screen. The centre's meridian is the projection's central meridian. */
export class View {
  projection: Projection = equalEarth;
  /** Size in CSS pixels. */
  width = 1;
  height = 1;
  /** Longitude of the centre in radians, and its projected height. */
  lng = radians(10);
  y = 0;
  /** Pixels per unit of the projection. */
  scale = 100;
  /** The longitudes at the screen's left and right edge, before turns of the world. */
  left = -Math.PI;
  right = Math.PI;

  get centreX(): number {
    return this.width / 2;
  }

  get centreY(): number {
    return this.height / 2;
  }

  private get worldWidth(): number {
    return 2 * Math.PI * this.projection.width(0);
  }

  private get worldHeight(): number {
    return 2 * this.projection.height(this.projection.maxLat);
  }

  /** The scale at which the whole world is visible (or, in Mercator, its whole width). */
  get leastScale(): number {
    const across = this.width / this.worldWidth;
    if (!this.projection.bordered) return across;
    const margin = 12;
    const room = (size: number) => Math.max(1, size - margin);
    return Math.min(room(this.width) / this.worldWidth, room(this.height) / this.worldHeight);
  }

  private get reach(): number {
    // A bordered world is shown once: half a turn to each side. At most, the narrowest parallel on
    // the screen says how far a longitude can be away.
    if (!this.projection.bordered) return this.width / 2 / this.scale;
    const halfHeight = this.height / 2 / this.scale;
    const top = this.projection.latitude(this.y + halfHeight);
    const bottom = this.projection.latitude(this.y - halfHeight);
    const narrowest = Math.min(this.projection.width(top), this.projection.width(bottom));
    return Math.min(Math.PI, this.width / 2 / this.scale / narrowest);
  }

  resize(width: number, height: number): void {
    const wasWhole = this.scale <= this.leastScale * 1.001;
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
    if (wasWhole) this.scale = this.leastScale;
    this.bound();
  }

  project(to: Projection): void {
    const zoom = this.scale / this.leastScale;
    const lat = this.projection.latitude(this.y);
    this.projection = to;
    this.y = to.height(lat);
    this.scale = zoom * this.leastScale;
    this.bound();
  }

  /** Keeps the zoom within its limits and the world on the screen. */
  bound(): void {
    this.scale = Math.max(this.leastScale, Math.min(GREATEST_SCALE, this.scale));
    const room = Math.max(0, this.worldHeight / 2 - this.height / 2 / this.scale);
    this.y = Math.max(-room, Math.min(room, this.y));
    this.lng = radians(turned(degrees(this.lng)));
    const { reach } = this;
    this.left = this.lng - reach;
    this.right = this.lng + reach;
  }

  pan(dx: number, dy: number): void {
    const parallel = this.projection.width(this.projection.latitude(this.y));
    this.lng -= dx / (this.scale * Math.max(0.2, parallel));
    this.y += dy / this.scale;
    this.bound();
  }

  /** Zooms by a factor; the place at x, y stays where it is, as far as the limits allow. */
  zoom(factor: number, x = this.centreX, y = this.centreY): void {
    const before = this.scale;
    this.scale *= factor;
    this.scale = Math.max(this.leastScale, Math.min(GREATEST_SCALE, this.scale));
    const part = 1 / before - 1 / this.scale;
    const parallel = this.projection.width(this.projection.latitude(this.y));
    this.lng += ((x - this.centreX) * part) / Math.max(0.2, parallel);
    this.y -= (y - this.centreY) * part;
    this.bound();
  }

  centreOn(at: LatLng, scale = this.scale): void {
    this.lng = radians(at.lng);
    this.y = this.projection.height(radians(at.lat));
    this.scale = scale;
    this.bound();
  }

  /** Where a position is on the screen, in the copy of the world that is nearest to the centre. */
  toScreen(at: LatLng): [number, number] {
    const east = radians(turned(at.lng - degrees(this.lng)));
    const lat = radians(at.lat);
    return [
      this.centreX + east * this.projection.width(lat) * this.scale,
      this.centreY - (this.projection.height(lat) - this.y) * this.scale,
    ];
  }

  /** The position at a point of the screen, or null beside the world. */
  toPosition(x: number, y: number): LatLng | null {
    const height = this.y - (y - this.centreY) / this.scale;
    if (Math.abs(height) > this.worldHeight / 2) return null;
    const lat = this.projection.latitude(height);
    const east = (x - this.centreX) / (this.scale * this.projection.width(lat));
    if (this.projection.bordered && Math.abs(east) > Math.PI) return null;
    return { lat: degrees(lat), lng: turned(degrees(this.lng + east)) };
  }

  /** A centre and a scale that show all positions, with a margin; a single one with its surroundings. */
  around(positions: readonly LatLng[], closest = 900): { at: LatLng; scale: number } | null {
    const first = positions[0];
    if (!first) return null;
    // The centre of longitudes is where the largest gap between them is not.
    const lngs = positions.map((it) => turned(it.lng)).sort((a, b) => a - b);
    let [gap, west] = [-1, 0];
    lngs.forEach((lng, index) => {
      const next = lngs[index + 1] ?? (lngs[0] ?? 0) + 360;
      if (next - lng > gap) [gap, west] = [next - lng, next];
    });
    const span = radians(360 - gap);
    const heights = positions.map((it) => this.projection.height(radians(it.lat)));
    const [bottom, top] = [Math.min(...heights), Math.max(...heights)];
    const middle = this.projection.latitude((bottom + top) / 2);
    const across = Math.max(1e-6, span * this.projection.width(middle));
    const share = 0.72;
    const scale = Math.min(
      (share * this.width) / across,
      (share * this.height) / Math.max(1e-6, top - bottom),
      closest,
    );
    return { at: { lat: degrees(middle), lng: turned(west + degrees(span) / 2) }, scale };
  }
}
