import { styleText } from 'node:util';
import { Command, CommanderError } from 'commander';
import { describeSystemError, isSystemError } from '../files/system-error.js';
import { RelflowError, version } from '../index.js';
import { applyCommand } from './apply-command.js';
import { captionsCommand } from './captions-command.js';
import { CommandContext, type CommandIo } from './command-context.js';
import { completionCommand } from './completion-command.js';
import { convertCommand } from './convert-command.js';
import { doctorCommand } from './doctor-command.js';
import { evaluateCommand } from './evaluate-command.js';
import { exportCommand } from './export-command.js';
import { finishCommand } from './finish-command.js';
import { hasColors } from './has-colors.js';
import { inspectCommand } from './inspect-command.js';
import { listCommand } from './list-command.js';
import { parseCommand } from './parse-command.js';
import { planCommand } from './plan-command.js';
import { predictCommand } from './predict-command.js';
import type { ProgressFlags } from './progress.js';
import { pullCommand } from './pull-command.js';
import { pushCommand } from './push-command.js';
import { recipesFor } from './recipes.js';
import { resumeCommand } from './resume-command.js';
import { runCommand } from './run-command.js';
import { sampleCommand } from './sample-command.js';
import { statsCommand } from './stats-command.js';
import { statusCommand } from './status-command.js';
import { trainCommand } from './train-command.js';
import { validateCommand } from './validate-command.js';
import { viewCommand } from './view-command.js';
import { visibleLines, visibleStyledLines } from './visible-text.js';
import { weightsCommand } from './weights-command.js';
import { workerCommand } from './worker-command.js';

/**
 * Runs the command line to its end, printing to the given streams only.
 *
 * @param args the arguments after `relflow`
 * @returns the exit code: 0 success, 1 an error that relflow names, 2 wrong usage, 130 interrupted
 */
export async function runCli(args: readonly string[], io: CommandIo): Promise<number> {
  const context = new CommandContext(io);
  try {
    const program = await createProgram(args, context);
    await program.parseAsync(args, { from: 'user' });
    return context.exitCode;
  } catch (error) {
    return reportError(error, context);
  }
}

/** Prints an error as the command line does and returns its exit code. */
export function reportError(error: unknown, context: CommandContext): number {
  // Commander has printed its message already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof RelflowError) {
    context.printError(error.message);
    return 1;
  }
  if (isSystemError(error)) {
    context.printError(`${error.path === undefined ? '' : `${error.path}: `}${describeSystemError(error, error.path)}`);
    return 1;
  }
  if (error instanceof DOMException && error.name === 'AbortError') {
    context.printError('stopped; what was written before is kept');
    return 130;
  }
  context.printError('an error of relflow itself; please report it with what follows');
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  context.printNote(...trace.split('\n'));
  return 1;
}

async function createProgram(args: readonly string[], context: CommandContext): Promise<Command> {
  const program = new Command('relflow')
    .description('Relation data from object-detection sets: boxes and captions in, scene graphs out.')
    .version(version)
    .showHelpAfterError('(add --help for help)')
    .addHelpText(
      'after',
      '\nExample:\n  relflow run coco --annotations instances.json --captions captions.json --out graphs',
    );
  const recipes = await recipesFor(args);
  listCommand(program, context, recipes);
  planCommand(program, context, recipes);
  runCommand(program, context, recipes);
  resumeCommand(program, context);
  finishCommand(program, context);
  pushCommand(program, context);
  pullCommand(program, context);
  workerCommand(program, context);
  statusCommand(program, context);
  validateCommand(program, context);
  exportCommand(program, context);
  convertCommand(program, context);
  statsCommand(program, context);
  inspectCommand(program, context);
  parseCommand(program, context);
  viewCommand(program, context);
  applyCommand(program, context);
  sampleCommand(program, context);
  predictCommand(program, context);
  evaluateCommand(program, context);
  captionsCommand(program, context);
  trainCommand(program, context);
  weightsCommand(program, context);
  doctorCommand(program, context);
  completionCommand(program, context);
  redirect(program, context);
  program.hook('preAction', (_, action) => {
    const { progress, quiet } = action.opts<Partial<ProgressFlags>>();
    context.writesEvents = progress === 'json' && !quiet;
  });
  return program;
}

/** Makes a command and its subcommands print to the context's streams and throw instead of ending the process. */
function redirect(command: Command, context: CommandContext): void {
  const { stdout, stderr, env } = context;
  command.exitOverride();
  command.configureOutput({
    // Help is relflow's own text and that of the user's modules; only its styles are passed on.
    writeOut: (text) => stdout.write(visibleStyledLines(text)),
    writeErr: (text) => stderr.write(visibleLines(text)),
    // A line feed in an argument starts no line of its own; commander's further lines are in parentheses.
    outputError: (text, write) => write(text.replace(/\n(?!\(|$)/g, '\\n')),
    getOutHelpWidth: () => stdout.columns ?? 80,
    getErrHelpWidth: () => stderr.columns ?? 80,
    getOutHasColors: () => hasColors(stdout, env),
    getErrHasColors: () => false,
  });
  command.configureHelp({
    sortSubcommands: false,
    styleTitle: (title) => styleText('bold', title, { validateStream: false }),
  });
  for (const sub of command.commands) redirect(sub, context);
}
