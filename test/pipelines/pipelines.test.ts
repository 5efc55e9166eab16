import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipelines } from '../../pipelines/index.js';
import {
  buildRecipe,
  Graph,
  type Manifest,
  type Recipe,
  RunFolder,
  run,
  type SceneGraph,
  sceneGraphLines,
  sceneGraphs,
  validateRun,
  visualGenome,
} from '../../src/index.js';
import { SCENES } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';
import { collect } from '../support/records.js';

/** Runs a pipeline by name into a new folder and validates its output. */
async function runPipeline(name: string, options: Record<string, unknown>) {
  const recipe = pipelines.find((one) => one.name === name) as unknown as Recipe;
  const { graph } = await buildRecipe(recipe, options);
  return runGraph(graph);
}

async function runGraph(graph: Graph): Promise<{ out: string; graphs: SceneGraph[]; manifest: Manifest }> {
  const out = join(temporaryFolder(), 'out');
  const { manifest } = await run(graph, { out });
  assert.deepEqual(await collect(validateRun(out)), []);
  const graphs = await collect(new RunFolder(out).lines('scene-graphs', 'scene-graph'));
  return { out, graphs, manifest: manifest! };
}

type Truth = Record<string, { subject: number; predicate: string; object: number }[]>;
const truth = JSON.parse(readFileSync(join(SCENES, 'relations.json'), 'utf8')) as Truth;

