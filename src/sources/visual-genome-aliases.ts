import { textLines } from '../files/json/json-lines.js';

/** The name that each other name stands for. */
export type Aliases = ReadonlyMap<string, string>;

/**
 * Reads `object_alias.txt` or `relationship_alias.txt`: names separated by commas, of which the first of a line, or what
 * an earlier line made of it, is what the others stand for.
 * @param file none gives no aliases
 * @throws InputError where it can't be read
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
