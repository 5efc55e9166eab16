import type { GoldCaption } from '../src/evaluation/parser/evaluate-parser.js';
import type { NormalForms } from '../src/parser/neural/normal-forms.js';
import { RelationLabels } from '../src/parser/neural/relation-labels.js';
import { Spelling, type WordCount } from '../src/parser/neural/spelling.js';
import { parseFactual } from '../src/records/factual-graph.js';
import type { Alignment } from './align-caption.js';
import { captionTokens, correctedTokenWords } from './caption-tokens.js';
import { alignAll, learnNormalForms } from './learn-normal-forms.js';
import { labeledExample, labelRelation, type TrainingExample } from './training-example.js';

/** Captions and their graphs in the form that training takes. */
export interface PreparedCaptions {
  readonly words: readonly WordCount[];
  readonly forms: NormalForms;
  readonly labels: RelationLabels;
  readonly examples: readonly TrainingExample[];
  /** Captions without an example, because a part of their graph has no words or a rare label. */
  readonly skipped: number;
}

export interface PrepareOptions {
  /** Drops labels that occur less often; default 3. */
  readonly minLabelCount?: number;
}

/** Most UTF-16 units of a caption that training reads. */
export const maxTrainingCaptionLength = 400;

/** Corrects spelling, aligns captions with their graphs, and learns normal forms and relation labels. */
export function prepareCaptions(
  captions: readonly GoldCaption[],
  { minLabelCount: leastLabelCount = 3 }: PrepareOptions = {},
): PreparedCaptions {
  const tokens = captions.map(({ caption }) => captionTokens(caption, maxTrainingCaptionLength));
  const counts = new Map<string, number>();
  for (const { text } of tokens.flat()) counts.set(text, (counts.get(text) ?? 0) + 1);
  const words = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  const spelling = new Spelling(words);
  const alignments = alignAll(
    captions.map(({ gold }, k) => ({ tokens: correctedTokenWords(tokens[k]!, spelling), gold: parseFactual(gold) })),
  );
  const forms = learnNormalForms(alignments);
  const complete = alignments.filter(isComplete);
  const labels = learnLabels(complete, leastLabelCount);
  const examples = complete.map((alignment) => labeledExample(alignment, labels)).filter((example) => example !== null);
  return { words, forms, labels, examples, skipped: captions.length - examples.length };
}

const isComplete = ({ tokens, missing: { entities, attributes, relations } }: Alignment) =>
  tokens.length > 0 && entities.length + attributes.length + relations.length === 0;

function learnLabels(alignments: readonly Alignment[], minCount: number): RelationLabels {
  const counts = new Map<string, number>();
  for (const alignment of alignments)
    for (const relation of alignment.relations) {
      const { label } = labelRelation(alignment, relation);
      counts.set(label, (counts.get(label) ?? 0) + 1);
    }
  const common = [...counts].filter(([, count]) => count >= minCount);
  return new RelationLabels([
    '',
    ...common.sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).map(([label]) => label),
  ]);
}
