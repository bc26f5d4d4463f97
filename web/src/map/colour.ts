export type Rgb = [number, number, number];

/** From little to much. Lightness changes evenly, so that the order is visible without the hue too. */
const LIGHT: readonly Rgb[] = [
  [255, 240, 196],
  [254, 205, 105],
  [247, 140, 60],
  [214, 65, 70],
  [140, 25, 95],
  [60, 10, 75],
];
/** On a dark map, much is light. */
const DARK: readonly Rgb[] = [
  [66, 32, 84],
  [122, 34, 104],
  [186, 56, 84],
  [230, 104, 56],
  [250, 176, 70],
  [252, 240, 164],
];

/** Steps of a scale: cells of one step are drawn together. */
export const STEPS = 32;
/** Probabilities below this share of the greatest are not drawn. */
export const LEAST_SHARE = 1e-3;

export const css = ([r, g, b]: Rgb): string => `rgb(${r} ${g} ${b})`;

/** Colours of the steps, the least first. */
export function ramp(dark: boolean): Rgb[] {
  const stops = dark ? DARK : LIGHT;
  return Array.from({ length: STEPS }, (_, step) => {
    const place = (step / (STEPS - 1)) * (stops.length - 1);
    const before = Math.min(stops.length - 2, Math.floor(place));
    const part = place - before;
    const mixed = (i: 0 | 1 | 2) => {
      const [from, to] = [stops[before]?.[i] ?? 0, stops[before + 1]?.[i] ?? 0];
      return Math.round(from + (to - from) * part);
    };
    return [mixed(0), mixed(1), mixed(2)];
  });
}

/** The step of a probability on the logarithmic scale that ends at the greatest; -1 below its beginning. */
export function stepOf(probability: number, greatest: number): number {
  if (!(probability >= greatest * LEAST_SHARE)) return -1;
  const share = 1 - Math.log(probability / greatest) / Math.log(LEAST_SHARE);
  return Math.max(0, Math.min(STEPS - 1, Math.round(share * (STEPS - 1))));
}