describe('pipelines on the fixture scenes', () => {
  const captions = join(SCENES, 'captions.json');
  const images = join(SCENES, 'images');

  it('coco: has every image, every valid box and relations from captions, and counts dropped boxes by reason', async () => {
    const { graphs, manifest } = await runPipeline('coco', {
      annotations: join(SCENES, 'instances.json'),
      images,
      captions,
    });
    assert.equal(graphs.length, 24);
    assert.deepEqual(manifest.stages['coco']?.counts, {
      clipped: 1,
      crowd: 4,
      'duplicate-box': 1,
      'far-beyond-image': 1,
      'zero-area': 1,
    });
    assert.equal(graphs[0]?.provenance.tagger?.baseline, true);
    assert.deepEqual(
      graphs[0]?.provenance.operators.map(({ name }) => name),
      ['coco', 'caption', 'parse', 'match', 'pair', 'tag', 'geometry'],
    );
    for (const { relations, captions: texts } of graphs) {
      for (const relation of relations) assert.ok(relation.captions?.every((caption) => caption < texts.length));
    }
  });

  it('coco: the baseline finds more true pairs than false ones', async () => {
    const { graphs } = await runPipeline('coco', {
      annotations: join(SCENES, 'instances.json'),
      captions,
      geometry: false,
    });
    let right = 0;
    let wrong = 0;
    for (const { image, objects, relations } of graphs) {
      const pairs = new Set(truth[String(image.id)]!.map(({ subject, object }) => `${subject} ${object}`));
      for (const { subject, object } of relations) {
        if (pairs.has(`${objects[subject]!.id} ${objects[object!]!.id}`)) right++;
        else wrong++;
      }
    }
    assert.ok(right > 40 && right > 2 * wrong, `${right} relations between truly related objects, ${wrong} others`);
  });

  it('objects365: has the same boxes with Objects365 names, and images in patch folders', async () => {
    const { graphs } = await runPipeline('objects365', {
      annotations: join(SCENES, 'objects365.json'),
      captions: join(SCENES, 'captions-blip.json'),
    });
    assert.equal(graphs.length, 24);
    assert.match(graphs[0]!.image.file, /^patch16\/objects365_v2_\d{8}\.jpg$/);
    assert.equal(graphs[0]!.image.dataset, 'o365');
    const names = new Set(graphs.flatMap(({ objects }) => objects.map(({ category }) => category)));
    assert.ok(names.has('handbag/satchel') && names.has('person'), [...names].join());
    assert.ok(graphs.some(({ relations }) => relations.length > 0));
  });

  it('visual-genome: has the annotated relations from both kinds of files', async () => {
    const folder = join(SCENES, 'visual-genome');
    const imageData = join(folder, 'image_data.json');
    const forms = await Promise.all([
      runPipeline('visual-genome', { sceneGraphs: join(folder, 'scene_graphs.json'), imageData, images }),
      runPipeline('visual-genome', {
        objects: join(folder, 'objects.json'),
        relationships: join(folder, 'relationships.json'),
        imageData,
        images,
      }),
    ]);
    const [a, b] = forms.map(({ graphs }) => graphs.map(({ image, relations }) => [image.id, relations]));
    assert.deepEqual(a, b);
    for (const { image, objects, relations, provenance } of forms[0]!.graphs) {
      assert.equal(provenance.tagger, null);
      const known = new Set(truth[String(image.id)]!.map((r) => `${r.subject} ${r.object}`));
      for (const { subject, predicate, object, confidence } of relations) {
        assert.equal(confidence, undefined);
        assert.ok(known.has(`${objects[subject]!.id} ${objects[object!]!.id}`), `${image.id}: ${predicate}`);
      }
    }
  });

  it('visual-genome: requires one of the two kinds of files', async () => {
    const message = 'visual-genome: expected either --scene-graphs, or --objects and --relationships';
    await assert.rejects(runPipeline('visual-genome', { imageData: 'x', objects: 'y' }), { message });
    await assert.rejects(runPipeline('visual-genome', {}), { message: 'visual-genome: --image-data is missing' });
  });

  it('demo: writes a self-contained page', async () => {
    const { out, graphs, manifest } = await runPipeline('demo', {});
    const page = readFileSync(join(out, 'report.html'), 'utf8');
    assert.ok(manifest.files.some(({ path }) => path === 'report.html'));
    assert.match(page, /data:image\/jpeg;base64,/);
    assert.doesNotMatch(page, /(src|href)="https?:/);
    assert.match(
      page,
      /role="note">The tagger was trained on drawn scenes [^<]*It knows these drawings but no photographs/,
    );
    const related = graphs.filter(({ relations }) => relations.length > 0);
    assert.ok(related.length > graphs.length / 2, `${related.length} of ${graphs.length} images have relations`);
    for (const { provenance } of graphs)
      assert.deepEqual(provenance.tagger, { name: 'sprite-tagger', version: '1', baseline: false });
  });

  it('merge: writes pseudo-labels and ground truth as one dataset, and reads it again', async () => {
    const first = await runPipeline('coco', { annotations: join(SCENES, 'instances.json'), captions });
    const graph = new Graph('both');
    const pseudo = graph.from(sceneGraphLines({ sceneGraphs: first.out }));
    const folder = join(SCENES, 'visual-genome');
    const vg = graph.from(
      visualGenome({ sceneGraphs: join(folder, 'scene_graphs.json'), imageData: join(folder, 'image_data.json') }),
    );
    graph.merge(pseudo, vg).to(sceneGraphs());
    const { graphs } = await runGraph(graph);
    assert.deepEqual(
      graphs.slice(0, 24).map(({ relations }) => relations),
      first.graphs.map(({ relations }) => relations),
    );
    assert.deepEqual(
      graphs.slice(24).map(({ image }) => image.dataset),
      Array(24).fill('vg'),
    );
  });
});

describe('coco on real images', () => {
  const folder = '../shared/data/coco-mini';
  it('writes a valid scene graph for each of 80 images', async function () {
    if (!existsSync(folder)) {
      console.log(`      skipped: ${folder} does not exist`);
      this.skip();
    }
    const { graphs } = await runPipeline('coco', {
      annotations: join(folder, 'instances_train2017.json'),
      images: join(folder, 'train2017'),
      captions: join(folder, 'captions_train2017.json'),
    });
    assert.equal(graphs.length, 80);
    assert.equal(
      graphs.reduce((sum, { objects }) => sum + objects.length, 0),
      731,
      '739 boxes less 8 crowds',
    );
    assert.ok(graphs.filter(({ relations }) => relations.length > 0).length > 30);
  });
});
