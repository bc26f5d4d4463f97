/** An answer of the server that is not a success, or no answer at all. */
export class ApiError extends Error {
  constructor(
    /** The status of HTTP; 0 when the server did not answer. */
    readonly status: number,
    message: string,
    /** What can be done about it, in the server's words. */
    readonly hint: string | null = null,
    /** Seconds after which to ask again (429). */
    readonly retryAfter: number | null = null,
    /** The library's version, when somebody else has changed it (409). */
    readonly version: number | null = null,
  ) {
    super(message);
  }
}

/** Longest wait between two tries of a request that the server's full queue has refused. */
const LONGEST_WAIT_S = 30;

function wait(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(new DOMException("stopped", "AbortError"));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, seconds * 1000);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** The error that a response states. */
export async function errorOf(response: Response): Promise<ApiError> {
  let message = `The server answered ${response.status} ${response.statusText}`.trim();
  let hint: string | null = null;
  let version: number | null = null;
  try {
    const body = (await response.json()) as { error?: unknown; hint?: unknown; version?: unknown };
    if (typeof body.error === "string") message = body.error;
    if (typeof body.hint === "string") hint = body.hint;
    if (typeof body.version === "number") version = body.version;
  } catch {
    // The body is not JSON: the status has to do.
  }
  const seconds = Number(response.headers.get("Retry-After"));
  const retryAfter = response.status === 429 ? (seconds > 0 ? seconds : 1) : null;
  return new ApiError(response.status, message, hint, retryAfter, version);
}

/** Waits as long as a full queue (429) has said; other errors are thrown. */
export async function waitedOut(error: unknown, signal?: AbortSignal): Promise<void> {
  if (!(error instanceof ApiError) || error.retryAfter === null) throw error;
  await wait(Math.min(error.retryAfter, LONGEST_WAIT_S), signal);
}

/** The response to a request. A full queue (429) is waited for, as long as the signal allows. */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  for (;;) {
    let response: Response;
    try {
      response = await fetch(path, init);
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      throw new ApiError(0, "The server does not answer", "Check that planet serve is still running.");
    }
    if (response.ok) return response;
    await waitedOut(await errorOf(response), init.signal ?? undefined);
  }
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await request(path, signal ? { signal } : {});
  return (await response.json()) as T;
}

export async function postJson<T>(path: string, body: unknown): Promise<T> {
  const response = await request(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return (await response.json()) as T;
}

/** The form in which photos are sent. */
export function photosForm(files: readonly File[]): FormData {
  const form = new FormData();
  for (const file of files) form.append("photo", file, file.name);
  return form;
}
