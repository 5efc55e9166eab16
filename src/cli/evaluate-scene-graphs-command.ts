import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { OptionError } from '../errors.js';
import type { GraphMode } from '../evaluation/index.js';
import { type BenchmarkFlags, benchmarkOptions, evaluatorOptions, printBenchmark } from './benchmark-options.js';
import type { CommandContext } from './command-context.js';

interface Flags extends BenchmarkFlags {
  readonly mode: GraphMode;
  readonly training?: string;
}

/** Adds `relflow evaluate scene-graphs`. */
export function evaluateSceneGraphsCommand(evaluate: Command, context: CommandContext): void {
  const command = evaluate
    .command('scene-graphs <predictions> <annotations>')
    .summary('VG150, PSG or own scene graphs: recall, mean and zero-shot recall')
    .description(
      "Score predictions of scene graphs: recall, mean recall and zero-shot recall at 20, 50 and 100, with and without the constraint of one predicate for each pair, and the accuracy of true pairs, as Scene-Graph-Benchmark.pytorch computes them. <predictions> is a JSONL file as in schemas/predictions.schema.json with fused: false, <annotations> is VG-SGG-with-attri.h5 with its dictionary and image_data.json next to it, psg.json, or relflow's scene graphs: a run folder, or JSONL.",
    )
    .addOption(
      new Option('--mode <mode>', 'what the model is given: true boxes and labels, true boxes, or nothing')
        .choices(['predcls', 'sgcls', 'sgdet'])
        .makeOptionMandatory(),
    )
    .option(
      '--training <path>',
      "relflow's scene graphs of the training split, a run folder or JSONL, which decide what is zero-shot",
    );
  benchmarkOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  relflow evaluate scene-graphs predictions.jsonl VG-SGG-with-attri.h5 --mode sgdet --per-class\n  relflow evaluate scene-graphs predictions.jsonl test.jsonl --mode predcls --training train.jsonl --json',
    )
    .action((predictions: string, annotations: string, flags: Flags) =>
      action(context, predictions, annotations, flags),
    );
}

async function action(context: CommandContext, file: string, annotations: string, flags: Flags): Promise<void> {
  const { mode, training } = flags;
  const { evaluateSceneGraphs, openPredictions, readPsgTruth, readSceneGraphTruth, readVg150Truth } = await import(
    '../evaluation/index.js'
  );
  const isGraphs = !/\.(?:h5|json|json\.gz)$/.test(annotations);
  if (training !== undefined && !isGraphs)
    throw new OptionError('evaluate scene-graphs', "--training has an effect on relflow's scene graphs only");
  const predictions = await openPredictions(file);
  const files: Record<string, string> = { predictions: file };
  const read = async () => {
    if (isGraphs) {
      Object.assign(files, await graphFiles('annotations', annotations));
      if (training !== undefined) Object.assign(files, await graphFiles('training', training));
      return readSceneGraphTruth(annotations, training);
    }
    files['annotations'] = annotations;
    if (!annotations.endsWith('.h5')) return readPsgTruth(annotations);
    const { vg150FilesOf } = await import('../sources/vg150-file.js');
    const found = vg150FilesOf(annotations);
    Object.assign(files, { dictionary: found.dicts, 'image data': found.imageData });
    return readVg150Truth(found);
  };
  const evaluation = await evaluateSceneGraphs(predictions, {
    truth: await read(),
    mode,
    ...(await evaluatorOptions(flags)),
  });
  await printBenchmark(context, evaluation, files, predictions.header.settings, flags);
}

/** Returns the files that stand for scene graphs in a report: a run's manifest, which has the checksums of the others, or each file. */
async function graphFiles(name: string, path: string): Promise<Record<string, string>> {
  const { sceneGraphFiles } = await import('../sources/scene-graph-lines.js');
  const files = await sceneGraphFiles(path);
  if ((await stat(path).catch(() => null))?.isDirectory()) return { [name]: join(path, 'manifest.json') };
  return Object.fromEntries(files.map((file, k) => [files.length === 1 ? name : `${name} ${k + 1}`, file]));
}
