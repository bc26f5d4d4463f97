import { getJson, postJson } from "./request.ts";
import type { LatLng } from "./photos.ts";

export type Decision = "open" | "accepted" | "rejected" | "corrected";

export interface FoundPosition extends LatLng {
  radius_km: number;
  probability: number;
  level: string;
  name: string;
}

export interface LibraryPhoto {
  id: number;
  /** The name, relative to the library's folder. */
  photo: string;
  time: string | null;
  known: LatLng | null;
  found: FoundPosition | null;
  evidence: string[];
  decision: Decision;
  /** The position that was set by hand. */
  position: LatLng | null;
}

export interface Library {
  folder: string;
  state: "working" | "ready" | "failed";
  progress: { stage: string; done: number; total: number } | null;
  error: string | null;
  version: number;
  photos: LibraryPhoto[];
}

export interface DecisionChange {
  id: number;
  decision: Decision;
  lat?: number;
  lng?: number;
}

export interface WrittenFile extends LatLng {
  photo: string;
  file: string;
  radius_m: number;
  name: string;
}

export interface WriteReport {
  apply: boolean;
  files: WrittenFile[];
  skipped: { photo: string; reason: string }[];
  /** The journal with which the changes are taken back. */
  journal: string | null;
}

export async function library(): Promise<Library> {
  const data = await getJson<Library>("api/library");
  // The server states the position that would be written; the page shows the one that was set by hand.
  for (const photo of data.photos) if (photo.decision !== "corrected") photo.position = null;
  return data;
}

export const decide = (version: number, decisions: DecisionChange[]): Promise<{ version: number }> =>
  postJson("api/library/decisions", { version, decisions });

export const writeLibrary = (version: number, apply: boolean): Promise<WriteReport> =>
  postJson("api/library/write", { version, apply });

export const libraryPhotoUrl = (id: number, size: number): string => `api/library/photo/${id}?size=${size}`;
