import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CandidateSet, candidates, coco, Graph, loadPredicates, type Proposal, propose } from '../../src/index.js';
import { relflow } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';
import { ModelServer } from '../support/model-server.js';
import { type PaintedScenes, paintedScenes } from '../support/painted-scenes.js';
import { proposeRelations } from '../support/proposed-scenes.js';
import { ScriptedVlm, type ScriptedVlmOptions } from '../support/scripted-vlm.js';
import { linesOf } from '../support/tagged-scenes.js';

describe('propose', () => {
  let painted: PaintedScenes;
  const servers: ModelServer[] = [];

  before(async () => {
    painted = await paintedScenes(7, 50);
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });

  const proposed = async (vlm: ScriptedVlmOptions, more: readonly string[] = []) => {
    const result = await proposeRelations(painted, vlm, more);
    servers.push(result.server);
    return result;
  };

  it('rejects false relations of place and keeps true ones, and counts the reasons', async () => {
    const right = await proposed({});
    assert.ok(right.model.rightPlaces > 200, `${right.model.rightPlaces} true relations of place`);
    assert.ok(
      right.rejected / right.model.rightPlaces <= 0.03,
      `${right.rejected} of ${right.model.rightPlaces}: ${JSON.stringify(right.gates)}`,
    );
    const wrong = await proposed({ errors: { falsePlace: 1 } });
    assert.ok(wrong.model.wrongPlaces > 150, `${wrong.model.wrongPlaces} false relations of place`);
    assert.ok(
      wrong.rejected / wrong.model.wrongPlaces >= 0.95,
      `${wrong.rejected} of ${wrong.model.wrongPlaces}: ${JSON.stringify(wrong.gates)}`,
    );
    for (const reason of ['gate-left-right', 'gate-above-below', 'gate-no-contact', 'gate-not-on'])
      assert.ok(wrong.gates[reason]! > 0, `${reason} in ${JSON.stringify(wrong.gates)}`);
  });

  it('adds candidates with their source to those of captions, one request an image and at most 12 pairs', async () => {
    const { server, out, counts } = await proposed({});
    assert.ok(server.seen.length <= painted.scenes.length);
    const sets = linesOf<CandidateSet>(out, 'candidates');
    const texts = sets.flatMap((set) => set.candidates.flatMap((pair) => pair.texts));
    const added = texts.filter(({ source }) => source === 'proposal');
    assert.equal(added.length, counts['proposals-added']);
    assert.ok(added.every(({ captions }) => captions.length === 0));
    assert.ok(texts.some(({ source, captions }) => source === undefined && captions.length > 0));
    assert.ok(counts['pairs-to-propose']! <= 12 * painted.scenes.length);
  });

  it('proposes only what a list of predicates has', async () => {
    const list = join(temporaryFolder(), 'predicates.txt');
    writeFileSync(list, 'on\nnext to\nriding\n');
    const { out, counts, server } = await proposed({}, ['--predicates', list]);
    const texts = linesOf<CandidateSet>(out, 'candidates').flatMap((set) =>
      set.candidates.flatMap((pair) => pair.texts),
    );
    const added = new Set(texts.filter(({ source }) => source === 'proposal').map(({ text }) => text));
    assert.ok(
      [...added].every((text) => ['on', 'next to', 'riding'].includes(text)),
      [...added].join(),
    );
    assert.ok(counts['proposal-not-in-list']! > 0);
    assert.ok(JSON.stringify(server.seen[0]!.body).includes('Use only these relations: on, next to, riding'));
  });

  it('rejects both of two proposals that contradict each other, and sentences', async () => {
    const nearer = (subject: number, object: number): Proposal => ({ subject, object, predicate: 'In front  of' });
    const graph = new Graph('contradictions');
    const scenes = graph.from(coco({ annotations: join(painted.folder, 'instances.json'), limit: 1 }));
    const flow = scenes.pipe(
      propose({
        name: 'fixed',
        version: '1',
        propose: ({ pairs: [pair] }) => {
          const [first, second] = pair!;
          return [
            nearer(first, second),
            nearer(second, first),
            { subject: first, object: second, predicate: 'a long sentence that is not a predicate' },
            { subject: first, object: second, predicate: 'Looking  at' },
          ];
        },
      }),
    );
    for await (const { candidates: found } of flow.records())
      assert.deepEqual(
        found.flatMap(({ texts }) => texts),
        [{ text: 'looking at', captions: [], source: 'proposal' }],
      );
  });
});

