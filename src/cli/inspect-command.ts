import type { Command } from 'commander';
import { inspect, RunFolder } from '../index.js';
import type { CommandContext } from './command-context.js';
import { graphOfRun } from './saved-run.js';
import { type TrustFlags, trustOptions } from './trusted-run.js';

/** Adds `relflow inspect`. */
export function inspectCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('inspect <image> <folder>')
    .summary('trace one image through every stage of a run')
    .description(
      'Trace one image through every stage of a run: captions, parsed triplets, matches, pairs, scores, and why each was kept or dropped. The image is given by its id or its file, with or without folders and extension. Runs the pipeline again for this image, so it needs the inputs of the run.',
    )
    .option('--json', 'print as JSON');
  for (const option of trustOptions()) command.addOption(option);
  command
    .addHelpText(
      'after',
      '\nExamples:\n  relflow inspect 391895 coco-graphs\n  relflow inspect 000000391895.jpg coco-graphs',
    )
    .action(async (image: string, path: string, { json, ...flags }: TrustFlags & { json?: boolean }) => {
      const inspection = await inspect(
        await graphOfRun(new RunFolder(path), 'inspect', 'inspect(graph, image)', { flags }),
        image,
      );
      if (json) {
        context.printText(JSON.stringify(inspection, null, 2));
        return;
      }
      const { detections, steps, stages, rejects } = inspection;
      context.print(`image ${inspection.image}: ${detections.length} objects`);
      for (const detection of detections) context.print(`  ${detection}`);
      for (const [stage, { counts, rejected, filtered }] of Object.entries(stages)) {
        const own = steps.filter((step) => step.stage === stage);
        const totals = Object.entries({ ...counts, ...rejected, ...(filtered > 0 && { filtered }) });
        if (own.length === 0 && totals.length === 0) continue;
        context.print(
          '',
          `${stage}${totals.length > 0 ? `: ${totals.map(([name, by]) => `${by} ${name}`).join(', ')}` : ''}`,
        );
        for (const { line } of own) context.print(`  ${line}`);
      }
      for (const { stage, reason, message } of rejects)
        context.print('', `rejected by ${stage} (${reason}): ${message}`);
    });
}
