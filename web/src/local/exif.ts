import type { LatLng } from "../api/photos.ts";

/** What a photo's EXIF block says. */
export interface Exif {
  /** 1 to 8; 1 is upright. */
  orientation: number;
  position: LatLng | null;
}

const NOTHING: Exif = { orientation: 1, position: null };

/** The EXIF of a JPEG or PNG; nothing where it has none or is damaged. */
export function exifOf(bytes: Uint8Array): Exif {
  const block = bytes[0] === 0xff ? ofJpeg(bytes) : bytes[0] === 0x89 ? ofPng(bytes) : null;
  if (!block) return NOTHING;
  try {
    return new Block(block).exif();
  } catch (error) {
    // An offset that leads out of the block.
    if (error instanceof RangeError) return NOTHING;
    throw error;
  }
}

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** Segments APP1 lie before the first scan. */
function ofJpeg(bytes: Uint8Array): Uint8Array | null {
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff && bytes[at + 1] !== 0xda; ) {
    const length = view(bytes).getUint16(at + 2);
    const segment = bytes.subarray(at + 4, at + 2 + length);
    if (bytes[at + 1] === 0xe1 && text(segment.subarray(0, 6)) === "Exif\0\0") return segment.subarray(6);
    at += 2 + length;
  }
  return null;
}

function ofPng(bytes: Uint8Array): Uint8Array | null {
  for (let at = 8; at + 8 <= bytes.length; ) {
    const length = view(bytes).getUint32(at);
    if (text(bytes.subarray(at + 4, at + 8)) === "eXIf") return bytes.subarray(at + 8, at + 8 + length);
    at += 12 + length;
  }
  return null;
}

/** Tags, and bytes of a value of each type (Exif 3.0, 4.6). */
const ORIENTATION = 0x0112;
const GPS = 0x8825;
const SIZES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];

/** An entry of a directory: where its values stand. */
interface Entry {
  type: number;
  count: number;
  at: number;
}

/** A TIFF structure. Reading beyond its end throws a RangeError. */
class Block {
  private readonly data: DataView;
  private readonly little: boolean;

  constructor(bytes: Uint8Array) {
    this.data = view(bytes);
    this.little = this.data.getUint16(0) === 0x4949;
  }

  exif(): Exif {
    const first = this.directory(this.long(4));
    const stated = first.get(ORIENTATION);
    const orientation = stated ? this.data.getUint16(stated.at, this.little) : 1;
    const gps = first.get(GPS);
    return {
      orientation: orientation >= 1 && orientation <= 8 ? orientation : 1,
      position: gps ? this.position(this.directory(this.long(gps.at))) : null,
    };
  }

  private long(at: number): number {
    return this.data.getUint32(at, this.little);
  }

  private directory(at: number): Map<number, Entry> {
    const entries = new Map<number, Entry>();
    const count = this.data.getUint16(at, this.little);
    for (let i = 0, entry = at + 2; i < count; i += 1, entry += 12) {
      const [tag, type] = [0, 2].map((k) => this.data.getUint16(entry + k, this.little)) as [number, number];
      const values = this.long(entry + 4);
      const inside = values * (SIZES[type] ?? 1) <= 4;
      entries.set(tag, { type, count: values, at: inside ? entry + 8 : this.long(entry + 8) });
    }
    return entries;
  }

  private position(gps: Map<number, Entry>): LatLng | null {
    const lat = this.coordinate(gps.get(2), gps.get(1), "S", 90);
    const lng = this.coordinate(gps.get(4), gps.get(3), "W", 180);
    // 0,0 is what cameras without a fix write.
    return lat === null || lng === null || (lat === 0 && lng === 0) ? null : { lat, lng };
  }

  private coordinate(entry: Entry | undefined, side: Entry | undefined, negative: string, most: number) {
    if (!entry || !side || entry.type !== 5) return null;
    let value = 0;
    for (let i = 0; i < Math.min(entry.count, 3); i += 1) {
      const [over, under] = [this.long(entry.at + 8 * i), this.long(entry.at + 8 * i + 4)];
      if (under === 0 && over !== 0) return null;
      value += (under === 0 ? 0 : over / under) / 60 ** i;
    }
    if (!(value <= most)) return null;
    return String.fromCharCode(this.data.getUint8(side.at)) === negative ? -value : value;
  }
}
