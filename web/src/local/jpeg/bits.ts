import { NotDecoded, type Code } from "./file.ts";

/** The bits of a scan: bytes after 0xFF are stuffed, and a marker ends them. */
export class Bits {
  private held = 0;
  private count = 0;
  /** Bits that were made up behind a marker. */
  private made = 0;

  constructor(
    private readonly bytes: Uint8Array,
    /** The next byte to be read. */
    public at: number,
  ) {}

  private fill(): void {
    while (this.count <= 24) {
      let byte = this.bytes[this.at] ?? 0xff;
      if (byte !== 0xff) this.at += 1;
      else if (this.bytes[this.at + 1] === 0) this.at += 2;
      else {
        byte = 0;
        this.made += 8;
      }
      this.held = (this.held << 8) | byte;
      this.count += 8;
    }
  }

  /** A symbol of a code. */
  symbol(code: Code): number {
    if (this.count < 16) this.fill();
    const entry = code[(this.held >>> (this.count - 16)) & 0xffff] as number;
    if (entry === 0) throw new NotDecoded("a code that is in no table");
    this.count -= entry >> 8;
    return entry & 255;
  }

  /** The next bits as a number; 0 to 16 of them. */
  take(length: number): number {
    if (length === 0) return 0;
    if (this.count < length) this.fill();
    this.count -= length;
    return (this.held >>> this.count) & ((1 << length) - 1);
  }

  /** A signed value of a category (T.81, F.2.2.1). */
  signed(category: number): number {
    if (category === 0) return 0;
    const value = this.take(category);
    return value < 1 << (category - 1) ? value - (1 << category) + 1 : value;
  }

  /** Ends an interval: whole bytes behind a marker must not have been used. */
  end(): void {
    if (this.made > this.count) throw new NotDecoded("the scan ends too early");
    this.held = this.count = this.made = 0;
  }

  /** Ends an interval and steps over the marker that begins the next one. */
  restart(number: number): void {
    this.end();
    while (this.bytes[this.at] === 0xff && this.bytes[this.at + 1] === 0xff) this.at += 1;
    const isMarker = this.bytes[this.at] === 0xff && this.bytes[this.at + 1] === 0xd0 + (number & 7);
    if (!isMarker) throw new NotDecoded("a restart marker is missing");
    this.at += 2;
  }
}