describe('candidates', () => {
  it('labels a set without captions by a list of predicates and a model', async () => {
    const painted = await paintedScenes(9, 20);
    const model = new ScriptedVlm(painted.scenes);
    const server = await ModelServer.start({ chat: model.chat });
    const folder = temporaryFolder();
    const list = join(folder, 'predicates.json');
    writeFileSync(
      list,
      JSON.stringify(['riding', { predicate: 'sitting_on', subjects: ['Person'], objects: ['chair', 'bench'] }]),
    );
    const out = join(folder, 'out');
    const images = [
      '--annotations',
      join(painted.folder, 'instances.json'),
      '--images',
      join(painted.folder, 'images'),
    ];
    const tagger = [
      '--tagger',
      'vlm',
      '--tagger-endpoint-url',
      server.url,
      '--tagger-model',
      'scripted',
      '--store',
      join(folder, 'store'),
    ];
    const { code, stdout, stderr } = await relflow([
      'run',
      'coco',
      ...images,
      '--predicates',
      list,
      '--no-geometry',
      ...tagger,
      '--out',
      out,
    ]);
    await server.close();
    assert.equal(code, 0, stdout + stderr);
    const sets = linesOf<CandidateSet>(out, 'candidates');
    assert.ok(sets.every(({ captions }) => captions.length === 0));
    for (const { objects, candidates: pairs } of sets)
      for (const { subject, object, texts } of pairs)
        for (const { text, source } of texts) {
          assert.equal(source, 'predicates');
          if (text !== 'riding')
            assert.deepEqual(
              [text, objects[subject]!.category, ['chair', 'bench'].includes(objects[object]!.category)],
              ['sitting on', 'person', true],
            );
        }
    const graphs = linesOf<{ relations: { predicate: string; source?: string; captions: number[] }[] }>(
      out,
      'scene-graphs',
    );
    const relations = graphs.flatMap((graph) => graph.relations);
    assert.ok(relations.length > 0);
    assert.ok(relations.every(({ source, captions }) => source === 'predicates' && captions.length === 0));
  });

  it('reads lists of predicates in every form, and names files that are none', () => {
    const folder = temporaryFolder();
    const read = (content: string, minCount?: number) => {
      const file = join(folder, 'list');
      writeFileSync(file, content);
      return loadPredicates(file, minCount);
    };
    assert.deepEqual(read('001  adjust        \n002  blow_on\n\n'), [
      { predicate: 'adjust' },
      { predicate: 'blow on' },
    ]);
    assert.deepEqual(read('["On", {"predicate": "riding", "objects": ["horse"]}]'), [
      { predicate: 'on' },
      { predicate: 'riding', objects: ['horse'] },
    ]);
    assert.deepEqual(read('{"person": {"horse": ["riding", "near"]}}'), [
      { predicate: 'riding', subjects: ['person'], objects: ['horse'] },
      { predicate: 'near', subjects: ['person'], objects: ['horse'] },
    ]);
    assert.deepEqual(read('{"relationship_names": ["on", "by"], "relationship_freq": {"on": 30, "by": 2}}', 10), [
      { predicate: 'on' },
    ]);
    assert.throws(() => read('{"person": 3}'), /list: has no predicate; expected one predicate a line, or JSON/);
    assert.throws(() => read('[{"name": "on"}]'), /found \{"name":"on"\}/);
    assert.throws(() => loadPredicates(join(folder, 'missing')), /no file .*missing, expected one predicate a line/);
    assert.throws(() => candidates({ predicates: [] }), /'predicates' is empty/);
  });

  it('refuses options without effect', async () => {
    const painted = await paintedScenes(9, 1);
    const list = join(painted.folder, 'list.txt');
    writeFileSync(list, 'on\n');
    for (const [flags, message] of [
      [['--predicates', list], '--predicates needs --tagger or --propose'],
      [
        ['--propose', '--proposer-model', 'm', '--quality', '70', '--n-captions', '3'],
        '--n-captions has no effect without --captioner',
      ],
      [['--min-frequency', '3'], '--min-frequency has no effect without --predicates'],
      [['--propose'], '--propose needs --proposer-model, --proposer-endpoint-url or both'],
      [['--proposer-model', 'm'], '--proposer-model has no effect without --propose'],
      [['--propose', '--proposer-model', 'm', '--compat'], '--propose and --predicates have no effect with --compat'],
    ] as const) {
      const { code, stderr } = await relflow(['plan', ...painted.args, ...flags]);
      assert.equal(code, 1, stderr);
      assert.ok(stderr.includes(message), stderr);
    }
    const [pipeline, ...images] = painted.args.slice(0, 5);
    const alone = ['--propose', '--proposer-model', 'm', '--side', '700', '--first-seed', '3'];
    const { code, stderr } = await relflow(['plan', pipeline!, ...images, ...alone]);
    assert.equal(code, 1);
    assert.ok(stderr.includes('--first-seed has no effect without --captions or --captioner'), stderr);
  });
});
