import type { LatLng } from "../api/photos.ts";

/** Mean radius of the earth in km, as the program uses it. */
export const EARTH_RADIUS_KM = 6371;

export const radians = (degrees: number): number => (degrees * Math.PI) / 180;
export const degrees = (radians: number): number => (radians * 180) / Math.PI;

/** The longitude within -180 to 180. */
export const turned = (lng: number): number => lng - 360 * Math.round(lng / 360);

type Vector = [number, number, number];

/** The position as a unit vector. */
export function vector({ lat, lng }: LatLng): Vector {
  const [phi, lambda] = [radians(lat), radians(lng)];
  return [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda), Math.sin(phi)];
}

function position([x, y, z]: Vector): LatLng {
  return { lat: degrees(Math.atan2(z, Math.hypot(x, y))), lng: degrees(Math.atan2(y, x)) };
}

/** Great-circle distance in km (haversine). */
export function distanceKm(a: LatLng, b: LatLng): number {
  const dLat = radians(b.lat - a.lat);
  const dLng = radians(b.lng - a.lng);
  const h =
    Math.sin(dLat / 2) ** 2 + Math.cos(radians(a.lat)) * Math.cos(radians(b.lat)) * Math.sin(dLng / 2) ** 2;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** Points along the great circle from one position to another, both included. */
export function geodesic(from: LatLng, to: LatLng, steps = 64): LatLng[] {
  const [a, b] = [vector(from), vector(to)];
  const angle = distanceKm(from, to) / EARTH_RADIUS_KM;
  if (angle < 1e-9) return [from, to];
  // Opposite points have no single great circle: go over a pole.
  if (Math.PI - angle < 1e-6) {
    const pole = { lat: 90, lng: from.lng };
    return [...geodesic(from, pole, steps / 2), ...geodesic(pole, to, steps / 2)];
  }
  const points: LatLng[] = [];
  for (let step = 0; step <= steps; step += 1) {
    const share = step / steps;
    const [p, q] = [Math.sin((1 - share) * angle), Math.sin(share * angle)];
    points.push(position([p * a[0] + q * b[0], p * a[1] + q * b[1], p * a[2] + q * b[2]]));
  }
  return points;
}

/** The position at a distance in a direction (radians clockwise from north). */
export function destination(from: LatLng, km: number, bearing: number): LatLng {
  const angle = km / EARTH_RADIUS_KM;
  const phi = radians(from.lat);
  const sine = Math.sin(phi) * Math.cos(angle) + Math.cos(phi) * Math.sin(angle) * Math.cos(bearing);
  const turn = Math.atan2(
    Math.sin(bearing) * Math.sin(angle) * Math.cos(phi),
    Math.cos(angle) - Math.sin(phi) * sine,
  );
  return { lat: degrees(Math.asin(Math.max(-1, Math.min(1, sine)))), lng: turned(from.lng + degrees(turn)) };
}

/** A circle on the earth. */
export function circle(centre: LatLng, km: number, steps = 72): LatLng[] {
  return Array.from({ length: steps }, (_, step) => destination(centre, km, (2 * Math.PI * step) / steps));
}

/** Longitudes without jumps: each within 180° of the one before. */
export function unwrapped(points: readonly LatLng[]): LatLng[] {
  let before: number | null = null;
  return points.map(({ lat, lng }) => {
    const here = before === null ? lng : before + turned(lng - before);
    before = here;
    return { lat, lng: here };
  });
}

/** Points of a guess in the match: 5000 for the exact place, 1840 at the distance of 1492.7 km. */
export const pointsAt = (km: number): number => Math.round(5000 * Math.exp(-km / 1492.7));

/** The middle value; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}
