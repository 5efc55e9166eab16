#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { RelflowError, version } from '../index.js';
import { captionsCommand } from './captions-command.js';
import { collectEarly } from './collect-early.js';
import { doctorCommand } from './doctor-command.js';
import { evaluateCommand } from './evaluate-command.js';
import { exportCommand } from './export-command.js';
import { finishCommand } from './finish-command.js';
import { inspectCommand } from './inspect-command.js';
import { listCommand } from './list-command.js';
import { printNote } from './output.js';
import { parseCommand } from './parse-command.js';
import { planCommand } from './plan-command.js';
import { recipesFor } from './recipes.js';
import { resumeCommand } from './resume-command.js';
import { runCommand } from './run-command.js';
import { statsCommand } from './stats-command.js';
import { statusCommand } from './status-command.js';
import { trainCommand } from './train-command.js';
import { validateCommand } from './validate-command.js';
import { weightsCommand } from './weights-command.js';
import { workerCommand } from './worker-command.js';

/** Exit codes: 0 fine, 1 an error that relflow names, 2 wrong usage, 130 interrupted. */
async function main(args: readonly string[]): Promise<void> {
  const program = new Command('relflow')
    .description('Relation data from object-detection sets: boxes and captions in, scene graphs out.')
    .version(version)
    .showHelpAfterError('(add --help for help)')
    .configureHelp({ sortSubcommands: false })
    .addHelpText(
      'after',
      '\nExample:\n  relflow run coco --annotations instances.json --captions captions.json --out graphs',
    );
  const recipes = await recipesFor(args);
  listCommand(program, recipes);
  planCommand(program, recipes);
  runCommand(program, recipes);
  resumeCommand(program);
  finishCommand(program);
  workerCommand(program);
  statusCommand(program);
  validateCommand(program);
  exportCommand(program);
  statsCommand(program);
  inspectCommand(program);
  parseCommand(program);
  evaluateCommand(program);
  captionsCommand(program);
  trainCommand(program);
  weightsCommand(program);
  doctorCommand(program);
  overrideExits(program);
  await program.parseAsync(args, { from: 'user' });
}

/** Commander ends the process by itself unless each command is told not to. */
function overrideExits(command: Command): void {
  command.exitOverride();
  for (const sub of command.commands) overrideExits(sub);
}

// With a listener a file that grows past `ulimit -f` is an error of the write, not the end of the process.
process.on('SIGXFSZ', () => {});

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader such as `head` has what it wanted.
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  // Nobody reads the notes any more; the work goes on.
  if (error.code !== 'EPIPE') throw error;
});

// What ends the process from outside of any call: an error of a GPU, for example.
process.on('uncaughtException', (error) => {
  report(error);
  process.exit();
});

collectEarly();
try {
  await main(process.argv.slice(2));
} catch (error) {
  report(error);
}

function report(error: unknown): void {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else if (error instanceof RelflowError) {
    printNote(`relflow: ${error.message}`);
    process.exitCode = 1;
  } else if (error instanceof DOMException && error.name === 'AbortError') {
    printNote('relflow: stopped; what was written before is kept');
    process.exitCode = 130;
  } else {
    printNote('relflow: an error of relflow itself; please report it with what follows');
    printNote(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exitCode = 1;
  }
}
