import { button, h } from "../ui/element.ts";
import { icon } from "../ui/icons.ts";

const PHOTO_NAME = /\.(jpe?g|png|webp|tiff?|gif|heic|heif|avif)$/i;

export const isPhoto = (file: File): boolean => file.type.startsWith("image/") || PHOTO_NAME.test(file.name);

/** What was dropped or chosen. */
export interface Chosen {
  photos: File[];
  /** Files that are not photos. */
  ignored: number;
}

function chosen(files: readonly File[]): Chosen {
  const photos = files.filter((it) => isPhoto(it) && !it.name.startsWith("._"));
  return { photos, ignored: files.length - photos.length };
}

function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  return new Promise((resolve, reject) => {
    // A folder is read in parts; an empty part is the end.
    const next = () =>
      reader.readEntries((part) => {
        if (part.length === 0) return resolve(all);
        all.push(...part);
        next();
      }, reject);
    next();
  });
}

async function filesBelow(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) {
    const file = entry as FileSystemFileEntry;
    return [await new Promise<File>((resolve, reject) => file.file(resolve, reject))];
  }
  const files: File[] = [];
  const entries = await entriesOf(entry as FileSystemDirectoryEntry);
  entries.sort((a, b) => a.name.localeCompare(b.name));
  for (const below of entries) files.push(...(await filesBelow(below)));
  return files;
}

/** The files of a drop, folders opened. */
export async function filesOf(transfer: DataTransfer): Promise<Chosen> {
  // Entries exist only during the event: take them before the first await.
  const items = [...transfer.items].filter((it) => it.kind === "file");
  const entries = items.map((it) => it.webkitGetAsEntry());
  const plain = [...transfer.files];
  if (entries.every((it) => !it?.isDirectory)) return chosen(plain);
  const files: File[] = [];
  for (const entry of entries) if (entry) files.push(...(await filesBelow(entry)));
  return chosen(files);
}

/** Buttons to choose photos or a folder, for those who do not drop. */
export function chooseButtons(take: (chosen: Chosen) => void, primary: boolean): HTMLElement {
  const input = (folder: boolean) => {
    const element = h("input", {
      type: "file",
      multiple: true,
      hidden: true,
      accept: folder ? undefined : "image/*,.heic,.heif,.avif,.tif,.tiff",
      webkitdirectory: folder,
      "aria-label": folder ? "Folder of photos" : "Photos",
    });
    element.addEventListener("change", () => {
      const files = [...(element.files ?? [])];
      element.value = "";
      if (files.length > 0) take(chosen(files));
    });
    return element;
  };
  const [photos, folder] = [input(false), input(true)];
  const name = primary ? "button button-primary" : "button";
  return h(
    "div",
    { class: "choose" },
    button(
      { class: name, click: () => photos.click() },
      icon("photo"),
      primary ? "Choose photos" : "Add photos",
    ),
    button(
      { class: "button", click: () => folder.click() },
      icon("folder"),
      primary ? "Choose a folder" : "Add folder",
    ),
    photos,
    folder,
  );
}

/** Lets photos be dropped anywhere on an element. */
export function acceptDrops(element: HTMLElement, take: (chosen: Chosen) => void): void {
  let depth = 0;
  const over = (change: number) => {
    depth = Math.max(0, depth + change);
    element.classList.toggle("dropping", depth > 0);
  };
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  element.addEventListener("dragenter", (event) => {
    if (hasFiles(event)) over(1);
  });
  element.addEventListener("dragleave", () => over(-1));
  element.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
  });
  element.addEventListener("drop", (event) => {
    depth = 0;
    over(0);
    if (!event.dataTransfer) return;
    event.preventDefault();
    void filesOf(event.dataTransfer).then(take);
  });
}
