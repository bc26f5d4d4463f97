/** The worker of a site: it locates one photo after the other, so that the page stays awake. */
import type { Answer } from "../api/photos.ts";
import type { Limits } from "../api/state.ts";
import { Answerer } from "./answer.ts";
import { decode, PhotoError } from "./decode.ts";
import { file, LocalEngine } from "./engine.ts";
import type { ClassFacts, LocalModel } from "./package.ts";

/** The first message: what the model is. */
export interface Opening {
  model: LocalModel;
  limits: Limits;
  warning: string | null;
}

/** Each further message: a photo to locate. */
export interface Job {
  id: number;
  photo: File;
  top: number;
  posterior: boolean;
}

/** The reply to a job; that to the opening has the number 0 and no answer. */
export type Reply = { id: number; answer: Answer | null } | { id: number; error: string; ofPhoto: boolean };

let opened: Promise<{ engine: LocalEngine; answerer: Answerer; mostPixels: number }> | null = null;
/** Photos are decoded one at a time: their pixels are large. */
let last: Promise<void> = Promise.resolve();

async function open({ model, limits, warning }: Opening) {
  const classes = file("classes.json").then((it) => it.json() as Promise<(ClassFacts | null)[]>);
  const [engine, facts] = await Promise.all([LocalEngine.open(model), classes]);
  return { engine, answerer: new Answerer(model, facts, warning), mostPixels: limits.pixels };
}

async function locate({ photo, top, posterior }: Job): Promise<Answer> {
  if (!opened) throw new Error("the worker has no model");
  const { engine, answerer, mostPixels } = await opened;
  const [picture, exif] = await decode(new Uint8Array(await photo.arrayBuffer()), mostPixels);
  return answerer.answer(photo.name, await engine.scores(picture), exif.position, top, posterior);
}

async function reply(id: number, work: Promise<Answer | null>): Promise<void> {
  let answer: Reply;
  try {
    answer = { id, answer: await work };
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    answer = { id, error: words, ofPhoto: error instanceof PhotoError };
  }
  self.postMessage(answer);
}

self.addEventListener("message", ({ data }: MessageEvent<Opening | Job>) => {
  if ("model" in data) {
    opened = open(data);
    void reply(
      0,
      opened.then(() => null),
    );
  } else last = last.then(() => reply(data.id, locate(data)));
});
