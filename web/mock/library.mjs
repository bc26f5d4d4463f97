import { distanceKm, near, PLACES, random } from "./places.mjs";

/** A library of trips: most photos have a position, the others are found by their neighbours. */
export function library(count) {
  const next = random(5);
  const photos = [];
  let day = Date.UTC(2019, 3, 28);
  while (photos.length < count) {
    const place = PLACES[Math.floor(next() * PLACES.length)];
    const days = 1 + Math.floor(next() * 4);
    for (let d = 0; d < days && photos.length < count; d += 1) {
      day += 86_400_000;
      let time = day + 9 * 3_600_000;
      const some = 4 + Math.floor(next() * 14);
      const spot = near(place, 14, next);
      for (let i = 0; i < some && photos.length < count; i += 1) {
        time += Math.floor(next() * 2_400_000);
        photos.push(photo(photos.length, place, near(spot, 1.5, next), new Date(time), next));
      }
    }
    day += Math.floor(next() * 12) * 86_400_000;
  }
  for (const it of photos.slice(-6)) it.time = null;
  return { folder: "Pictures", state: "ready", progress: null, error: null, version: 1, photos };
}

function photo(id, place, at, time, next) {
  const year = time.getUTCFullYear();
  const folder = `${year}/${place.name.toLowerCase().replaceAll(/[^a-z]+/g, "-")}`;
  const base = {
    id,
    photo: `${folder}/IMG_${1000 + id}.jpg`,
    time: time.toISOString().slice(0, 19),
    known: null,
    found: null,
    evidence: [],
    decision: "open",
    position: null,
  };
  if (next() < 0.55) return { ...base, known: at };
  const minutes = 1 + Math.floor(next() * 90);
  const sure = Math.max(0.52, 0.98 - minutes / 160);
  const found = {
    ...near(at, 1, next),
    radius_km: minutes < 15 ? 1 : 25,
    probability: sure,
    level: minutes < 15 ? "street" : "city",
    name: `${place.name}, ${place.country}`,
  };
  const evidence = [
    `${minutes} minutes after IMG_${999 + id}.jpg at ${place.name}`,
    `${minutes + 12} minutes before IMG_${1001 + id}.jpg, ${distanceKm(at, found).toFixed(1)} km away`,
  ];
  if (next() < 0.3) evidence.push(`The model agrees: ${place.country} with 64 %`);
  return { ...base, found, evidence };
}

/** Applies decisions; what the server does at POST /api/library/decisions. */
export function decide(state, { version, decisions }) {
  if (version !== state.version) {
    return {
      status: 409,
      body: { error: "the library was changed in another window", version: state.version },
    };
  }
  for (const { id, decision, lat, lng } of decisions) {
    const it = state.photos[id];
    it.decision = decision;
    it.position = decision === "corrected" ? { lat, lng } : null;
  }
  state.version += 1;
  return { status: 200, body: { version: state.version } };
}

export function write(state, { apply }) {
  const files = [];
  const skipped = [];
  for (const it of state.photos) {
    const at = it.decision === "corrected" ? it.position : it.decision === "accepted" ? it.found : null;
    if (at) {
      const accuracy = it.decision === "corrected" ? 0.1 : it.found.radius_km;
      files.push({
        photo: it.photo,
        file: `${it.photo}.xmp`,
        lat: at.lat,
        lng: at.lng,
        radius_m: 1000 * accuracy,
        name: it.found?.name ?? "",
      });
    } else if (it.decision === "rejected") skipped.push({ photo: it.photo, reason: "rejected" });
    else if (it.found) skipped.push({ photo: it.photo, reason: "not yet reviewed" });
  }
  return { apply, files, skipped, journal: apply ? "library.journal" : null };
}
