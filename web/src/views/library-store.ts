import {
  decide,
  library,
  type Decision,
  type DecisionChange,
  type Library,
  type LibraryPhoto,
} from "../api/library.ts";
import type { LatLng } from "../api/photos.ts";
import { ApiError } from "../api/request.ts";

/** What a photo was before a change. */
interface Before {
  id: number;
  decision: Decision;
  position: LatLng | null;
}

/** The library with its decisions. Changes are shown at once and sent one after another; each can be undone. */
export class LibraryStore {
  private readonly undos: Before[][] = [];
  private sending: Promise<void> = Promise.resolve();
  /** How often the library was loaded again. */
  private loaded = 0;

  constructor(
    public data: Library,
    /** Called after each change. */
    private readonly changed: () => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  get photos(): readonly LibraryPhoto[] {
    return this.data.photos;
  }

  get canUndo(): boolean {
    return this.undos.length > 0;
  }

  /** When everything that was decided has arrived at the server. */
  get settled(): Promise<void> {
    return this.sending;
  }

  set(ids: readonly number[], decision: Decision, position: LatLng | null = null): void {
    const before = this.remember(ids);
    if (before.length === 0) return;
    this.undos.push(before);
    this.apply(before.map(({ id }) => ({ id, decision, position })));
  }

  /** Takes the last change back, and returns its photos. */
  undo(): number[] {
    const before = this.undos.pop();
    if (!before) return [];
    this.apply(before);
    return before.map((it) => it.id);
  }

  count(decision: Decision): number {
    return this.photos.filter((it) => it.decision === decision && (decision !== "open" || it.found)).length;
  }

  private remember(ids: readonly number[]): Before[] {
    return ids.flatMap((id) => {
      const photo = this.photos[id];
      return photo ? [{ id, decision: photo.decision, position: photo.position }] : [];
    });
  }

  private apply(states: readonly Before[]): void {
    const changes = states.map(({ id, decision, position }): DecisionChange => {
      const photo = this.photos[id];
      if (photo) Object.assign(photo, { decision, position });
      return position && decision === "corrected"
        ? { id, decision, lat: position.lat, lng: position.lng }
        : { id, decision };
    });
    this.changed();
    const { loaded } = this;
    // What was decided upon a state that has been replaced is not sent.
    this.sending = this.sending.then(() => (loaded === this.loaded ? this.send(changes) : undefined));
  }

  private async send(changes: DecisionChange[]): Promise<void> {
    try {
      this.data.version = (await decide(this.data.version, changes)).version;
    } catch (error) {
      // The server's state counts: what was shown at once may not have been taken.
      this.undos.length = 0;
      await this.reload();
      this.failed(
        error instanceof ApiError && error.status === 409
          ? new ApiError(
              409,
              "The library was changed elsewhere",
              "It was loaded again. Please repeat your last decision.",
            )
          : error,
      );
    }
  }

  async reload(): Promise<void> {
    try {
      this.loaded += 1;
      this.data = await library();
      this.changed();
    } catch {
      // The error that led here is reported by its own words.
    }
  }
}
