/**
 * A projection whose parallels are straight lines of even scale: x = longitude · width(latitude) and
 * y = height(latitude), in radians on a sphere of radius 1. The map can then project every point once
 * and turn the earth by moving longitudes alone.
 */
export interface Projection {
  readonly id: "equal-earth" | "mercator";
  readonly name: string;
  /** Latitude in radians beyond which nothing is drawn. */
  readonly maxLat: number;
  width(lat: number): number;
  height(lat: number): number;
  /** The latitude at a height, within ±maxLat. */
  latitude(height: number): number;
  /** Whether the world has a curved border, so that its copies would overlap. */
  readonly bordered: boolean;
}

const A1 = 1.340264;
const A2 = -0.081106;
const A3 = 0.000893;
const A4 = 0.003796;
const M = Math.sqrt(3) / 2;

function heightAt(theta: number): number {
  const t2 = theta * theta;
  const t6 = t2 * t2 * t2;
  return theta * (A1 + A2 * t2 + t6 * (A3 + A4 * t2));
}

function slopeAt(theta: number): number {
  const t2 = theta * theta;
  const t6 = t2 * t2 * t2;
  return A1 + 3 * A2 * t2 + t6 * (7 * A3 + 9 * A4 * t2);
}

/** Equal Earth (Šavrič, Patterson, Jenny 2018): areas keep their size. */
export const equalEarth: Projection = {
  id: "equal-earth",
  name: "Equal Earth",
  maxLat: Math.PI / 2,
  bordered: true,
  width(lat) {
    const theta = Math.asin(M * Math.sin(lat));
    return Math.cos(theta) / (M * slopeAt(theta));
  },
  height(lat) {
    return heightAt(Math.asin(M * Math.sin(lat)));
  },
  latitude(height) {
    const most = Math.asin(M);
    let theta = Math.max(-most, Math.min(most, height / A1));
    for (let step = 0; step < 12; step += 1) {
      const change = (heightAt(theta) - height) / slopeAt(theta);
      theta = Math.max(-most, Math.min(most, theta - change));
      if (Math.abs(change) < 1e-12) break;
    }
    return Math.asin(Math.max(-1, Math.min(1, Math.sin(theta) / M)));
  },
};

/** Web Mercator: angles keep their size, areas grow towards the poles. */
export const mercator: Projection = {
  id: "mercator",
  name: "Web Mercator",
  // The latitude at which the world is a square.
  maxLat: Math.atan(Math.sinh(Math.PI)),
  bordered: false,
  width: () => 1,
  height(lat) {
    const bounded = Math.max(-mercator.maxLat, Math.min(mercator.maxLat, lat));
    return Math.asinh(Math.tan(bounded));
  },
  latitude(height) {
    return Math.atan(Math.sinh(Math.max(-Math.PI, Math.min(Math.PI, height))));
  },
};

export const PROJECTIONS: readonly Projection[] = [equalEarth, mercator];
