import assert from 'node:assert/strict';
import type { TextGraph, TextParser } from '../../src/index.js';

/** Returns the relations of a graph by the heads of their phrases: `boy riding pony`. */
export const headTriplets = ({ entities, relations }: TextGraph): string[] =>
  relations.map(({ subject, predicate, object }) =>
    `${entities[subject]!.head} ${predicate} ${entities[object]!.head}`.toLowerCase(),
  );

/** Returns the relations that a parser finds in a caption, and checks where its phrases are. */
export function readTriplets(parser: TextParser, caption: string): string[] {
  const graph = parser.parse(caption) as TextGraph;
  for (const { span, start, end } of graph.entities) assert.equal(caption.slice(start, end), span);
  return headTriplets(graph);
}

/** Captions and all relations that a parser finds in them, by kind; an empty one stands for none. */
export type CaptionKinds = Readonly<Record<string, readonly (readonly [caption: string, ...relations: string[]])[]>>;

/** Makes a test of each caption. */
export function itReads(parser: TextParser, kinds: CaptionKinds): void {
  for (const [kind, captions] of Object.entries(kinds))
    for (const [caption, ...expected] of captions)
      it(`${kind}: ${JSON.stringify(caption)}`, () => {
        assert.deepEqual(readTriplets(parser, caption).sort(), expected.filter((one) => one !== '').sort());
      });
}
