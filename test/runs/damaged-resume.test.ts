import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Graph, type ImageRecord, operator, type Related, RelflowError, run, sceneGraphs } from '../../src/index.js';
import { Random } from '../../src/records/random.js';
import { digests, temporaryFolder } from '../support/folders.js';
import { images, memorySource } from '../support/records.js';

// The bytes of each file that are changed, one at a time. All bytes: RELFLOW_DAMAGES=all npx mocha --timeout 0 test/runs/damaged-resume.test.ts
const CHANGES = process.env['RELFLOW_DAMAGES'] ?? '8';
const RECORDS = 40;

function graph(): Graph {
  const made = new Graph('damage');
  made
    .from(memorySource(images(RECORDS)))
    .pipe(
      operator<ImageRecord, Related>({
        name: 'relate',
        version: '1',
        needs: ['image'],
        adds: ['relations', 'tagger'],
        apply: async () => ({ relations: [], tagger: null }),
      }),
    )
    .to(sceneGraphs());
  return made;
}

describe('a resume of a run whose files were changed without changing their size', () => {
  for (const gzip of [false, true]) {
    it(`writes the same bytes or names the changed file${gzip ? ', with gzip' : ''}`, async () => {
      const [expected, stopped] = [join(temporaryFolder(), 'out'), join(temporaryFolder(), 'out')];
      const options = { shardRecords: 15, gzip };
      await run(graph(), { out: expected, ...options });
      const stop = new AbortController();
      const onProgress = ({ records }: { records: number }) => {
        if (records >= 20) stop.abort();
      };
      await run(graph(), { out: stopped, ...options, stop: stop.signal, onProgress });
      const files = ['', '.relflow/partial', '.relflow/shards', 'scene-graphs', '.relflow']
        .flatMap((folder) =>
          readdirSync(join(stopped, folder), { withFileTypes: true }).map((entry) => ({ entry, folder })),
        )
        .filter(({ entry }) => entry.isFile() && !['run.json', 'report.json'].includes(entry.name))
        .map(({ entry, folder }) => join(folder, entry.name));
      assert.ok(files.includes('.relflow/progress.json') && files.includes('.relflow/shards/00000.json'), `${files}`);
      assert.ok(files.some((file) => file.startsWith('.relflow/partial/')) && files.length >= 4, `${files}`);

      const random = new Random(1);
      const found = { same: 0, named: 0 };
      const folder = temporaryFolder();
      for (const file of files) {
        const { size } = statSync(join(stopped, file));
        const places = CHANGES === 'all' ? size : Math.min(size, Number(CHANGES));
        for (let place = 0; place < places; place++) {
          const at = CHANGES === 'all' ? place : Math.floor(random.next() * size);
          const out = join(folder, `${file.replaceAll('/', '-')}-${place}`);
          cpSync(stopped, out, { recursive: true });
          const bytes = readFileSync(join(out, file));
          // Digits become other digits: such a change is valid JSON.
          bytes[at] = bytes[at]! ^ 1;
          writeFileSync(join(out, file), bytes);
          try {
            await run(graph(), { out, ...options, resume: true });
            assert.deepEqual(digests(out), digests(expected), `${file} changed at ${at}`);
            found.same++;
          } catch (error) {
            if (!(error instanceof RelflowError)) throw error;
            assert.ok(error.message.startsWith(join(out, file)), error.message);
            assert.match(error.message, / or start anew with --overwrite$|shard 0 is missing/);
            found.named++;
          }
        }
      }
      assert.ok(found.same > 0 && found.named > 0, JSON.stringify(found));
    });
  }
});

describe('a resume of a run whose complete shard is missing or was changed', () => {
  for (const damage of ['changed', 'missing'])
    it(`ends with an error, and writes it and the later ones again if asked to: ${damage}`, async () => {
      const [expected, out] = [join(temporaryFolder(), 'out'), join(temporaryFolder(), 'out')];
      const options = { shardRecords: 8 };
      await run(graph(), { out: expected, ...options });
      const stop = new AbortController();
      const onProgress = ({ records }: { records: number }) => {
        if (records >= 30) stop.abort();
      };
      await run(graph(), { out, ...options, stop: stop.signal, onProgress });
      const file = join(out, 'scene-graphs/00001.jsonl');
      if (damage === 'missing') rmSync(file);
      else writeFileSync(file, readFileSync(file).fill('x', 0, 1));
      const before = digests(out);
      await assert.rejects(run(graph(), { out, ...options, resume: true }), {
        code: 'bad-input',
        message: `${file}: the file of the complete shard 1 ${damage === 'missing' ? 'is missing' : 'was changed'}: restore it, let \`relflow resume --recompute-damaged\` write it and the later shards again, or start anew with --overwrite`,
      });
      assert.deepEqual(digests(out), before);
      const { records } = await run(graph(), { out, ...options, resume: true, recomputeDamaged: true });
      assert.equal(records, RECORDS);
      assert.deepEqual(digests(out), digests(expected));
    });
});
