import { h } from "../ui/element.ts";
import type { PageView } from "./view.ts";
import type { ServerState } from "../api/state.ts";
export class MatchView implements PageView {
  readonly element = h("section", { class: "view" });
  static make(_state: ServerState): PageView { return new MatchView(); }
}
