import type { ServerState } from "../api/state.ts";

/** A part of the page. It is made when it is first shown, and kept. */
export interface PageView {
  readonly element: HTMLElement;
  /** Called each time the view comes onto the screen. */
  shown?(): void;
}

export type MakeView = (state: ServerState) => PageView;
