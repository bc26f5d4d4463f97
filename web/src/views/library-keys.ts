/** Keys of the library, and what each does. */
export type KeyActions = Record<"a" | "r" | "c" | "u" | "g" | "j" | "k" | "Escape", () => void>;

const isAction = (key: string, actions: KeyActions): key is keyof KeyActions => key in actions;

/** Calls the action of a key while the view is `active` and nobody is typing. Ctrl Z undoes, as U does. */
export function followLibraryKeys(active: () => boolean, actions: KeyActions): void {
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof Element && /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (typing || event.altKey || !active()) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const command = event.ctrlKey || event.metaKey;
    if (command && key === "z") actions.u();
    else if (!command && isAction(key, actions)) actions[key]();
    else return;
    event.preventDefault();
  });
}
