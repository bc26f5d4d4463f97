import type { Bits } from "./bits.ts";
import { NotDecoded, ZIGZAG, type Code, type Component, type Frame, type Tables } from "./file.ts";

/** A component of a scan with its codes. */
export interface Slot {
  readonly component: Component;
  readonly dc: Code | undefined;
  readonly ac: Code | undefined;
}

/** What a scan's header says: spectral selection and successive approximation (T.81, B.2.3). */
export interface ScanHeader {
  readonly slots: readonly Slot[];
  readonly first: number;
  readonly last: number;
  readonly high: number;
  readonly low: number;
}

/** Reads a scan into the coefficients of its components. */
export function readScan(frame: Frame, tables: Tables, header: ScanHeader, bits: Bits): void {
  const reader = new ScanReader(frame.progressive, header, bits);
  const alone = header.slots.length === 1 ? header.slots[0] : undefined;
  const [columns, rows] = alone ? blocksOf(frame, alone.component) : frame.mcus;
  for (let mcu = 0; mcu < columns * rows; mcu += 1) {
    if (tables.restart > 0 && mcu > 0 && mcu % tables.restart === 0) {
      bits.restart(mcu / tables.restart - 1);
      reader.reset();
    }
    const [column, row] = [mcu % columns, Math.floor(mcu / columns)];
    if (alone) reader.block(0, column, row);
    else
      header.slots.forEach(({ component: { h, v } }, slot) => {
        for (let y = 0; y < v; y += 1)
          for (let x = 0; x < h; x += 1) reader.block(slot, column * h + x, row * v + y);
      });
  }
  bits.end();
}

/** Columns and rows of blocks of a component in a scan of its own: without those that only fill MCUs. */
function blocksOf(frame: Frame, { h, v }: Component): [number, number] {
  const { h: hMax, v: vMax } = frame.components[0] as Component;
  const blocks = (side: number, factor: number, most: number) => Math.ceil(Math.ceil((side * factor) / most) / 8);
  return [blocks(frame.width, h, hMax), blocks(frame.height, v, vMax)];
}

class ScanReader {
  private readonly predicted: number[];
  /** Blocks that have no further coefficients in this scan. */
  private run = 0;

  constructor(
    private readonly progressive: boolean,
    private readonly header: ScanHeader,
    private readonly bits: Bits,
  ) {
    this.predicted = header.slots.map(() => 0);
  }

  reset(): void {
    this.predicted.fill(0);
    this.run = 0;
  }

  block(slot: number, column: number, row: number): void {
    const { component, dc, ac } = this.header.slots[slot] as Slot;
    const at = 64 * (row * component.columns + column);
    const block = component.blocks.subarray(at, at + 64);
    const { first, high } = this.header;
    if (!this.progressive) {
      block[0] = this.difference(slot, dc);
      this.baseline(block, ac);
    } else if (first === 0) {
      if (high === 0) block[0] = this.difference(slot, dc) << this.header.low;
      else if (this.bits.take(1) === 1) block[0] = (block[0] as number) | (1 << this.header.low);
    } else if (high === 0) this.begin(block, ac);
    else this.refine(block, ac);
  }

  private difference(slot: number, code: Code | undefined): number {
    const value = (this.predicted[slot] as number) + this.bits.signed(this.bits.symbol(sound(code)));
    this.predicted[slot] = value;
    return value;
  }

  private baseline(block: Int16Array, code: Code | undefined): void {
    const { bits } = this;
    const table = sound(code);
    for (let k = 1; k < 64; k += 1) {
      const symbol = bits.symbol(table);
      const [zeros, category] = [symbol >> 4, symbol & 15];
      if (category === 0) {
        if (zeros < 15) return;
        k += 15;
        continue;
      }
      k += zeros;
      if (k > 63) throw new NotDecoded("a block has too many coefficients");
      block[ZIGZAG[k] as number] = bits.signed(category);
    }
  }

  /** The first bits of a band of coefficients (T.81, G.1.2.2). */
  private begin(block: Int16Array, code: Code | undefined): void {
    if (this.run > 0) {
      this.run -= 1;
      return;
    }
    const { bits } = this;
    const { first, last, low } = this.header;
    const table = sound(code);
    for (let k = first; k <= last; k += 1) {
      const symbol = bits.symbol(table);
      const [zeros, category] = [symbol >> 4, symbol & 15];
      if (category === 0) {
        if (zeros < 15) {
          this.run = (1 << zeros) + bits.take(zeros) - 1;
          return;
        }
        k += 15;
        continue;
      }
      k += zeros;
      if (k > last) throw new NotDecoded("a block has too many coefficients");
      block[ZIGZAG[k] as number] = bits.signed(category) << low;
    }
  }

  /** One more bit of a band of coefficients (T.81, G.1.2.3). */
  private refine(block: Int16Array, code: Code | undefined): void {
    const { bits } = this;
    const { first, last, low } = this.header;
    const table = sound(code);
    const step = 1 << low;
    let k = first;
    if (this.run === 0) {
      for (; k <= last; k += 1) {
        const symbol = bits.symbol(table);
        const [zeros, category] = [symbol >> 4, symbol & 15];
        let value = 0;
        if (category === 0) {
          if (zeros < 15) {
            this.run = (1 << zeros) + bits.take(zeros);
            break;
          }
        } else value = bits.take(1) === 1 ? step : -step;
        k = this.pass(block, k, zeros);
        if (value !== 0) {
          if (k > last) throw new NotDecoded("a block has too many coefficients");
          block[ZIGZAG[k] as number] = value;
        }
      }
    }
    if (this.run > 0) {
      this.pass(block, k, 64);
      this.run -= 1;
    }
  }

  /** Refines coefficients that are not zero, and ends at the zero behind this many others. */
  private pass(block: Int16Array, from: number, zeros: number): number {
    const { last, low } = this.header;
    const step = 1 << low;
    let k = from;
    for (; k <= last; k += 1) {
      const place = ZIGZAG[k] as number;
      const value = block[place] as number;
      if (value === 0) {
        if (zeros === 0) break;
        zeros -= 1;
      } else if (this.bits.take(1) === 1 && (Math.abs(value) & step) === 0)
        block[place] = value + (value > 0 ? step : -step);
    }
    return k;
  }
}

function sound(code: Code | undefined): Code {
  if (!code) throw new NotDecoded("a Huffman table is missing");
  return code;
}
