/**
 * Measures a parser on captions as vision-language models write them with the relations that a person names: precision and recall by
 * style, and with `--list` each relation that is missing or has no counterpart.
 *
 *     npx tsx bench/sentences.ts [--parser rules|neural] [--file fixtures/sentence-captions.csv] [--list]
 */
import { parseArgs } from 'node:util';
import { compareWithMarks, markedCaptions } from '../parser-training/marked-captions.js';
import { textParser } from '../src/parser/text-parser.js';

const { values } = parseArgs({
  options: {
    parser: { type: 'string', default: 'neural' },
    list: { type: 'boolean', default: false },
    file: { type: 'string' },
  },
});
const parser = textParser(values.parser);
const file = values.file ?? new URL('../fixtures/sentence-captions.csv', import.meta.url);
const totals = new Map<string, { right: number; found: number; named: number; stated: number }>();

for (const marked of markedCaptions(file)) {
  const { style, caption, named } = marked;
  const graph = await parser.parse(caption);
  const { stated, missing } = compareWithMarks(graph, marked);
  const wrong = stated.filter(({ isRight }) => !isRight);
  for (const key of [style, 'all']) {
    const sum = totals.get(key) ?? { right: 0, found: 0, named: 0, stated: 0 };
    totals.set(key, sum);
    sum.stated += stated.length;
    sum.right += stated.length - wrong.length;
    sum.named += named.length;
    sum.found += named.length - missing.length;
  }
  if (!values.list || wrong.length + missing.length === 0) continue;
  const nameOf = (entity: number) => graph.entities[entity]!.span;
  console.log(`${style}: ${caption}`);
  for (const { relation } of wrong)
    console.log(`  wrong?  ${nameOf(relation.subject)} | ${relation.predicate} | ${nameOf(relation.object)}`);
  for (const { subject, predicate, object } of missing) console.log(`  missing ${subject} | ${predicate} | ${object}`);
}
for (const [style, { right, stated, found, named }] of totals)
  console.log(
    `${style.padEnd(18)}precision ${(right / stated).toFixed(3)} (${right} of ${stated})   recall ${(found / named).toFixed(3)} (${found} of ${named})`,
  );
