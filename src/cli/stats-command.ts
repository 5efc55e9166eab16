import { type Command, Option } from 'commander';
import { datasetStatistics } from '../evaluation/index.js';
import { InputError, RunFolder, type StageCounts } from '../index.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import { addStages } from '../records/stage-counts.js';
import type { CommandContext } from './command-context.js';
import { number } from './recipes.js';

/** Adds `relflow stats`. */
export function statsCommand(program: Command, context: CommandContext): void {
  program
    .command('stats <folder>')
    .summary('count predicates, categories, relations and reasons for drops')
    .description(
      'Count the predicates, categories and relations of a run, and the records and relations that its stages dropped, by reason.',
    )
    .addOption(new Option('--top <number>', 'number of names per table').argParser(number).default(20))
    .option('--json', 'print everything as JSON')
    .addHelpText('after', '\nExample:\n  relflow stats coco-graphs --top 50')
    .action(async (path: string, { top, json }: { top: number; json?: boolean }) => {
      const folder = new RunFolder(path);
      if (!(await folder.state())) throw new InputError(path, 'not the output folder of a run');
      if (!(await folder.manifest()))
        context.printNote('the run is not finished: only its complete shards are counted');
      checkPositiveInteger('stats', 'top', top);
      const statistics = await datasetStatistics(folder.lines('scene-graphs', 'scene-graph'));
      const stages: Record<string, StageCounts> = {};
      for (const shard of await folder.shards()) addStages(stages, shard.stages);
      if (json) {
        context.print(JSON.stringify({ ...statistics, stages }));
        return;
      }
      const { images, objects, captions, relations, imagesWithRelation } = statistics;
      context.printTable(
        ['images', 'with relation', 'objects', 'captions', 'relations', 'relations/image'],
        [
          [
            images,
            imagesWithRelation,
            objects,
            captions,
            relations,
            images > 0 ? Number((relations / images).toFixed(2)) : 0,
          ],
        ],
      );
      context.print('');
      context.printTable(['predicate', 'relations'], statistics.predicates.slice(0, top));
      context.print('');
      context.printTable(['category', 'objects'], statistics.categories.slice(0, top));
      context.print('');
      context.printTable(['relation', 'count'], statistics.triplets.slice(0, top));
      context.print('');
      context.printTable(['confidence at least', 'relations'], statistics.confidence);
      context.print('');
      context.printTable(
        ['stage', 'counter', 'count'],
        Object.entries(stages).flatMap(([stage, counts]) => dropRows(stage, counts)),
      );
    });
}

function dropRows(stage: string, { in: entered, out, filtered, rejected, counts }: StageCounts): (string | number)[][] {
  return [
    [stage, 'in', entered],
    [stage, 'out', out],
    ...(filtered > 0 ? [[stage, 'filtered', filtered]] : []),
    ...Object.entries(rejected).map(([reason, by]) => [stage, `rejected: ${reason}`, by]),
    ...Object.entries(counts).map(([name, by]) => [stage, name, by]),
  ];
}
