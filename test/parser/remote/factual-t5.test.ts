import assert from 'node:assert/strict';
import { join } from 'node:path';
import { factualT5, type TextGraph } from '../../../src/index.js';
import { temporaryFolder } from '../../support/folders.js';
import { ModelServer } from '../../support/model-server.js';

const written: Readonly<Record<string, string>> = {
  'Two men ride a brown horse.': '( man , ride , horse ) , ( man , is , 2 ) , ( horse , is , brown )',
  'A cell phone and a cup on the table': '( cellphone , on , table ) , ( cup , on , table )',
  'A group of people wearing hats': '( people , wear , hat ) , ( people , is , group of )',
  'A dog': '( dog )',
  'Cut off': '( dog , on , table ) , ( cat , is',
  'Too long': '( dog , sit on , top of , table )',
  'Two parts': '( dog , brown )',
  Nothing: '',
};
const PROMPT = 'Generate Scene Graph: ';

describe('factualT5', () => {
  let server: ModelServer;
  let options: { endpointUrl: string; store: string };

  beforeEach(async () => {
    const write = ({ subject }: { subject: Buffer }) => written[subject.toString().slice(PROMPT.length)] ?? 'what?';
    server = await ModelServer.start({ write });
    options = { endpointUrl: server.url, store: join(temporaryFolder(), 'store') };
  });
  afterEach(() => server.close());

  async function read(captions: readonly string[]) {
    const parser = factualT5(options);
    const counts: Record<string, number> = {};
    const context = {
      signal: new AbortController().signal,
      count: (name: string) => {
        counts[name] = (counts[name] ?? 0) + 1;
      },
    };
    const graphs = await Promise.all(captions.map((caption) => parser.parse(caption, context)));
    const usage = { ...parser.usage!() };
    await parser.close!();
    return { graphs, counts, usage };
  }

  const relations = ({ entities, relations }: TextGraph) =>
    relations.map(({ subject, predicate, object }) => [entities[subject]!.span, predicate, entities[object]!.span]);

  it('returns graphs with spans of the caption and predicates in the words of the caption', async () => {
    const captions = Object.keys(written).slice(0, 4);
    const { graphs, counts } = await read(captions);
    assert.deepEqual(graphs[0], {
      entities: [
        { span: 'men', start: 4, end: 7, head: 'men', lemma: 'man', name: 'man', attributes: [], quantity: '2' },
        {
          span: 'horse',
          start: 21,
          end: 26,
          head: 'horse',
          lemma: 'horse',
          attributes: [{ text: 'brown', lemma: 'brown' }],
        },
      ],
      relations: [{ subject: 0, object: 1, predicate: 'ride', lemma: 'ride' }],
    });
    assert.deepEqual(relations(graphs[1]!), [
      ['cellphone', 'on', 'table'],
      ['cup', 'on', 'table'],
    ]);
    assert.deepEqual(relations(graphs[2]!), [['people', 'wearing', 'hats']]);
    assert.equal(graphs[2]!.entities[0]!.quantity, 'group');
    assert.deepEqual(graphs[3]!.relations, []);
    assert.equal(graphs[3]!.entities[0]!.span, 'dog');
    assert.deepEqual(counts, {});
    assert.ok(String(server.seen[0]!.body['inputs']).startsWith(PROMPT));
  });

  it('returns an empty graph for an answer that is not well formed, and counts it', async () => {
    const { graphs, counts } = await read(['Cut off', 'Too long', 'Two parts', 'Nothing', 'unknown', '  ']);
    for (const graph of graphs) assert.deepEqual(graph, { entities: [], relations: [] });
    assert.deepEqual(counts, { 'malformed-graph': 4, 'empty-graph': 1 });
    assert.equal(server.seen.length, 5, 'a blank caption sends no request');
  });

  it('sends one request per caption, even across runs', async () => {
    await read(['A dog', 'A  dog ', 'A dog']);
    const { usage } = await read(['A dog']);
    assert.equal(server.seen.length, 1);
    assert.deepEqual([usage['requests'], usage['cached']], [0, 1]);
  });

  it('rejects options without an endpoint or a valid model name', async () => {
    assert.throws(() => factualT5({}), { message: 'factual-t5: expected endpointUrl or model, found neither' });
    assert.throws(() => factualT5({ model: '../x' }), { message: "factual-t5: model '../x', expected owner/name" });
  });
});
