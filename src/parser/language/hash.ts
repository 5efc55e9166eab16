/** Returns a hash of a text; another one for each seed. */
export function hashOf(text: string, seed = 0): number {
  let h = 0x811c9dc5 ^ seed;
  for (let k = 0; k < text.length; k++) h = Math.imul(h ^ text.charCodeAt(k), 0x01000193);
  return h ^ (h >>> 13);
}

/** Mixes two hashes; their order counts. */
export function mix(a: number, b: number): number {
  const h = Math.imul(a ^ (b + 0x7f4a7c15), 0x9e3779b1);
  return h ^ (h >>> 15);
}
