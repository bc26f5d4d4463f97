import type { ServerState } from "../api/state.ts";
import { h } from "../ui/element.ts";
import { commands, empty } from "../ui/notice.ts";

// What views show without their data: what they are for, and how to get it.

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
    h(
      "p",
      { class: "hint" },
      "Then start the server again with ",
      h("code", {}, "planet serve --model MODEL"),
      ".",
    ),
  );
}

export function withoutLibrary(): HTMLElement {
  return empty(
    "library",
    "Find missing positions",
    "In a photo library, photos without a position are located by those taken shortly before and after. No model is needed. Start the server with a folder:",
    commands(
      [
        "planet serve --library ~/Pictures",
        "locates the photos, and shows here what was found, with the evidence",
      ],
      ["planet library locate ~/Pictures -o found.jsonl", "does the same on the command line"],
    ),
  );
}

export function withoutPhotos(): HTMLElement {
  return empty(
    "match",
    "Guess against PlaNet",
    "For a match the server needs photos whose position is known and that the model has not seen in training. Start it with a dataset:",
    commands([
      "planet serve --model MODEL --match MANIFEST",
      "a manifest of photos, or MANIFEST:SPLIT for a part of it",
    ]),
  );
}

export function withoutReport(): HTMLElement {
  return empty(
    "compare",
    "How good is the model?",
    "The report of an evaluation has accuracies with confidence intervals beside an ideal classifier and trivial baselines, a map of errors, confusions and examples. Write one, and start the server with it:",
    commands(
      [
        "planet evaluate --model MODEL --dataset DATASET -o report",
        "evaluates the model on photos that it has not seen in training",
      ],
      ["planet serve --model MODEL --report report/index.html", "shows the report here"],
    ),
  );
}
