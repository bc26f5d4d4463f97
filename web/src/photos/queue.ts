import { locate, locateWithPosterior, type Answer } from "../api/photos.ts";
import { ApiError } from "../api/request.ts";
import { bytes } from "../ui/format.ts";

/** Photos and bytes of one request: small requests, so that answers come early and a failure costs little. */
const PHOTOS = 4;
const BYTES = 24 << 20;
/** Requests at the same time. */
const IN_FLIGHT = 2;

export interface QueuedPhoto {
  readonly file: File;
  state: "waiting" | "sent" | "done" | "failed";
  answer: Answer | null;
  /** Why there is no answer. */
  failure: string | null;
}

/** Who locates photos: the server, or the page itself. */
export interface Locate {
  locate(files: readonly File[], signal: AbortSignal): Promise<Answer[]>;
  locateWithPosterior(file: File, signal: AbortSignal): Promise<Answer>;
}

/** Sends photos to be located, a few at a time, and keeps their answers. */
export class LocateQueue {
  readonly photos: QueuedPhoto[] = [];
  private next = 0;
  private flying = 0;
  private readonly stop = new AbortController();
  /** The error that halted the queue: the server is gone, or has no model. */
  halted: ApiError | null = null;

  constructor(
    private readonly largest: number,
    /** Called with the numbers of photos whose state has changed. */
    private readonly changed: (indexes: number[]) => void,
    private readonly by: Locate = { locate, locateWithPosterior },
  ) {}

  /** Adds photos; `start` sends them. */
  add(files: readonly File[]): void {
    for (const file of files) {
      const failure =
        file.size > this.largest
          ? `The file has ${bytes(file.size)}; the most is ${bytes(this.largest)}`
          : null;
      this.photos.push({ file, state: failure ? "failed" : "waiting", answer: null, failure });
    }
  }

  close(): void {
    this.stop.abort();
  }

  /** Goes on after the error that halted the queue. */
  resume(): void {
    this.halted = null;
    this.next = 0;
    this.start();
  }

  get finished(): number {
    return this.photos.filter((it) => it.state === "done" || it.state === "failed").length;
  }

  /** The answer of one photo with every class's probability; it need not wait for its turn. */
  async withPosterior(index: number): Promise<Answer | null> {
    const photo = this.photos[index];
    if (!photo || photo.state === "failed") return null;
    if (photo.answer?.posterior) return photo.answer;
    const first = photo.state === "waiting";
    if (first) photo.state = "sent";
    try {
      const answer = await this.by.locateWithPosterior(photo.file, this.stop.signal);
      this.settle(photo, answer);
      this.changed([index]);
      return answer;
    } catch (error) {
      if (first) this.fail([photo], error);
      this.changed([index]);
      if (!(error instanceof ApiError)) throw error;
      return null;
    }
  }

  /** Forgets probabilities that are not looked at: of many cells they are large. */
  forgetPosterior(index: number): void {
    const answer = this.photos[index]?.answer;
    if (answer) delete answer.posterior;
  }

  /** Sends what waits, as far as requests may be under way. */
  start(): void {
    while (this.flying < IN_FLIGHT && !this.halted) {
      const batch = this.batch();
      if (batch.length === 0) return;
      this.flying += 1;
      void this.send(batch).finally(() => {
        this.flying -= 1;
        this.start();
      });
    }
  }

  private batch(): number[] {
    const batch: number[] = [];
    let size = 0;
    for (; this.next < this.photos.length && batch.length < PHOTOS; this.next += 1) {
      const photo = this.photos[this.next];
      if (photo?.state !== "waiting") continue;
      if (batch.length > 0 && size + photo.file.size > BYTES) break;
      size += photo.file.size;
      photo.state = "sent";
      batch.push(this.next);
    }
    return batch;
  }

  private async send(indexes: number[]): Promise<void> {
    const photos = indexes.flatMap((index) => this.photos[index] ?? []);
    try {
      const files = photos.map((it) => it.file);
      const answers = await this.by.locate(files, this.stop.signal);
      photos.forEach((photo, i) => {
        const answer = answers[i];
        if (answer) this.settle(photo, answer);
        else this.fail([photo], new ApiError(500, "The server left out this photo"));
      });
    } catch (error) {
      // One photo may be too large or damaged: the others of its request are tried on their own.
      const alone =
        photos.length > 1 && error instanceof ApiError && (error.status === 413 || error.status === 422);
      if (alone) for (const index of indexes) await this.send([index]);
      else this.fail(photos, error);
    }
    this.changed(indexes);
  }

  private settle(photo: QueuedPhoto, answer: Answer): void {
    // The same photo may have been asked for twice: the fuller answer stays.
    if (!photo.answer?.posterior || answer.posterior) photo.answer = answer;
    photo.failure = answer.error ?? null;
    photo.state = answer.error ? "failed" : "done";
  }

  private fail(photos: readonly QueuedPhoto[], error: unknown): void {
    if (error instanceof DOMException && error.name === "AbortError") return;
    const known = error instanceof ApiError ? error : new ApiError(500, String(error));
    const halts = known.status === 0 || known.status === 503 || known.status === 401;
    if (halts) this.halted = known;
    for (const photo of photos) {
      photo.state = halts ? "waiting" : "failed";
      photo.failure = halts ? null : known.message;
    }
  }
}
