/**
 * Measures a parser on fixtures/sentence-captions.csv, captions as vision-language models write them with the relations that a
 * person names: precision and recall by style, and with `--list` each relation that is missing or has no counterpart.
 *
 *     npx tsx bench/sentences.ts [--parser rules|neural] [--list]
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parse } from 'csv-parse/sync';
import { nounLemma, verbLemma } from '../src/parser/language/lemma.js';
import { textParser } from '../src/parser/text-parser.js';
import { parseFactual } from '../src/records/factual-graph.js';

interface Fact {
  readonly subject: string;
  readonly predicate: string;
  readonly object: string;
}

/** Predicates that say the same of two things. */
const alike = [
  ['have', 'with', "'s"],
  ['wear', 'in', 'dress in', 'with'],
  ['have', 'hold', 'with'],
];

const { values } = parseArgs({
  options: {
    parser: { type: 'string', default: 'neural' },
    list: { type: 'boolean', default: false },
    file: { type: 'string' },
  },
});
const parser = textParser(values.parser);
const file = values.file ?? new URL('../fixtures/sentence-captions.csv', import.meta.url);
const rows = parse(readFileSync(file, 'utf8'), { columns: true }) as Record<
  'style' | 'caption' | 'scene_graph' | 'also',
  string
>[];
const totals = new Map<string, { right: number; found: number; named: number; stated: number }>();

for (const { style, caption, scene_graph, also } of rows) {
  const named = parseFactual(scene_graph).relations;
  const accepted = also === '' ? [] : parseFactual(also).relations;
  const graph = await parser.parse(caption);
  const related = graph.relations.map(({ subject, object, predicate, lemma }) => ({
    subject: headOf(graph.entities[subject]!.span),
    predicate,
    lemma,
    object: headOf(graph.entities[object]!.span),
  }));
  // An entity has the names of all phrases that it was read in: "airplane", later "plane".
  const renamed = (graph.coreference ?? []).flatMap(({ span, entities, rule }) =>
    rule === 'same-kind' ? entities.map((entity) => [headOf(graph.entities[entity]!.span), headOf(span)] as const) : [],
  );
  const namesOf = (head: string) => [head, ...renamed.flatMap(([name, other]) => (name === head ? [other] : []))];
  const isSame = (fact: Fact) => (one: (typeof related)[number]) =>
    namesOf(one.subject).some((subject) =>
      namesOf(one.object).some((object) =>
        [one.predicate, one.lemma].some((predicate) => isAlike(fact, { subject, predicate, object })),
      ),
    );
  // `his` and `its` say whose a thing is; people who mark captions seldom name that.
  const stated = related.filter(
    (one) => !/^(?:his|her|its|their)$/.test(one.predicate) || named.some((fact) => isSame(fact)(one)),
  );
  const wrong = stated.filter((one) => ![...named, ...accepted].some((fact) => isSame(fact)(one)));
  const missing = named.filter((fact) => !stated.some(isSame(fact)));
  for (const key of [style, 'all']) {
    const sum = totals.get(key) ?? { right: 0, found: 0, named: 0, stated: 0 };
    totals.set(key, sum);
    sum.stated += stated.length;
    sum.right += stated.length - wrong.length;
    sum.named += named.length;
    sum.found += named.length - missing.length;
  }
  if (!values.list || wrong.length + missing.length === 0) continue;
  console.log(`${style}: ${caption}`);
  for (const { subject, predicate, object } of wrong) console.log(`  wrong?  ${subject} | ${predicate} | ${object}`);
  for (const { subject, predicate, object } of missing) console.log(`  missing ${subject} | ${predicate} | ${object}`);
}
for (const [style, { right, stated, found, named }] of totals)
  console.log(
    `${style.padEnd(18)}precision ${(right / stated).toFixed(3)} (${right} of ${stated})   recall ${(found / named).toFixed(3)} (${found} of ${named})`,
  );

function headOf(phrase: string): string {
  return nounLemma(phrase.split(/\s+/).at(-1)!);
}

/** Compares the heads of both ends, and the predicate with or without its verb. */
function isAlike(gold: Fact, one: Fact): boolean {
  const ends = (fact: Fact) => `${headOf(fact.subject)}|${headOf(fact.object)}`;
  const [a, b] = [wordsOf(gold.predicate), wordsOf(one.predicate)];
  if (ends(gold) === ends(one)) {
    const isSameVerb = a[0] === b[0] || a.length === 1 || b.length === 1;
    // One of them may leave the verb out: `sitting next to` and `next to`.
    if (a.slice(1).join(' ') === b.join(' ') || b.slice(1).join(' ') === a.join(' ')) return true;
    if (a.join(' ') === b.join(' ') || (a.at(-1) === b.at(-1) && isSameVerb)) return true;
    return alike.some((words) => words.includes(a.join(' ')) && words.includes(b.join(' ')));
  }
  // FACTUAL's conventions: "snow covers the field" for "a field covered with snow", "chair has leg" for "leg of a chair".
  const isSwapped = headOf(gold.subject) === headOf(one.object) && headOf(gold.object) === headOf(one.subject);
  return isSwapped && (a.length > 1 ? a[0] === b[0] : a[0] === 'of' && /^(?:have|'s)$/.test(b[0]!));
}

function wordsOf(predicate: string): string[] {
  const words = predicate.split(' ').filter((word) => !/^(?:the|a|an)$/.test(word));
  return words.map((word, k) => (k === 0 ? verbLemma(word) : word));
}
