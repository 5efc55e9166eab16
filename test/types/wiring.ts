// Compiled by `npm run check`, never run: tsc fails unless each line below an @ts-expect-error fails to compile.
import {
  baselineTagger,
  type Captioner,
  candidateSets,
  caption,
  Graph,
  type ImageRecord,
  match,
  operator,
  pair,
  parse,
  type Related,
  type Source,
  sceneGraphs,
  tag,
} from '../../src/index.js';

declare const source: Source<ImageRecord>;
declare const truth: Source<ImageRecord & Related>;
declare const captioner: Captioner;

const graph = new Graph('types');
const images = graph.from(source);
const captioned = images.pipe(caption(captioner));
const parsed = captioned.pipe(parse());
const matched = parsed.pipe(match());
const paired = matched.pipe(pair());
const tagged = paired.pipe(tag(baselineTagger()));

// Stages that fit together compile.
tagged.to(sceneGraphs());
paired.to(candidateSets());
graph.merge(tagged, graph.from(truth)).to(sceneGraphs());

// @ts-expect-error 1: parse needs captions
images.pipe(parse());

// @ts-expect-error 2: match needs phrases, which parse adds
captioned.pipe(match());

// @ts-expect-error 3: pair needs mentions, which match adds
parsed.pipe(pair());

// @ts-expect-error 4: tag needs candidates, which pair adds
matched.pipe(tag(baselineTagger()));

// @ts-expect-error 5: scene graphs need relations, which tag adds
paired.to(sceneGraphs());

// @ts-expect-error 6: after a merge, records have candidates only when both sides have them
graph.merge(paired, graph.from(truth)).to(candidateSets());

// @ts-expect-error 7: a custom operator needs the fields that it declares
images.pipe(operator({ name: 'count', version: '1', needs: ['relations'], adds: [], apply: (_: Related) => ({}) }));

// @ts-expect-error 8: a custom operator can declare only fields of its record type
operator({ name: 'typo', version: '1', needs: ['relatoins'], adds: [], apply: (_: Related) => ({}) });

// @ts-expect-error 9: a filter can read only the fields that its records carry
images.filter('with-relations', (record) => record.relations.length > 0);
