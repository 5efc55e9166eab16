/** Numbers names in their order, from `first`. */
export function nameNumbers(names: Iterable<string>, first: number): ReadonlyMap<string, number> {
  return new Map([...names].map((name, index) => [name, index + first]));
}
