import type { Answer, Candidate, Certain, LatLng, Place } from "../api/photos.ts";

/** A number and its unit, which stay on one line. */
const unit = (number: string, name: string): string => `${number}\u00a0${name}`;

/** A probability: 82 %, 4.3 %, 0.07 %. */
export function percent(share: number): string {
  const value = 100 * share;
  if (value === 0) return unit("0", "%");
  if (value < 0.0005) return unit("<\u00a00.001", "%");
  const digits = value >= 10 ? value.toFixed(0) : value >= 0.1 ? value.toFixed(1) : value.toPrecision(1);
  return unit(digits, "%");
}

/** A distance: 850 m, 7.1 km, 1,492 km. */
export function kilometres(km: number): string {
  if (km < 0.9995) return unit(String(Math.round(km * 1000)), "m");
  return unit(km < 9.95 ? km.toFixed(1).replace(".0", "") : whole(km), "km");
}

export const whole = (value: number): string => Math.round(value).toLocaleString("en-GB");

export function coordinates({ lat, lng }: LatLng, digits = 4): string {
  const part = (value: number, positive: string, negative: string) =>
    unit(`${Math.abs(value).toFixed(digits)}°`, value < 0 ? negative : positive);
  return `${part(lat, "N", "S")}, ${part(lng, "E", "W")}`;
}

/** A place from the finest to the coarsest name, without empty or repeated ones. */
export function placeName(place: Place | undefined, at?: LatLng): string {
  const names = [place?.name, place?.region, place?.country].filter((it): it is string => !!it);
  const distinct = names.filter((it, index) => names.indexOf(it) === index);
  if (distinct.length > 0) return distinct.join(", ");
  return at ? coordinates(at, 2) : "Unnamed place";
}

/** The shortest name that tells places apart: the town, or else the country. */
export function shortName(candidate: Candidate): string {
  return candidate.place?.name || candidate.place?.country || coordinates(candidate, 1);
}

/** The certain level in words; null where nothing is known well enough. */
export function certainWords(certain: Certain | null | undefined): string | null {
  if (!certain || certain.level === "unknown") return null;
  const name = certain.name || coordinates(certain, 2);
  return `Within ${kilometres(certain.radius_km)} of ${name}`;
}

/** An answer in one line. */
export function answerWords(answer: Answer): string {
  if (answer.error) return answer.error;
  const certain = certainWords(answer.certain);
  if (certain) return certain;
  const best = answer.predictions?.[0];
  return best ? `Perhaps ${shortName(best)}` : "No answer";
}

const DATE = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "long",
  year: "numeric",
  timeZone: "UTC",
});

/** A photo's local time: its date and its time of day are shown as they are written, in no other zone. */
export function dateWords(time: string | null | undefined): string {
  const date = time ? new Date(`${time.slice(0, 10)}T00:00:00Z`) : null;
  return date && !Number.isNaN(date.valueOf()) ? DATE.format(date) : "Without a time";
}

export const clockWords = (time: string | null | undefined): string => time?.slice(11, 16) ?? "";

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${whole(count)} ${count === 1 ? one : many}`;
}

/** The last part of a path. */
export const fileName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

export function bytes(count: number): string {
  return count >= 1 << 20 ? `${Math.round(count / (1 << 20))} MB` : `${Math.round(count / 1024)} kB`;
}
