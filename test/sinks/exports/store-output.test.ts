import assert from 'node:assert/strict';
import { createHash, randomFillSync } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { putS3File } from '../../../src/files/s3/put-s3-file.js';
import { type ExportFormatName, type ExportOptions, exportGraphs, type SceneGraph } from '../../../src/index.js';
import { relflow, SCENES } from '../../support/command.js';
import { temporaryFolder } from '../../support/folders.js';
import { imageFolder } from '../../support/image-folder.js';
import { type S3Server, startS3 } from '../../support/s3-server.js';
import { threeRelations } from '../../support/three-relations.js';

const graphs = Array.from({ length: 30 }, (_, k) => threeRelations({}, { id: k + 1, file: `${k + 1}.jpg` }));

const sourceOf = (some: readonly SceneGraph[]) => ({
  graphs: async function* () {
    yield* some;
  },
  about: { name: 'own', inputs: [], stages: [] },
});

const source = sourceOf(graphs);

/** Returns the contents of the files below a folder, by a prefix and their paths. */
function filesOf(folder: string, prefix: string): Map<string, Buffer> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.sort().map((path) => [`${prefix}${path.slice(folder.length)}`, readFileSync(path)]));
}

describe('exports to an S3-compatible store', function () {
  this.timeout(60_000);
  let server: S3Server;
  let images: string;

  before(async () => {
    server = await startS3();
    images = (await imageFolder(30)).folder;
  });
  after(() => server.stop());
  afterEach(() => {
    server.faults.share = 0;
    delete server.faults.refused;
  });

  const toStore = (format: ExportFormatName, prefix: string, options: ExportOptions & { overwrite?: boolean } = {}) =>
    exportGraphs(source, format, `s3://bucket/${prefix}`, options);

  it('have the same bytes as in a folder, the manifest last, also if a fifth of the requests fail', async () => {
    for (const [format, options] of [
      ['huggingface', { images, split: '0.5/0.5' }],
      ['fiftyone', { images }],
    ] as const) {
      const folder = join(temporaryFolder(), format);
      const imageFiles = format === 'fiftyone' ? { imageFiles: 'copy' as const } : {};
      await exportGraphs(source, format, folder, { ...options, ...imageFiles });
      server.faults.share = 0.2;
      server.requests.length = 0;
      const result = await toStore(format, `sets/${format}`, { ...options, ...imageFiles });
      server.faults.share = 0;
      assert.deepEqual(await server.objects(`sets/${format}/`), filesOf(folder, `sets/${format}`));
      const written = server.requests.flatMap((line) => /^PUT [^?]*\/sets\/([^?]*)/.exec(line)?.[1] ?? []);
      assert.equal(written.at(-1), `${format}/relflow-export.json`);
      assert.equal(result.images, 30);
    }
    await assert.rejects(toStore('fiftyone', 'sets/links', { images, imageFiles: 'link' }), /which has no links/);
  });

  it('are refused where something else is, and never replace a folder', async () => {
    await server.put('mine/photo.jpg', 'x');
    await assert.rejects(toStore('neo4j', 'mine'), /s3:\/\/bucket\/mine: contains photo\.jpg, which no export wrote/);
    await toStore('neo4j', 'once');
    const before = await server.objects('once/');
    await assert.rejects(toStore('neo4j', 'once', { overwrite: true }), /cannot replace its objects all at once/);
    await toStore('coco', 'one.json');
    await assert.rejects(toStore('coco', 'one.json'), /already exists/);
    await toStore('coco', 'one.json', { overwrite: true, relatedOnly: true });
    assert.deepEqual(await server.objects('once/'), before);
    await assert.rejects(toStore('coco', ''), /has no name for the object/);
  });

  it('go on after a failure, and are not complete before', async () => {
    server.faults.refused = /^PUT .*(?:\/1\d\.jpg|relflow-export\.json)/;
    await assert.rejects(
      toStore('huggingface-jsonl', 'again', { images }),
      /^OutputError: s3:\/\/bucket\/again\/images\/1\d\.jpg: cannot be written/,
    );
    const partial = await server.objects('again/');
    assert.ok(partial.has('again/relflow-export.incomplete.json') && !partial.has('again/relflow-export.json'));
    delete server.faults.refused;
    server.requests.length = 0;
    // With fewer images: the objects of the others are removed.
    const fewer = sourceOf(graphs.slice(0, 25));
    await exportGraphs(fewer, 'huggingface-jsonl', 's3://bucket/again', { images });
    const written = server.requests.filter((line) => /^PUT .*\.jpg/.test(line));
    assert.ok(written.length < 25, 'what was written is not written again');
    const folder = join(temporaryFolder(), 'again');
    await exportGraphs(fewer, 'huggingface-jsonl', folder, { images });
    assert.deepEqual(await server.objects('again/'), filesOf(folder, 'again'));
  });

  it('write large files in parts, and abort them when one fails', async () => {
    const file = join(temporaryFolder(), 'large');
    const content = randomFillSync(Buffer.alloc(20 << 20));
    writeFileSync(file, content);
    const checked = { file, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
    const address = { bucket: 'bucket', prefix: 'large' };
    server.faults.refused = /partNumber=2/;
    await assert.rejects(putS3File(address, 'a', checked), /s3:\/\/bucket\/large\/a: cannot be written/);
    assert.ok(server.requests.some((line) => /^DELETE .*uploadId=/.test(line)));
    assert.equal((await server.objects('large/')).size, 0);
    delete server.faults.refused;
    assert.equal(await putS3File(address, 'a', checked), true);
    assert.equal(await putS3File(address, 'a', checked), false);
    assert.deepEqual((await server.objects('large/')).get('large/a'), content);
  });

  it('are made by the command, with images of a store, and say what is missing', async () => {
    const out = join(temporaryFolder(), 'run');
    const scenes = join(SCENES, 'images');
    const names = readdirSync(scenes).sort();
    for (const name of names.slice(1)) await server.put(`scenes/${name}`, readFileSync(join(scenes, name)));
    await relflow([
      ...['run', 'coco', '--annotations', join(SCENES, 'instances.json')],
      ...['--captions', join(SCENES, 'captions.json'), '--out', out],
    ]);
    const ended = await relflow([
      ...['export', out, '--format', 'huggingface', '--out', 's3://bucket/from-run', '--images', 's3://bucket/scenes'],
    ]);
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stdout, /^s3:\/\/bucket\/from-run: 4 files/);
    assert.match(ended.stderr, /1 images were not found in the image folder, such as .* \(image-missing\)/);
    const objects = await server.objects('from-run/');
    for (const content of objects.values()) assert.ok(!content.includes('S3RVER'));
  });
});
