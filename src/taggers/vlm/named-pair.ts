import type { Region } from './regions.js';
import type { Pair } from './triplets.js';

/** A part of an answer that is not used. */
export interface RefusedPart {
  /** Kebab-case, as counts name it. */
  readonly name: string;
  /** What is wrong with it, for the model. */
  readonly why: string;
}

/** Returns the two regions that an answer names, or why it names none. */
export function namedPair(
  [first, second]: readonly [string, string],
  regions: ReadonlyMap<number, Region>,
): Pair | RefusedPart {
  const indexOf = (id: string) => [...regions.values()].find((region) => region.id === id)?.index;
  const [subject, object] = [indexOf(first), indexOf(second)];
  if (subject === undefined || object === undefined) {
    const unknown = (subject === undefined ? first : second).slice(0, 20);
    return { name: 'answer-with-unknown-region', why: `there is no region ${unknown}` };
  }
  if (subject === object) return { name: 'answer-with-self-relation', why: `it relates ${first} to itself` };
  return [subject, object];
}

/** Returns whether a part of an answer names two regions. */
export const isPair = (named: Pair | RefusedPart): named is Pair => !('why' in named);
