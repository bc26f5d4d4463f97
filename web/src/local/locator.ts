import type { Answer } from "../api/photos.ts";
import { ApiError } from "../api/request.ts";
import type { ServerState } from "../api/state.ts";
import type { Locate } from "../photos/queue.ts";
import type { Job, Opening, Reply } from "./worker.ts";

const aborted = (): DOMException => new DOMException("stopped", "AbortError");

/** Locates photos in a worker of this page: nothing is sent. */
export class LocalLocator implements Locate {
  private worker: Worker | null = null;
  private readonly waiting = new Map<number, { done: (answer: Answer) => void; failed: (error: unknown) => void }>();
  private next = 1;
  /** Settles when the model is loaded. */
  readonly ready: Promise<void>;

  /** The model is loaded after `first`. */
  constructor({ local, model, limits }: ServerState, first: Promise<unknown>) {
    if (!local) throw new Error("this site has no model of its own");
    this.ready = first.then(() => this.open({ model: local, limits, warning: model?.warning ?? null }));
  }

  private open(opening: Opening): Promise<void> {
    return new Promise((resolve, reject) => {
      const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
      worker.addEventListener("message", ({ data }: MessageEvent<Reply>) => {
        if (data.id > 0) return this.settle(data);
        if ("error" in data) reject(this.lost(data.error));
        else resolve();
      });
      worker.addEventListener("error", (event) => reject(this.lost(event.message)));
      worker.postMessage(opening);
      this.worker = worker;
    });
  }

  /** One at a time; a photo that cannot be read does not keep the others. */
  async locate(files: readonly File[], signal: AbortSignal): Promise<Answer[]> {
    const answers: Answer[] = [];
    for (const file of files)
      answers.push(
        await this.ask(file, false, signal).catch((error: unknown) => {
          if (error instanceof ApiError && error.status === 422) return { photo: file.name, error: error.message };
          throw error;
        }),
      );
    return answers;
  }

  locateWithPosterior(file: File, signal: AbortSignal): Promise<Answer> {
    return this.ask(file, true, signal);
  }

  private async ask(photo: File, posterior: boolean, signal: AbortSignal): Promise<Answer> {
    await this.ready;
    if (signal.aborted) throw aborted();
    const id = this.next++;
    return new Promise((done, failed) => {
      this.waiting.set(id, { done, failed });
      const job: Job = { id, photo, top: 5, posterior };
      this.worker?.postMessage(job);
      signal.addEventListener("abort", () => failed(aborted()), { once: true });
    });
  }

  private settle(reply: Reply): void {
    const waiting = this.waiting.get(reply.id);
    this.waiting.delete(reply.id);
    if ("error" in reply) waiting?.failed(new ApiError(reply.ofPhoto ? 422 : 500, reply.error));
    else if (reply.answer) waiting?.done(reply.answer);
  }

  /** The model or the worker is not there: that halts the queue. */
  private lost(words: string): ApiError {
    const error = new ApiError(503, `The model cannot be loaded: ${words}`, "Open the page again.");
    for (const { failed } of this.waiting.values()) failed(error);
    return error;
  }
}
