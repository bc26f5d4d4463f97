// Cells like those of a real partition: S2 cells, small where there are many places.

/** The quadratic transform of S2 from a cell's coordinate on its face to the cube. */
const cube = (s) => (s >= 0.5 ? (4 * s * s - 1) / 3 : (1 - 4 * (1 - s) * (1 - s)) / 3);
const square = (u) => (u >= 0 ? 0.5 * Math.sqrt(1 + 3 * u) : 1 - 0.5 * Math.sqrt(1 - 3 * u));

const FACES = [
  (u, v) => [1, u, v],
  (u, v) => [-u, 1, v],
  (u, v) => [-u, -v, 1],
  (u, v) => [-1, -v, -u],
  (u, v) => [v, -1, -u],
  (u, v) => [v, u, -1],
];

function latLng([x, y, z]) {
  const degrees = 180 / Math.PI;
  return [Math.atan2(z, Math.hypot(x, y)) * degrees, Math.atan2(y, x) * degrees];
}

/** A cell: a face and a square on it, from (s, t) with a side. */
const corner = (face, s, t) => latLng(FACES[face](cube(s), cube(t)));

function ring({ face, s, t, side }) {
  const steps = Math.max(1, Math.min(16, Math.ceil(side * 32)));
  const points = [];
  const walk = [
    [0, 0, 1, 0],
    [1, 0, 0, 1],
    [1, 1, -1, 0],
    [0, 1, 0, -1],
  ];
  for (const [ds, dt, a, b] of walk) {
    for (let i = 0; i < steps; i += 1) {
      points.push(corner(face, s + side * (ds + (a * i) / steps), t + side * (dt + (b * i) / steps)));
    }
  }
  return points;
}

/** Face and coordinates of a position. */
function onFace(lat, lng) {
  const [phi, lambda] = [(lat * Math.PI) / 180, (lng * Math.PI) / 180];
  const p = [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda), Math.sin(phi)];
  const axis = [0, 1, 2].reduce((a, b) => (Math.abs(p[b]) > Math.abs(p[a]) ? b : a));
  const face = p[axis] < 0 ? axis + 3 : axis;
  const [x, y, z] = p;
  const [u, v] = [
    [y / x, z / x],
    [-x / y, z / y],
    [-x / z, -y / z],
    [z / x, y / x],
    [z / y, -x / y],
    [-y / z, -x / z],
  ][face];
  return { face, s: square(u), t: square(v) };
}

/** About `count` cells that cover the earth; cells with the most weight are split first. */
export function partition(places, count) {
  const points = places.map((it) => ({ ...onFace(it.lat, it.lng), weight: it.weight ?? 1 }));
  const cell = (face, s, t, side, inside) => {
    const weight = inside.reduce((sum, it) => sum + it.weight, 0) + 40 * side * side;
    return { face, s, t, side, inside, key: weight * side ** 0.6 };
  };
  const cells = FACES.map((_, face) =>
    cell(
      face,
      0,
      0,
      1,
      points.filter((it) => it.face === face),
    ),
  );
  while (cells.length < count) {
    let most = 0;
    for (let i = 1; i < cells.length; i += 1) if (cells[i].key > cells[most].key) most = i;
    const { face, s, t, side, inside } = cells[most];
    const half = side / 2;
    const quarters = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ].map(([a, b]) => {
      const [s0, t0] = [s + a * half, t + b * half];
      const within = inside.filter((it) => it.s >= s0 && it.s < s0 + half && it.t >= t0 && it.t < t0 + half);
      return cell(face, s0, t0, half, within);
    });
    cells.splice(most, 1, ...quarters);
  }
  return cells.map((it) => {
    const [lat, lng] = corner(it.face, it.s + it.side / 2, it.t + it.side / 2);
    return { lat, lng, rings: [ring(it)], radius_km: 4500 * it.side };
  });
}

/** An even partition: all cells of one level of S2, the first ones split until there are enough. */
export function evenPartition(count) {
  const level = Math.floor(Math.log(count / 6) / Math.log(4));
  const along = 2 ** level;
  const cells = [];
  for (let face = 0; face < 6; face += 1) {
    for (let i = 0; i < along * along; i += 1) {
      cells.push({ face, s: (i % along) / along, t: Math.floor(i / along) / along, side: 1 / along });
    }
  }
  while (cells.length < count) {
    const { face, s, t, side } = cells.shift();
    const half = side / 2;
    for (const [a, b] of [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ])
      cells.push({ face, s: s + a * half, t: t + b * half, side: half });
  }
  return cells.map((it) => {
    const [lat, lng] = corner(it.face, it.s + it.side / 2, it.t + it.side / 2);
    return { lat, lng, rings: [ring(it)], radius_km: 4500 * it.side };
  });
}

/** The binary outlines of the interface ("PLO1"). */
export function encode(classes) {
  const parts = [];
  const f32 = (value) => {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    parts.push(bytes);
  };
  const u16 = (value) => {
    const bytes = Buffer.alloc(2);
    bytes.writeUInt16LE(value);
    parts.push(bytes);
  };
  const head = Buffer.alloc(8);
  head.write("PLO1", 0, "latin1");
  head.writeUInt32LE(classes.length, 4);
  parts.push(head);
  for (const it of classes) {
    f32(it.lat);
    f32(it.lng);
    u16(it.rings.length);
    for (const points of it.rings) {
      u16(points.length);
      for (const [lat, lng] of points) {
        f32(lat);
        f32(lng);
      }
    }
  }
  return Buffer.concat(parts);
}

/** The land of the maps of the program (crates/planet/src/map/land.bin), as outlines. */
export function landOutlines(bytes) {
  let at = 0;
  const varint = () => {
    let [value, shift] = [0, 0];
    for (;;) {
      const byte = bytes[at];
      at += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      shift += 7;
    }
  };
  const rings = [];
  while (at < bytes.length) {
    const count = varint();
    let [x, y] = [0, 0];
    const points = [];
    for (let i = 0; i < count; i += 1) {
      x += varint();
      y += varint();
      points.push([y / 100, x / 100]);
    }
    rings.push(points);
  }
  // One item: lakes are rings too, and the land is filled by the even-odd rule.
  return encode([{ lat: NaN, lng: NaN, rings }]);
}
