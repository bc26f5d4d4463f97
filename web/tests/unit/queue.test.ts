import { afterEach, expect, test, vi } from "vitest";
import { LocateQueue } from "../../src/photos/queue.ts";

const photos = (count: number) => Array.from({ length: count }, (_, i) => new File(["x"], `${i}.jpg`));

type Reply = (names: string[]) => Response | Promise<Response>;

/** Answers requests as `reply` says, and counts those that are under way. */
function server(reply: Reply) {
  const seen = { most: 0, now: 0, requests: [] as string[][] };
  vi.stubGlobal("fetch", async (_path: string, init: RequestInit) => {
    const names = (init.body as FormData).getAll("photo").map((it) => (it as File).name);
    seen.requests.push(names);
    seen.now += 1;
    seen.most = Math.max(seen.most, seen.now);
    await new Promise((resolve) => setTimeout(resolve, 2));
    seen.now -= 1;
    return reply(names);
  });
  return seen;
}

const answers: Reply = (names) =>
  Response.json(names.length === 1 ? { photo: names[0] } : { photos: names.map((photo) => ({ photo })) });

const finished = (queue: LocateQueue) => vi.waitFor(() => expect(queue.finished).toBe(queue.photos.length));

afterEach(() => vi.unstubAllGlobals());

test("photos are sent a few at a time, in at most two requests", async () => {
  const seen = server(answers);
  const queue = new LocateQueue(1 << 20, () => undefined);
  queue.add(photos(19));
  queue.start();
  await finished(queue);
  expect(seen.most).toBe(2);
  expect(Math.max(...seen.requests.map((it) => it.length))).toBe(4);
  expect(seen.requests.flat().sort()).toEqual(
    photos(19)
      .map((it) => it.name)
      .sort(),
  );
  expect(queue.photos.map((it) => it.answer?.photo)).toEqual(photos(19).map((it) => it.name));
});

test("a photo that is too large is not sent", async () => {
  const seen = server(answers);
  const queue = new LocateQueue(0, () => undefined);
  queue.add(photos(1));
  queue.start();
  expect(queue.photos[0]?.failure).toMatch(/the most is/);
  expect(seen.requests).toHaveLength(0);
});

test("where a request is too large, its photos are tried one by one", async () => {
  server((names) =>
    names.length > 1 || names[0] === "2.jpg"
      ? Response.json({ error: "too large" }, { status: 413 })
      : answers(names),
  );
  const queue = new LocateQueue(1 << 20, () => undefined);
  queue.add(photos(4));
  queue.start();
  await finished(queue);
  expect(queue.photos.map((it) => it.failure)).toEqual([null, null, "too large", null]);
});

test("a full queue is waited for", async () => {
  let refused = false;
  server((names) => {
    if (refused) return answers(names);
    refused = true;
    return Response.json({ error: "busy" }, { status: 429, headers: { "Retry-After": "0.05" } });
  });
  const queue = new LocateQueue(1 << 20, () => undefined);
  queue.add(photos(2));
  queue.start();
  await finished(queue);
  expect(queue.photos.every((it) => it.state === "done")).toBe(true);
});

test("a server that is gone halts the queue, which can go on later", async () => {
  let gone = true;
  server((names) => {
    if (gone) throw new TypeError("Failed to fetch");
    return answers(names);
  });
  const queue = new LocateQueue(1 << 20, () => undefined);
  queue.add(photos(3));
  queue.start();
  await vi.waitFor(() => expect(queue.halted?.status).toBe(0));
  expect(queue.finished).toBe(0);
  gone = false;
  queue.resume();
  await finished(queue);
  expect(queue.halted).toBeNull();
});
