/** A component of a JPEG's frame, with the coefficients that its scans have filled. */
export interface Component {
  readonly id: number;
  /** Sampling factors. */
  readonly h: number;
  readonly v: number;
  readonly quantisation: number;
  /** Blocks of a row, and rows of blocks, padded to whole MCUs. */
  readonly columns: number;
  readonly rows: number;
  /** 64 coefficients a block, in the natural order. */
  readonly blocks: Int16Array;
}

/** What a frame says (ITU-T T.81, B.2.2). */
export interface Frame {
  readonly progressive: boolean;
  readonly width: number;
  readonly height: number;
  readonly components: readonly Component[];
  /** Columns and rows of MCUs. */
  readonly mcus: readonly [number, number];
}

/** A Huffman code: for each 16 bits of the stream the length of the code that begins there, and its value. */
export type Code = Uint16Array;

/** A kind of JPEG, or damage, that is left to the browser's decoder. */
export class NotDecoded extends Error {}

export const ZIGZAG = Uint8Array.from([
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14,
  21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53,
  60, 61, 54, 47, 55, 62, 63,
]);

/** The tables of a file, as the segments set them. */
export class Tables {
  readonly quantisation: (Int32Array | undefined)[] = [];
  readonly dc: (Code | undefined)[] = [];
  readonly ac: (Code | undefined)[] = [];
  restart = 0;
  /** The colours that Adobe's marker states: 0 as they are, 1 luma and chroma, 2 the same with black. */
  transform: number | null = null;

  /** A segment DQT; the steps are kept in the natural order. */
  quantise(segment: Uint8Array): void {
    for (let at = 0; at < segment.length; ) {
      const kind = byte(segment, at++);
      const wide = kind >> 4 > 0;
      const table = new Int32Array(64);
      for (const place of ZIGZAG) {
        table[place] = wide ? byte(segment, at) * 256 + byte(segment, at + 1) : byte(segment, at);
        at += wide ? 2 : 1;
      }
      this.quantisation[kind & 15] = table;
    }
  }

  /** A segment DHT. */
  huffman(segment: Uint8Array): void {
    for (let at = 0; at < segment.length; ) {
      const kind = byte(segment, at);
      const counts = segment.subarray(at + 1, at + 17);
      at += 17;
      const code = new Uint16Array(1 << 16);
      let next = 0;
      for (let length = 1; length <= 16; length += 1) {
        for (let i = byte(counts, length - 1); i > 0; i -= 1) {
          const size = 1 << (16 - length);
          if (next + size > code.length) throw new NotDecoded("a Huffman table is over-full");
          code.fill((length << 8) | byte(segment, at++), next, next + size);
          next += size;
        }
      }
      (kind >> 4 === 0 ? this.dc : this.ac)[kind & 15] = code;
    }
  }
}

/** A byte that must be there. */
export function byte(bytes: Uint8Array, at: number): number {
  const value = bytes[at];
  if (value === undefined) throw new NotDecoded("a segment is too short");
  return value;
}

/**
 * The frame of a segment SOF. Only the codings and samplings are taken that the command decodes with its
 * first decoder; its second one has the pixels of libjpeg, which is what browsers use.
 */
export function frameOf(marker: number, segment: Uint8Array): Frame {
  const [height, width] = [1, 3].map((at) => byte(segment, at) * 256 + byte(segment, at + 1)) as [number, number];
  const count = byte(segment, 5);
  if (marker > 0xc2 || byte(segment, 0) !== 8 || width === 0 || height === 0) throw new NotDecoded("its coding");
  const stated = Array.from({ length: count }, (_, i) => {
    const [id, factors, quantisation] = [0, 1, 2].map((k) => byte(segment, 6 + 3 * i + k)) as [number, number, number];
    return { id, h: factors >> 4, v: factors & 15, quantisation };
  });
  const isRgb = String.fromCharCode(...stated.map(({ id }) => id)) === "RGB";
  const first = stated[0];
  const plain = stated.slice(1).every((it) => it.h === 1 && it.v === 1);
  const sampling = first ? `${first.h}x${first.v}` : "";
  const known = count === 3 ? ["1x1", "2x1", "1x2", "2x2", "4x1"] : [1, 4].includes(count) ? ["1x1"] : [];
  if (!first || !plain || isRgb || !known.includes(sampling)) throw new NotDecoded("its sampling");
  const mcus = [Math.ceil(width / (8 * first.h)), Math.ceil(height / (8 * first.v))] as const;
  const components = stated.map((it) => {
    const [columns, rows] = [mcus[0] * it.h, mcus[1] * it.v];
    return { ...it, columns, rows, blocks: new Int16Array(64 * columns * rows) };
  });
  return { progressive: marker === 0xc2, width, height, components, mcus };
}
