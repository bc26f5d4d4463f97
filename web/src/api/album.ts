import type { AlbumResult } from "./photos.ts";
import { ApiError, errorOf, photosForm, waitedOut } from "./request.ts";
import { EventParser } from "./stream.ts";

/** How far an album is: the share that has been sent, or the photos that are done. */
export type AlbumProgress = { sent: number } | { done: number };

/** Locates photos together; the progress is reported while photos are sent and the server works. */
export async function locateAlbum(
  files: readonly File[],
  scheme: string,
  progress: (progress: AlbumProgress) => void,
  signal: AbortSignal,
): Promise<AlbumResult> {
  for (;;) {
    try {
      return await send(`api/album?scheme=${encodeURIComponent(scheme)}`, files, progress, signal);
    } catch (error) {
      await waitedOut(error, signal);
    }
  }
}

/**
 * Sends an album and follows the events of the answer. A fetch does not tell how much has been sent, and
 * browsers read an answer only when all is sent: of a thousand photos that is most of the time.
 */
function send(
  path: string,
  files: readonly File[],
  progress: (progress: AlbumProgress) => void,
  signal: AbortSignal,
): Promise<AlbumResult> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const parser = new EventParser();
    let read = 0;
    const follow = () => {
      const part = request.responseText.slice(read);
      read += part.length;
      for (const { event, data } of parser.push(part)) {
        if (event === "progress") progress(JSON.parse(data) as { done: number });
        if (event === "result") resolve(JSON.parse(data) as AlbumResult);
        if (event === "error") {
          const body = JSON.parse(data) as { error: string; hint?: string };
          reject(new ApiError(500, body.error, body.hint ?? null));
        }
      }
    };
    request.upload.addEventListener("progress", ({ loaded, total }) =>
      progress({ sent: loaded / Math.max(1, total) }),
    );
    request.addEventListener("progress", () => {
      if (request.status === 200) follow();
    });
    request.addEventListener("load", () => {
      if (request.status !== 200) return void failureOf(request).then(reject);
      follow();
      // Nothing happens here if the result has arrived.
      reject(
        new ApiError(0, "The server ended its answer early", "Check that planet serve is still running."),
      );
    });
    request.addEventListener("error", () =>
      reject(new ApiError(0, "The server does not answer", "Check that planet serve is still running.")),
    );
    request.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError")));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.open("POST", path);
    request.send(photosForm(files));
  });
}

function failureOf(request: XMLHttpRequest): Promise<ApiError> {
  const retry = request.getResponseHeader("Retry-After");
  const headers = new Headers(retry === null ? {} : { "Retry-After": retry });
  return errorOf(
    new Response(request.responseText, { status: request.status, statusText: request.statusText, headers }),
  );
}
