import { distanceKm, hash, near, PLACES, random } from "./places.mjs";

const MACHINE = "PlaNet";
const points = (km) => Math.round(5000 * Math.exp(-km / 1492.7));
const matches = new Map();

function truth(match, round, player) {
  const key = match.shared ? `${match.seed}/${round}` : `${match.seed}/${round}/${player}`;
  const next = random(hash(key));
  for (let i = 0; i < 5; i += 1) next();
  const place = PLACES[Math.floor(next() * PLACES.length)];
  return { ...near(place, 30, next), name: `${place.name}, ${place.country}` };
}

export function photoSeed(match, round, player) {
  return hash(`${match.seed}/${round}/${match.shared ? "" : player}`) % 1000;
}

const judged = (player, at, where) => {
  const km = distanceKm(at, where);
  return { player, lat: at.lat, lng: at.lng, distance_km: km, points: points(km) };
};

function machineGuess(match, round, where) {
  const next = random(hash(`machine/${match.seed}/${round}/${where.name}`));
  for (let i = 0; i < 5; i += 1) next();
  return next() < 0.6 ? near(where, 700, next) : near(PLACES[Math.floor(next() * PLACES.length)], 60, next);
}

const known = (match) => ({
  id: match.id,
  rounds: match.rounds,
  players: match.players,
  round: match.round,
  shared: match.shared,
  guessed: Object.keys(match.guesses[match.round] ?? {}),
  results: match.results,
  over: match.round >= match.rounds,
});

export function start({ rounds, players, seed, shared = true }) {
  const id = `x${matches.size + 1}`;
  const match = { id, rounds, players, seed: seed ?? 1, shared, round: 0, guesses: {}, results: [] };
  matches.set(id, match);
  return { id, rounds, players, shared };
}

export const find = (id) => matches.get(id);
export const describe = known;

export function guess(match, { round, player, lat, lng }) {
  if (round !== match.round)
    return { status: 409, body: { error: `round ${round + 1} is not being played` } };
  const guesses = (match.guesses[round] ??= {});
  guesses[player] = { lat, lng };
  const waiting = match.players.filter((it) => !guesses[it]);
  if (match.shared && waiting.length > 0) return { status: 200, body: { waiting } };
  // With photos of their own, each player is told at once.
  const where = truth(match, round, player);
  const seen = match.shared ? match.players : [player];
  const all = seen.map((it) => judged(it, guesses[it], where));
  all.push(judged(MACHINE, machineGuess(match, round, where), where));
  const result = { round, truth: where, guesses: all };
  match.results.push(result);
  if (waiting.length === 0) match.round += 1;
  return { status: 200, body: result };
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function summary(match) {
  const names = [...match.players, MACHINE];
  const players = names.map((player) => {
    const guesses = match.results.flatMap((it) => it.guesses.filter((guess) => guess.player === player));
    const won = match.results.filter((it) => {
      const best = it.guesses.reduce((a, b) => (b.distance_km < a.distance_km ? b : a));
      return best.player === player;
    });
    return {
      player,
      won: won.length,
      median_km: median(guesses.map((it) => it.distance_km)),
      points: guesses.reduce((sum, it) => sum + it.points, 0),
    };
  });
  return { players, rounds: match.results };
}

/** The table for `planet score match --people`. */
export function predictions(match) {
  const lines = match.results.flatMap((it) =>
    it.guesses
      .filter((guess) => guess.player !== MACHINE)
      .map((guess) => `"${it.round}.jpg",${guess.lat},${guess.lng},"${guess.player}"`),
  );
  return `photo,lat,lng,author\n${lines.join("\n")}\n`;
}

/** The model's answers for `planet score match --predictions`. */
export function answers(match) {
  const lines = match.results.map((it) => {
    const { lat, lng } = it.guesses.find((guess) => guess.player === MACHINE);
    return JSON.stringify({ photo: `${it.round}.jpg`, predictions: [{ lat, lng }], truth: it.truth });
  });
  return lines.map((line) => `${line}\n`).join("");
}
