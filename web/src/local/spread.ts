import { EARTH_RADIUS_KM } from "../map/geodesic.ts";

/** The straight way through the unit sphere between two points this far apart on it. */
export const chordOf = (km: number): number => 2 * Math.sin(Math.min(km / EARTH_RADIUS_KM, Math.PI) / 2);

/** The chord of two distances added or taken from one another; within half a turn. */
export function chordOfSum(a: number, b: number): number {
  return chordOf(Math.min(Math.max(a + b, 0), Math.PI * EARTH_RADIUS_KM));
}

/**
 * Where the photos of a class lie about its point: the share in each ring between two levels' radii, spread
 * evenly over the ring's area. Lengths are chords.
 */
export class Spread {
  private readonly rims: number[] = [];
  private readonly densities: number[] = [];

  /** From the shares within the levels' radii; all photos lie within the reach. */
  constructor(
    shares: readonly number[],
    levels: readonly number[],
    readonly reachKm: number,
  ) {
    const end = chordOf(reachKm);
    let [inner, within] = [0, 0];
    for (let at = 0; at <= levels.length && inner < end; at += 1) {
      const rim = at < levels.length ? chordOf(levels[at] as number) : Infinity;
      const [outer, share] = rim < end ? [rim, shares[at] as number] : [end, 1];
      this.rims.push(outer);
      this.densities.push(Math.max(share - within, 0) / (Math.PI * (outer * outer - inner * inner)));
      [inner, within] = [outer, share];
    }
  }

  /** The class's share within a disc whose middle is this far away. */
  within(discKm: number, awaySquared: number): number {
    if (discKm >= this.reachKm && awaySquared <= chordOfSum(discKm, -this.reachKm) ** 2) return 1;
    if (this.rims.length === 0 || awaySquared >= chordOfSum(discKm, this.reachKm) ** 2) return 0;
    const [disc, away] = [chordOf(discKm), Math.sqrt(awaySquared)];
    let [share, before] = [0, 0];
    this.rims.forEach((rim, i) => {
      const covered = overlap(rim, disc, away);
      share += (this.densities[i] as number) * (covered - before);
      before = covered;
    });
    return Math.min(Math.max(share, 0), 1);
  }
}

/** Area that two flat discs have in common whose middles lie this far apart. */
function overlap(a: number, b: number, away: number): number {
  if (away >= a + b) return 0;
  if (away <= Math.abs(a - b)) return Math.PI * Math.min(a, b) ** 2;
  const angle = (own: number, other: number) =>
    Math.acos(Math.min(Math.max((away * away + own * own - other * other) / (2 * away * own), -1), 1));
  const sector = (radius: number, angle: number) => radius * radius * (angle - Math.sin(angle) * Math.cos(angle));
  return sector(a, angle(a, b)) + sector(b, angle(b, a));
}
