import { decodeOutlines, ringByRing, type Outlines } from "../map/outlines.ts";
import { request } from "./request.ts";

async function outlines(path: string): Promise<Outlines> {
  return decodeOutlines(await (await request(path)).arrayBuffer());
}

let land: Promise<Outlines> | null = null;
const cells = new Map<string, Promise<Outlines>>();

/** The land of the earth; asked for once. */
export function landOutlines(): Promise<Outlines> {
  // A ring is left out or drawn by itself: the whole land is hardly ever on the screen.
  land ??= outlines("api/land")
    .then(ringByRing)
    .catch((error: unknown) => {
      land = null;
      throw error;
    });
  return land;
}

/** The cells of a model's partition, row by row of its classes; asked for once. */
export function cellOutlines(model: string): Promise<Outlines> {
  let known = cells.get(model);
  if (!known) {
    known = outlines(`api/cells/${encodeURIComponent(model)}`);
    known.catch(() => cells.delete(model));
    cells.set(model, known);
  }
  return known;
}
