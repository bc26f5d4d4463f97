import { afterEach, expect, test, vi } from "vitest";
import type { Library } from "../../src/api/library.ts";
import { LibraryStore } from "../../src/views/library-store.ts";

const found = { lat: 1, lng: 2, radius_km: 1, probability: 0.9, level: "street", name: "Rome" };
const data = (): Library => ({
  folder: "Pictures",
  state: "ready",
  progress: null,
  error: null,
  version: 7,
  photos: [0, 1, 2].map((id) => ({
    id,
    photo: `${id}.jpg`,
    time: null,
    known: null,
    found,
    evidence: [],
    decision: "open",
    position: null,
  })),
});

/** A server that keeps what it is sent, and refuses versions that are not its own. */
function server() {
  const sent: unknown[] = [];
  const state = { version: 7, sent };
  vi.stubGlobal("fetch", async (_path: string, init: RequestInit) => {
    if (init.method !== "POST") return Response.json({ ...data(), version: state.version });
    const body = JSON.parse(String(init.body)) as { version: number; decisions: unknown[] };
    if (body.version !== state.version)
      return Response.json({ error: "changed", version: state.version }, { status: 409 });
    sent.push(body.decisions);
    state.version += 1;
    return Response.json({ version: state.version });
  });
  return state;
}

afterEach(() => vi.unstubAllGlobals());

test("decisions are sent one after another, each upon the version before", async () => {
  const state = server();
  const store = new LibraryStore(
    data(),
    () => undefined,
    (error) => expect.fail(String(error)),
  );
  store.set([0, 1], "accepted");
  store.set([2], "corrected", { lat: 5, lng: 6 });
  await store.settled;
  expect(state.sent).toEqual([
    [
      { id: 0, decision: "accepted" },
      { id: 1, decision: "accepted" },
    ],
    [{ id: 2, decision: "corrected", lat: 5, lng: 6 }],
  ]);
  expect(store.data.version).toBe(9);
});

test("undo restores what was there before, also a correction", async () => {
  server();
  const store = new LibraryStore(
    data(),
    () => undefined,
    (error) => expect.fail(String(error)),
  );
  store.set([1], "corrected", { lat: 5, lng: 6 });
  store.set([0, 1], "rejected");
  expect(store.undo()).toEqual([0, 1]);
  expect(store.photos.map((it) => it.decision)).toEqual(["open", "corrected", "open"]);
  expect(store.photos[1]?.position).toEqual({ lat: 5, lng: 6 });
  expect(store.undo()).toEqual([1]);
  expect(store.photos[1]).toMatchObject({ decision: "open", position: null });
  expect(store.undo()).toEqual([]);
  await store.settled;
});

test("after a conflict the server's state counts, and nothing can be undone", async () => {
  const state = server();
  const errors: unknown[] = [];
  const store = new LibraryStore(
    data(),
    () => undefined,
    (error) => errors.push(error),
  );
  state.version = 12;
  store.set([0], "accepted");
  store.set([1], "accepted");
  await store.settled;
  expect(errors).toHaveLength(1);
  expect(state.sent).toEqual([]);
  expect(store.photos[0]?.decision).toBe("open");
  expect(store.data.version).toBe(12);
  expect(store.canUndo).toBe(false);
});
