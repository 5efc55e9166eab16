import { stat } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { wrapIoErrors } from '../files/wrap-io-errors.js';
import { writeIfAbsent } from '../files/write-if-absent.js';
import type { Recipe } from '../graph/recipe.js';
import {
  checkWiring,
  describeGraph,
  drawMermaid,
  drawText,
  forecast,
  type Graph,
  OutputError,
  type Preview,
  preview,
  type StageForecast,
} from '../index.js';
import { graphInputs } from '../runs/graph-inputs.js';
import { numberText } from '../runs/run-summary.js';
import type { CommandContext } from './command-context.js';
import { type OutputFlags, outputOptions } from './output-options.js';
import { configOption, recipeFlags } from './recipe-flags.js';
import { buildGraph, OTHER, recipeCommand } from './recipes.js';
import { failIfEmpty, printSummary } from './run-result.js';
import { type SavedConfig, savedConfig } from './saved-config.js';

/** Output format of a plan. */
type PlanFormat = 'text' | 'json' | 'mermaid' | 'svg';

interface PlanFlags extends OutputFlags {
  readonly format: PlanFormat;
  readonly save?: string;
}

/** Adds `relflow plan`, with one subcommand per pipeline. */
export function planCommand(
  program: Command,
  context: CommandContext,
  recipes: readonly { name: string; recipe: Recipe }[],
): void {
  const command = program
    .command('plan')
    .summary('show a pipeline and check its inputs without running it')
    .description('Show a pipeline and check its options, wiring and inputs without running it.')
    .addHelpText(
      'after',
      '\nExample:\n  relflow plan coco --annotations instances.json --captions captions.json --out graphs',
    );
  for (const { name, recipe } of recipes) {
    const sub = recipeCommand(name, recipe, [
      ...outputOptions('output folder for --save; plan writes nothing else'),
      configOption(),
      new Option('--format <format>', 'output format')
        .choices(['text', 'json', 'mermaid', 'svg'])
        .default('text')
        .helpGroup(OTHER),
      new Option(
        '--save <file>',
        'write all options to a file for run --config, instead of showing the plan; - prints them',
      ).helpGroup(OTHER),
    ]);
    sub.action(async () => {
      const { flags, options: given } = await recipeFlags<PlanFlags>(sub, recipe);
      const { graph, options } = await buildGraph(recipe, given, flags.export);
      if (flags.save !== undefined) await saveConfig(context, flags.save, savedConfig(recipe.name, options, flags));
      else await showPlan(context, graph, flags.format, flags.allowEmpty);
    });
    command.addCommand(sub);
  }
}

async function saveConfig(context: CommandContext, file: string, { text, withoutSecrets }: SavedConfig): Promise<void> {
  if (withoutSecrets.length > 0)
    context.printNote(
      `without the credentials in ${withoutSecrets.join(', ')}; give these options on the command line`,
    );
  if (file === '-') context.printText(text.trimEnd());
  else if (await wrapIoErrors(file, () => writeIfAbsent(file, text)))
    context.print(`${file}: use it with run --config`);
  else throw new OutputError(file, 'already exists; choose another name for --save, or remove it');
}

/**
 * Prints a graph, its input files and the requests that its models still need.
 *
 * @throws WiringError or InputError when the graph cannot run
 */
export async function showPlan(
  context: CommandContext,
  graph: Graph,
  format: PlanFormat,
  allowEmpty = false,
): Promise<void> {
  checkWiring(graph);
  const files = await graphInputs(graph);
  const inputs = await Promise.all(files.map(async (file) => ({ file, bytes: (await stat(file)).size })));
  switch (format) {
    case 'json': {
      const sample = await preview(graph);
      const models = await forecast(graph);
      const plan = { pipeline: graph.name, graph: describeGraph(graph), inputs, sample, models };
      context.printText(JSON.stringify(plan, null, 2));
      return failIfEmptySample(context, graph, sample, allowEmpty);
    }
    case 'mermaid':
      return context.printText(drawMermaid(graph));
    case 'svg': {
      const { drawSvg } = await import('../graph/draw-svg.js');
      return context.printText(drawSvg(graph));
    }
    case 'text': {
      context.print(graph.name, '');
      context.printText(`${drawText(graph)}\n`);
      for (const { file, bytes } of inputs) context.print(`input ${file}  ${(bytes / 1e6).toFixed(2)} MB`);
      const sample = await preview(graph);
      printPreview(context, sample);
      for (const stage of await forecast(graph)) context.print('', ...forecastLines(stage));
      failIfEmptySample(context, graph, sample, allowEmpty);
    }
  }
}

/** Prints what the sample of a plan shows. */
function printPreview(context: CommandContext, { categories, summary, isComplete, omitted }: Preview): void {
  context.print('', `${isComplete ? 'all' : 'a sample of'} ${numberText(summary.images)} images:`);
  if (categories) {
    const { names, unmatched } = categories;
    context.print(`categories: ${names.length - unmatched.length} of ${names.length} are in the vocabulary`);
  }
  printSummary(context, summary);
  if (omitted.length > 0) context.print(`not tried: ${omitted.join(', ')}`);
}

/** Fails only if the sample is the complete input; a part does not show what the rest contains. */
function failIfEmptySample(
  context: CommandContext,
  graph: Graph,
  { isComplete, summary }: Preview,
  allowEmpty: boolean,
): void {
  if (isComplete) failIfEmpty(context, graph.name, summary, allowEmpty);
}

/** Describes the requests that a stage still has to send to its model. */
function forecastLines({ stage, records, rejected, forecast: still }: StageForecast): string[] {
  if (!still) return [`${stage}: its requests depend on answers that are not in the store yet`];
  const { answers, missing, tokens, cost } = still;
  const number = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: 4 });
  const lines = [
    `${stage}: ${number(missing)} of ${number(answers)} answers for ${number(records - rejected)} records are missing; ${number(answers - missing)} are in the store`,
  ];
  if (rejected > 0) lines.push(`  ${number(rejected)} records cannot be sent to the model`);
  if (missing > 0) lines.push(`  about ${number(tokens.input)} input tokens, ${number(tokens.output)} output tokens`);
  lines.push(
    cost > 0
      ? `  cost about ${number(cost)} at the prices given`
      : '  cost 0 without prices; set --price-input, --price-output or --price-request',
  );
  return lines;
}
