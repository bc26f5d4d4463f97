import type { ServerState } from "../api/state.ts";
import { commands, empty } from "../ui/notice.ts";
import { h } from "../ui/element.ts";

/** A part of the page. It is made when it is first shown, and kept. */
export interface PageView {
  readonly element: HTMLElement;
  /** Called each time the view comes onto the screen. */
  shown?(): void;
}

export type MakeView = (state: ServerState) => PageView;

/** What a view that needs a model shows without one. */
export function withoutModel(state: ServerState): HTMLElement {
  const words: Record<string, string> = {
    demo: "makes a model of synthetic photos in about ten minutes, to try everything",
    train: "trains a model on your own photos",
    model: "imports a classifier of another project",
  };
  const ways = state.get_model ?? ["planet demo", "planet train", "planet model import"];
  return empty(
    "locate",
    "This needs a model",
    "The server was started without one. No model for real photos is included with PlaNet. There are three ways to get one:",
    commands(...ways.map((it): [string, string] => [it, words[it.split(" ")[1] ?? ""] ?? ""])),
    h("p", { class: "hint" }, "Then start the server again with ", h("code", {}, "planet serve --model MODEL"), "."),
  );
}
