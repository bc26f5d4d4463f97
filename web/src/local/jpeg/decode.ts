/**
 * JPEG to pixels, bit for bit as the command decodes it (zune-jpeg). Browsers enlarge chroma with other
 * rounding, which moves a pixel by up to a few units and a probability by more than the command and the page
 * may differ. Kinds that are rare, and damaged files, are left to the browser.
 */
import { Bits } from "./bits.ts";
import { byte, frameOf, NotDecoded, Tables, type Frame } from "./file.ts";
import { pixelsOf } from "./pixels.ts";
import { readScan, type ScanHeader } from "./scan.ts";

export interface Decoded {
  width: number;
  height: number;
  /** `[height, width, 3]`. */
  rgb: Uint8Array;
}

/** Width and height that a JPEG states; `null` where it has none. */
export type CheckSize = (width: number, height: number) => void;

/** The pixels as they are stored; `null` for what the browser should decode. `check` may throw. */
export function decodeJpeg(bytes: Uint8Array, check: CheckSize): Decoded | null {
  try {
    return new Reader(bytes, check).decode();
  } catch (error) {
    if (error instanceof NotDecoded) return null;
    throw error;
  }
}

class Reader {
  private readonly tables = new Tables();
  private frame: Frame | null = null;
  private at = 2;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly check: CheckSize,
  ) {
    if (bytes[0] !== 0xff || bytes[1] !== 0xd8) throw new NotDecoded("not a JPEG");
  }

  decode(): Decoded {
    for (let scans = 0; ; ) {
      const marker = this.marker();
      if (marker === 0xd9) {
        if (!this.frame || scans === 0) throw new NotDecoded("no picture");
        const { width, height } = this.frame;
        return { width, height, rgb: pixelsOf(this.frame, this.tables) };
      }
      const segment = this.segment();
      if (marker === 0xc4) this.tables.huffman(segment);
      else if (marker === 0xdb) this.tables.quantise(segment);
      else if (marker === 0xdd) this.tables.restart = byte(segment, 0) * 256 + byte(segment, 1);
      else if (marker === 0xda) {
        this.scan(segment);
        scans += 1;
      } else if (marker === 0xee) this.tables.transform = transformOf(segment) ?? this.tables.transform;
      else if (marker >= 0xc0 && marker <= 0xcf) this.begin(marker, segment);
    }
  }

  private begin(marker: number, segment: Uint8Array): void {
    if (this.frame) throw new NotDecoded("several frames");
    this.check(byte(segment, 3) * 256 + byte(segment, 4), byte(segment, 1) * 256 + byte(segment, 2));
    this.frame = frameOf(marker, segment);
  }

  private scan(segment: Uint8Array): void {
    const { frame, tables } = this;
    if (!frame) throw new NotDecoded("a scan without a frame");
    const count = byte(segment, 0);
    const slots = Array.from({ length: count }, (_, i) => {
      const component = frame.components.find(({ id }) => id === byte(segment, 1 + 2 * i));
      if (!component) throw new NotDecoded("a scan of an unknown component");
      const codes = byte(segment, 2 + 2 * i);
      return { component, dc: tables.dc[codes >> 4], ac: tables.ac[codes & 15] };
    });
    if (!frame.progressive && count !== frame.components.length) throw new NotDecoded("components apart");
    const [first, last, bits] = [1, 2, 3].map((k) => byte(segment, 2 * count + k)) as [number, number, number];
    const header: ScanHeader = { slots, first, last: Math.min(last, 63), high: bits >> 4, low: bits & 15 };
    if (first > 0 && count > 1) throw new NotDecoded("coefficients of several components");
    const stream = new Bits(this.bytes, this.at);
    readScan(frame, tables, header, stream);
    this.at = stream.at;
  }

  private marker(): number {
    if (this.bytes[this.at] !== 0xff) throw new NotDecoded("no marker where one should be");
    while (this.bytes[this.at] === 0xff) this.at += 1;
    return byte(this.bytes, this.at++);
  }

  private segment(): Uint8Array {
    const length = byte(this.bytes, this.at) * 256 + byte(this.bytes, this.at + 1);
    const segment = this.bytes.subarray(this.at + 2, this.at + length);
    this.at += length;
    return segment;
  }
}

/** What Adobe's marker states of the colours. */
function transformOf(segment: Uint8Array): number | null {
  const isAdobe = String.fromCharCode(...segment.subarray(0, 5)) === "Adobe";
  return isAdobe ? byte(segment, 11) : null;
}
