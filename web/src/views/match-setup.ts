import { button, h } from "../ui/element.ts";
import { icon } from "../ui/icons.ts";

export interface MatchPlan {
  rounds: number;
  players: string[];
  /** Whether all players see the same photos. */
  shared: boolean;
}

const MOST_PLAYERS = 10;
const ROUNDS = 5;

type Kind = "one" | "two" | "tournament";

const KINDS: [Kind, string, string][] = [
  ["one", "One player", "You against PlaNet"],
  ["two", "Two players", "The same photos, at one screen"],
  ["tournament", "Tournament", "Up to ten people, each with photos of their own, as in the paper"],
];

/** The form before a match: who plays, and how many rounds. */
export function matchSetup(photos: number, start: (plan: MatchPlan) => void): HTMLElement {
  let kind: Kind = "one";
  const names = h("div", { class: "setup-names" });
  const add = button(
    { class: "button", click: () => addName(`Player ${inputs().length + 1}`) },
    icon("plus"),
    "Add a player",
  );
  const rounds = h("input", { type: "number", min: "1", max: "50", value: String(ROUNDS), required: true });
  const inputs = () => [...names.querySelectorAll("input")];

  function addName(value: string): void {
    const number = inputs().length + 1;
    if (number > MOST_PLAYERS) return;
    const input = h("input", { type: "text", required: true, maxlength: "30", autocomplete: "off", value });
    names.append(
      h("label", { class: "field" }, h("span", {}, kind === "one" ? "Your name" : `Player ${number}`), input),
    );
    add.disabled = number >= MOST_PLAYERS;
  }

  function show(chosen: Kind): void {
    const before = inputs().map((it) => it.value);
    kind = chosen;
    names.replaceChildren();
    const count = { one: 1, two: 2, tournament: Math.max(3, before.length) }[kind];
    for (let i = 0; i < count; i += 1) addName(before[i] ?? `Player ${i + 1}`);
    add.hidden = kind !== "tournament";
  }

  const kinds = KINDS.map(([id, title, words]) => {
    const radio = h("input", { type: "radio", name: "kind", value: id, checked: id === kind });
    radio.addEventListener("change", () => show(id));
    return h(
      "label",
      { class: "setup-kind" },
      radio,
      h("span", {}, h("strong", {}, title), h("span", { class: "hint" }, words)),
    );
  });

  const form = h(
    "form",
    { class: "setup" },
    h("h1", {}, "Match"),
    h(
      "p",
      { class: "hint" },
      `Guess where photos were taken, against PlaNet. The photos are drawn from ${photos.toLocaleString("en-GB")} whose position is known. A guess gains up to 5,000 points; at 1,000 km it gains 2,559.`,
    ),
    h("fieldset", { class: "setup-kinds" }, h("legend", {}, "Who plays?"), ...kinds),
    names,
    add,
    h("label", { class: "field setup-rounds" }, h("span", {}, "Rounds"), rounds),
    h("button", { type: "submit", class: "button button-primary" }, "Start"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const players = inputs().map((it) => it.value.trim());
    const twice = inputs().find(
      (it, i) => players.indexOf(players[i] ?? "") !== i || it.value.trim().toLowerCase() === "planet",
    );
    inputs().forEach((it) =>
      it.setCustomValidity(it === twice ? "Each player needs a name of their own, other than PlaNet" : ""),
    );
    if (!form.reportValidity()) return;
    start({ rounds: Number(rounds.value), players, shared: kind !== "tournament" });
  });
  names.addEventListener("input", () => inputs().forEach((it) => it.setCustomValidity("")));
  show(kind);
  return form;
}
