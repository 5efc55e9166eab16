import assert from 'node:assert/strict';
import type { Relation, SceneGraph } from '../../src/records/scene-graph.js';
import { parseRelationExpression, RELATION_FIELDS, relationTest } from '../../src/sinks/relation-expression.js';
import type { Charts, Facets, Filter, ImagePage } from '../../src/view/view-api.js';
import { variedGraphs } from '../support/graph-lines.js';
import { type TestView, viewOf } from '../support/view-server.js';

/** Whether a relation matches, counted plainly. */
function matches(relation: Relation, graph: SceneGraph, filter: Filter): boolean {
  const { where, minConfidence = 0, maxConfidence = 1 } = filter;
  const { confidence = 1 } = relation;
  const of = (field: string) => String(RELATION_FIELDS[field]!.of(relation, graph));
  return (
    (where === undefined || relationTest(parseRelationExpression(where, 'where'))(relation, graph)) &&
    confidence >= minConfidence &&
    confidence <= maxConfidence &&
    (['predicate', 'subject', 'object', 'tagger', 'source'] as const).every(
      (field) => filter[field] === undefined || (filter[field] as readonly string[]).includes(of(field)),
    )
  );
}

const isOnRelations = (filter: Filter) =>
  ['where', 'predicate', 'subject', 'object', 'tagger', 'source', 'minConfidence', 'maxConfidence'].some(
    (name) => filter[name as 'where'] !== undefined,
  );

/** Counts plainly what the server counts with its engine. */
function plainCounts(graphs: readonly SceneGraph[], filter: Filter) {
  const { minRelations = 0, maxRelations = 1000, words = '' } = filter;
  const found = graphs.flatMap((graph, key) => {
    const { length } = graph.relations;
    const text = graph.captions.map((caption) => caption.text.toLowerCase()).join(' ');
    if (length < minRelations || length > maxRelations || !text.includes(words.toLowerCase())) return [];
    const relations = graph.relations.filter((relation) => matches(relation, graph, filter));
    return relations.length === 0 && isOnRelations(filter) ? [] : [{ key, graph, relations }];
  });
  return {
    keys: found.map(({ key }) => key),
    relations: found.flatMap(({ graph, relations }) => relations.map((relation) => ({ relation, graph }))),
  };
}

/** Counts relations in bins of their confidence. */
function binsOf(relations: readonly { readonly relation: Relation }[]): number[] {
  const bins = new Array<number>(20).fill(0);
  for (const { relation } of relations)
    if (relation.confidence !== undefined) bins[Math.min(19, Math.floor(relation.confidence * 20))]!++;
  return bins;
}

function queryOf(filter: Filter): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filter))
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one));
  return query.toString();
}

const FILTERS: readonly Filter[] = [
  {},
  { predicate: ['on'] },
  { predicate: ['on', 'riding'], subject: ['person'] },
  { object: [''] },
  { subject: ['it\'s "quoted"'] },
  { source: ['geometry', 'people'], minConfidence: 0.5 },
  { tagger: ['one'], maxConfidence: 0.3 },
  { tagger: ['people'] },
  { words: 'horse' },
  { words: 'horse', minRelations: 2, maxRelations: 4, predicate: ['near'] },
  { minRelations: 5 },
  { predicate: ['no such predicate'] },
  { where: 'confidence >= 0.5 and predicate != "on"' },
  { where: 'predicate like "%ON%" or subject in ["dog", "kite"]' },
  { where: 'not (object = "" or objects > 3) and image != 7' },
  { where: 'file like "3/%" and subject_score < 0.5', source: ['caption'] },
  { where: 'dataset = "other" and split = "val" and width > 100 and relations >= 2' },
  { where: 'predicate < "on"' },
];

describe('the filters of view', () => {
  const graphs = variedGraphs(400);
  let view: TestView;
  before(async () => {
    view = await viewOf(graphs);
  });
  after(() => view.view.close());

  for (const filter of FILTERS)
    it(`count as a plain count does: ${JSON.stringify(filter)}`, async () => {
      const { keys, relations } = plainCounts(graphs, filter);
      const facets = await view.get<Facets>(`/api/facets?${queryOf(filter)}`);
      assert.deepEqual([facets.images, facets.relations], [keys.length, relations.length]);
      const shown: number[] = [];
      for (let offset = 0; offset < keys.length; offset += 200) {
        const page = await view.get<ImagePage>(`/api/images?${queryOf(filter)}&offset=${offset}&limit=200`);
        assert.equal(page.total, keys.length);
        shown.push(...page.images.map(({ key }) => key));
      }
      assert.deepEqual(shown, keys);
      for (const facet of ['predicate', 'subject', 'object', 'tagger', 'source'] as const) {
        const { [facet]: _, ...others } = filter;
        const counts = new Map<string, number>();
        // Images are those of the other constraints as well: what the choice of another value would show.
        for (const { relation, graph } of plainCounts(graphs, others).relations) {
          const value = String(RELATION_FIELDS[facet]!.of(relation, graph));
          counts.set(value, (counts.get(value) ?? 0) + 1);
        }
        assert.deepEqual(new Map(facets[facet].map(({ value, count }) => [value, count])), counts, facet);
      }
      const { minConfidence: _, maxConfidence: __, ...others } = filter;
      assert.deepEqual(facets.confidence, binsOf(plainCounts(graphs, others).relations));
    });

  it('draw charts of what they match', async () => {
    const filter: Filter = { where: 'subject = "person"' };
    const { relations } = plainCounts(graphs, filter);
    const charts = await view.get<Charts>(`/api/charts?${queryOf(filter)}`);
    const triplets = new Map<string, number>();
    for (const { relation, graph } of relations) {
      const names = ['subject', 'predicate', 'object'].map((field) => RELATION_FIELDS[field]!.of(relation, graph));
      triplets.set(names.join('\t'), (triplets.get(names.join('\t')) ?? 0) + 1);
    }
    assert.deepEqual(charts.confidence, binsOf(relations));
    assert.equal(charts.tripletCount, triplets.size);
    assert.deepEqual(
      new Map(
        charts.triplets.map(({ subject, predicate, object, count }) => [`${subject}\t${predicate}\t${object}`, count]),
      ),
      triplets,
    );
    assert.equal(
      charts.predicates.reduce((sum, { count }) => sum + count, 0),
      relations.length,
    );
  });

  it('say what is wrong with an expression or a value', async () => {
    for (const [query, message] of [
      ['where=confidence', /^where: found 'confidence', expected a comparison/],
      ['where=color%3D%22red%22', /^where: unknown field 'color'/],
      ['minConfidence=2', /^minConfidence: is '2', expected a number from 0 to 1/],
      ['source=dream', /^source: is 'dream', expected one of caption, geometry/],
      ['sort=size', /^sort: is 'size', expected one of set/],
    ] as const) {
      const response = await view.fetch(`/api/images?${query}`);
      assert.equal(response.status, 400);
      assert.match(((await response.json()) as { error: string }).error, message);
    }
  });
});
