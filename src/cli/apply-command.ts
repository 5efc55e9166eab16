import { basename, join } from 'node:path';
import { type Command, Option } from 'commander';
import { Graph, InputError, OptionError, run, sceneGraphs, validateRun } from '../index.js';
import { INPUT_FORMS } from '../sources/input-forms.js';
import type { CommandContext } from './command-context.js';
import { showResult, summary } from './run-result.js';

interface Flags {
  readonly out: string;
  readonly from?: string;
  readonly reviewedOnly?: boolean;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

/** Adds `relflow apply`. */
export function applyCommand(program: Command, context: CommandContext): void {
  program
    .command('apply')
    .argument('<paths...>', 'files of edits, then the run or set; the run alone for its own reviews.jsonl')
    .usage('[reviews...] <run> --out <folder>')
    .summary('make a new set with the edits of people')
    .description(
      'Apply the edits that people made with `relflow view`: relations that they approved, changed or drew become theirs, those that they rejected are dropped, and the others stay. Files of several people may be given in any order; where people disagree, the last edit holds, and how often is said. The result is the folder of a run, which `relflow validate`, `view`, `export` and every other command read.',
    )
    .requiredOption('--out <folder>', 'folder to write')
    .option('--reviewed-only', 'drop relations that were not reviewed')
    .addOption(new Option('--from <form>', 'form of a set that is not a run').choices(Object.keys(INPUT_FORMS)))
    .option('--overwrite', 'replace an earlier run in the folder')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  relflow apply coco-graphs --out corrected\n  relflow apply ann.jsonl ben.jsonl coco-graphs --out corrected',
    )
    .action(async (paths: readonly string[], { out, from, reviewedOnly = false, overwrite, json }: Flags) => {
      const set = paths.at(-1) as string;
      const files = paths.length > 1 ? paths.slice(0, -1) : [join(set, 'reviews.jsonl')];
      const [{ applyReviews }, { readReviews }, { setSource }] = await Promise.all([
        import('../view/reviews/apply-reviews.js'),
        import('../view/reviews/read-reviews.js'),
        import('../view/open-set.js'),
      ]);
      const { reviews, problems } = await readReviews(files);
      for (const problem of problems) context.printNote(problem);
      if (reviews.length === 0) throw new InputError(files.join(', '), 'has no edits, so there is nothing to apply');
      const { operator, applied } = applyReviews(reviews, { files, reviewedOnly });
      const graph = new Graph('reviewed');
      graph
        .from(await setSource('apply', set, from === undefined ? {} : { from }))
        .pipe(operator)
        .to(sceneGraphs());
      const result = await run(graph, { out, ...(overwrite && { overwrite }) });
      const others = applied.ofOtherImages();
      const counts = result.manifest?.stages['apply-reviews']?.counts ?? {};
      if (json) {
        context.print(JSON.stringify({ ...summary(result), edits: applied.edits, ofOtherImages: others, counts }));
      } else {
        showResult(context, result);
        const list = Object.entries(counts).map(([name, count]) => `${count.toLocaleString('en-US')} ${name}`);
        context.print(`${applied.edits.toLocaleString('en-US')} edits hold; relations: ${list.join(', ')}`);
        if (counts['conflict'] !== undefined)
          context.printNote(`people disagree about ${counts['conflict']} relations: the last edit holds`);
      }
      if (counts['unknown-relation'] !== undefined)
        context.printNote(`${counts['unknown-relation']} edits are of relations that ${basename(set)} does not have`);
      if (others > 0) context.printNote(`${others} edits are of images that ${basename(set)} does not have`);
      if (others === applied.edits)
        throw new OptionError('apply', `none of the edits is of an image of ${set}; is it the set that was reviewed?`);
      for await (const { file, problem } of validateRun(out)) throw new InputError(file, problem);
    });
}
