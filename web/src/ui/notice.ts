import { ApiError } from "../api/request.ts";
import { announce } from "./announce.ts";
import { button, h } from "./element.ts";
import { icon, type IconName } from "./icons.ts";

/** An error as title and cure, in words for the person at the page. */
export function errorWords(error: unknown): { title: string; cure: string } {
  if (!(error instanceof ApiError)) {
    return { title: error instanceof Error ? error.message : String(error), cure: "" };
  }
  const cures: Record<number, string> = {
    413: "The photos are larger than the server accepts. Send fewer or smaller photos, or start planet serve with a higher limit.",
    422: "The file is damaged or not a photo that the program can read.",
    503: "The server is stopping, or has no model.",
  };
  return { title: error.message, cure: error.hint ?? cures[error.status] ?? "" };
}

/** A box that says what went wrong and what helps. */
export function errorNotice(error: unknown, ...actions: HTMLElement[]): HTMLElement {
  const { title, cure } = errorWords(error);
  return notice("error", title, cure, ...actions);
}

export function notice(
  kind: "error" | "warning" | "note",
  title: string,
  text: string,
  ...actions: HTMLElement[]
): HTMLElement {
  const words = { error: "Error", warning: "Warning", note: "Note" }[kind];
  return h(
    "div",
    { class: `notice notice-${kind}`, role: kind === "error" ? "alert" : "note" },
    icon("warning"),
    h(
      "div",
      { class: "notice-text" },
      h("strong", {}, h("span", { class: "unseen" }, `${words}: `), title),
      text !== "" && h("p", {}, text),
      actions.length > 0 && h("div", { class: "actions" }, ...actions),
    ),
  );
}

/** A view without its data: what it is for, and how to fill it. */
export function empty(name: IconName, title: string, text: string, ...more: HTMLElement[]): HTMLElement {
  return h("section", { class: "empty" }, icon(name), h("h1", {}, title), h("p", {}, text), ...more);
}

/** Commands to type, each with what it does. */
export function commands(...lines: [command: string, words: string][]): HTMLElement {
  return h(
    "dl",
    { class: "commands" },
    ...lines.flatMap(([command, words]) => [
      h("dt", {}, h("code", {}, command), copyButton(command)),
      h("dd", {}, words),
    ]),
  );
}

/** Copies a command. Browsers allow it on this machine and over HTTPS only. */
function copyButton(command: string): HTMLElement | null {
  if (!("clipboard" in navigator)) return null;
  const element = button({ class: "copy", label: `Copy: ${command}`, click: () => void copy() }, "Copy");
  const copy = async () => {
    await navigator.clipboard.writeText(command);
    element.textContent = "Copied";
    announce("Copied");
    setTimeout(() => (element.textContent = "Copy"), 2000);
  };
  return element;
}
