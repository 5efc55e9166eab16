import { textLines } from '../files/json/json-lines.js';

/** The canonical name of each alias. */
export type Aliases = ReadonlyMap<string, string>;

/**
 * Reads `object_alias.txt` or `relationship_alias.txt`: each line has names separated by commas, and the first name, or
 * its canonical name from an earlier line, is the canonical name of all of them.
 * @param file undefined for no aliases
 * @throws InputError if the file cannot be read
 */
export async function readAliases(file: string | undefined): Promise<Aliases> {
  const aliases = new Map<string, string>();
  if (file === undefined) return aliases;
  for await (const { text } of textLines(file)) {
    const names = text.split(',').map((name) => name.trim().toLowerCase());
    const first = names[0] ?? '';
    const target = aliases.get(first) ?? first;
    for (const name of names) if (name !== '') aliases.set(name, target);
  }
  return aliases;
}
