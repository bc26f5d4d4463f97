import type { AlbumResult } from "./photos.ts";
import { ApiError, photosForm, request } from "./request.ts";
import { eventsOf } from "./stream.ts";

export interface AlbumProgress {
  done: number;
  stage: string;
}

/** Locates photos together; the progress is reported while the server works. */
export async function locateAlbum(
  files: readonly File[],
  scheme: string,
  progress: (progress: AlbumProgress) => void,
  signal: AbortSignal,
): Promise<AlbumResult> {
  const path = `api/album?scheme=${encodeURIComponent(scheme)}`;
  const response = await request(path, { method: "POST", body: photosForm(files), signal });
  if (!response.body) throw new ApiError(0, "The server answered without a body");
  for await (const { event, data } of eventsOf(response.body)) {
    if (event === "progress") progress(JSON.parse(data) as AlbumProgress);
    if (event === "result") return JSON.parse(data) as AlbumResult;
    if (event === "error") {
      const body = JSON.parse(data) as { error: string; hint?: string };
      throw new ApiError(500, body.error, body.hint ?? null);
    }
  }
  throw new ApiError(0, "The server ended its answer early", "Check that planet serve is still running.");
}
