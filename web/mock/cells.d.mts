export interface Outlined {
  lat: number;
  lng: number;
  rings: [number, number][][];
  radius_km: number;
}
export function evenPartition(count: number): Outlined[];
export function encode(classes: unknown[]): Uint8Array;
