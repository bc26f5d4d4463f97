// Places of the invented answers: [name, region, country, code, latitude, longitude].
const ROWS = [
  ["Venice", "Veneto", "Italy", "IT", 45.4386, 12.3267],
  ["Rome", "Latium", "Italy", "IT", 41.8947, 12.4839],
  ["Paris", "Île-de-France", "France", "FR", 48.8534, 2.3488],
  ["Lisbon", "Lisbon", "Portugal", "PT", 38.7167, -9.1333],
  ["London", "England", "United Kingdom", "GB", 51.5085, -0.1257],
  ["Edinburgh", "Scotland", "United Kingdom", "GB", 55.9521, -3.1965],
  ["Reykjavík", "Capital Region", "Iceland", "IS", 64.1355, -21.8954],
  ["Bergen", "Vestland", "Norway", "NO", 60.393, 5.3242],
  ["Prague", "Prague", "Czechia", "CZ", 50.088, 14.4208],
  ["Istanbul", "Istanbul", "Turkey", "TR", 41.0138, 28.9497],
  ["Cairo", "Cairo", "Egypt", "EG", 30.0626, 31.2497],
  ["Marrakesh", "Marrakesh-Safi", "Morocco", "MA", 31.6315, -8.0083],
  ["Nairobi", "Nairobi", "Kenya", "KE", -1.2833, 36.8167],
  ["Cape Town", "Western Cape", "South Africa", "ZA", -33.9258, 18.4232],
  ["Jaipur", "Rajasthan", "India", "IN", 26.9196, 75.7878],
  ["Kathmandu", "Bagmati", "Nepal", "NP", 27.7017, 85.3206],
  ["Bangkok", "Bangkok", "Thailand", "TH", 13.754, 100.5014],
  ["Kyoto", "Kyoto", "Japan", "JP", 35.0211, 135.7538],
  ["Tokyo", "Tokyo", "Japan", "JP", 35.6895, 139.6917],
  ["Sydney", "New South Wales", "Australia", "AU", -33.8678, 151.2073],
  ["Suva", "Central", "Fiji", "FJ", -18.1416, 178.4415],
  ["Queenstown", "Otago", "New Zealand", "NZ", -45.0302, 168.6627],
  ["Honolulu", "Hawaii", "United States", "US", 21.3069, -157.8583],
  ["San Francisco", "California", "United States", "US", 37.7749, -122.4194],
  ["New York", "New York", "United States", "US", 40.7143, -74.006],
  ["New Orleans", "Louisiana", "United States", "US", 29.9547, -90.0751],
  ["Mexico City", "Mexico City", "Mexico", "MX", 19.4285, -99.1277],
  ["Havana", "Havana", "Cuba", "CU", 23.133, -82.383],
  ["Lima", "Lima", "Peru", "PE", -12.0432, -77.0282],
  ["Cusco", "Cusco", "Peru", "PE", -13.5226, -71.9673],
  ["Rio de Janeiro", "Rio de Janeiro", "Brazil", "BR", -22.9064, -43.1822],
  ["Buenos Aires", "Buenos Aires", "Argentina", "AR", -34.6132, -58.3772],
];

export const PLACES = ROWS.map(([name, region, country, country_code, lat, lng]) => ({
  name,
  region,
  country,
  country_code,
  lat,
  lng,
}));

/** A generator of numbers in 0 to 1 from a seed: the mock answers the same each time. */
export function random(seed) {
  let state = seed >>> 0 || 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export function hash(text) {
  let value = 2166136261;
  for (let i = 0; i < text.length; i += 1) value = Math.imul(value ^ text.charCodeAt(i), 16777619) >>> 0;
  return value;
}

export function distanceKm(a, b) {
  const r = Math.PI / 180;
  const s =
    Math.sin(((b.lat - a.lat) * r) / 2) ** 2 +
    Math.cos(a.lat * r) * Math.cos(b.lat * r) * Math.sin(((b.lng - a.lng) * r) / 2) ** 2;
  return 2 * 6371 * Math.asin(Math.min(1, Math.sqrt(s)));
}

export const near = (place, km, next) => ({
  lat: Math.max(-89, Math.min(89, place.lat + ((next() - 0.5) * km) / 55)),
  lng: place.lng + ((next() - 0.5) * km) / (55 * Math.max(0.2, Math.cos((place.lat * Math.PI) / 180))),
});

export const nearest = (at) =>
  PLACES.reduce((best, it) => (distanceKm(it, at) < distanceKm(best, at) ? it : best));
