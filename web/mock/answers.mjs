import { distanceKm, hash, near, nearest, PLACES, random } from "./places.mjs";

const LEVELS = [
  ["street", 1],
  ["city", 25],
  ["region", 200],
  ["country", 750],
  ["continent", 2500],
];

/** An invented answer that depends on the photo's name alone. `sure` is the share of the best place. */
export function answer(photo, cells, { top = 5, posterior = false, centre = null, sure = null } = {}) {
  const next = random(hash(photo));
  for (let i = 0; i < 5; i += 1) next();
  const home = centre ?? PLACES[Math.floor(next() * PLACES.length)];
  const rivals = [home, ...Array.from({ length: 6 }, () => PLACES[Math.floor(next() * PLACES.length)])];
  const share = sure ?? 0.25 + 0.7 * next();
  const weights = rivals.map((_, i) => (i === 0 ? share : ((1 - share) * 0.55 ** i) / 1.22));
  const all = cells.map((cell, index) => {
    const value = rivals.reduce((sum, it, i) => {
      const km = distanceKm(it, cell) / (cell.radius_km + 60);
      return sum + weights[i] * Math.exp(-(km ** 1.1) * 2);
    }, 1e-5);
    return [index, value];
  });
  const total = all.reduce((sum, [, value]) => sum + value, 0);
  const sorted = all.map(([index, value]) => [index, value / total]).sort((a, b) => b[1] - a[1]);
  const predictions = sorted.slice(0, top).map(([index, probability]) => {
    const cell = cells[index];
    const { name, region, country, country_code } = nearest(cell);
    return {
      class: index,
      cell: index.toString(16),
      probability,
      lat: cell.lat,
      lng: cell.lng,
      radius_km: cell.radius_km,
      place: { name, region, country, country_code },
    };
  });
  const best = predictions[0];
  const level = LEVELS[share > 0.85 ? 0 : share > 0.6 ? 1 : share > 0.5 ? 2 : share > 0.4 ? 3 : 4];
  const certain =
    share < 0.33
      ? { level: "unknown" }
      : {
          level: level[0],
          name: best.place.name,
          lat: best.lat,
          lng: best.lng,
          radius_km: level[1],
          probability: Math.max(0.5, share),
        };
  const stated = hash(photo) % 3 === 0 ? near(home, 40, next) : null;
  const truth = stated && { ...stated, distance_km: distanceKm(stated, best) };
  const result = { photo, predictions, certain, truth };
  if (posterior) {
    const kept = sorted.filter(([, probability]) => probability > 1e-6);
    result.posterior = { classes: kept.map(([c]) => c), probabilities: kept.map(([, p]) => p) };
  }
  return result;
}

/** The occlusion map of an invented answer: one part of the photo matters. */
export function explanation(photo) {
  const next = random(hash(photo) + 3);
  for (let i = 0; i < 5; i += 1) next();
  const [rows, columns, probability] = [12, 16, 0.82];
  const [x, y] = [3 + 10 * next(), 3 + 6 * next()];
  const values = Array.from({ length: rows }, (_, r) =>
    Array.from(
      { length: columns },
      (_, c) => probability - 0.7 * Math.exp(-((c - x) ** 2 + (r - y) ** 2) / 9),
    ),
  );
  return {
    photo,
    target: "best",
    scale: "cell",
    values,
    rows,
    columns,
    probability,
    width: 320,
    height: 240,
  };
}
