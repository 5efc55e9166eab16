import { InputError } from '../errors.js';
import { fieldsOf, formatJsonValue } from './json/json-value.js';
import { readSmallJson } from './read-small-file.js';

/** Names of objects and relations in a fixed order. */
export interface LabelLists {
  readonly objects: readonly string[];
  readonly relations: readonly string[];
}

/**
 * Reads names from a JSON file: `objects` and `relations`, or `obj` and `rel` as Open Images' `categories_dict.json` has them.
 * @throws InputError if they are not two lists of names, each name once
 */
export async function readLabelLists(file: string): Promise<LabelLists> {
  const value = fieldsOf(await readSmallJson(file, undefined, 'lists of names'));
  const names = (list: unknown): readonly string[] => {
    if (!Array.isArray(list) || list.length === 0 || !list.every((name) => typeof name === 'string' && name !== ''))
      throw new InputError(
        file,
        `has ${formatJsonValue(list)}, expected lists of names as objects and relations, or obj and rel`,
      );
    const repeated = list.find((name, k) => list.indexOf(name) < k);
    if (repeated !== undefined) throw new InputError(file, `lists '${repeated}' twice, expected each name once`);
    return list;
  };
  return { objects: names(value['objects'] ?? value['obj']), relations: names(value['relations'] ?? value['rel']) };
}
