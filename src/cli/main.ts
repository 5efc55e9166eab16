#!/usr/bin/env node
import { withPath } from '../files/system-error.js';
import { collectEarly } from './collect-early.js';
import { CommandContext } from './command-context.js';
import { reportError, runCli } from './run-cli.js';

// With a listener a file that grows past `ulimit -f` is an error of the write, not the end of the process.
process.on('SIGXFSZ', () => {});

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader such as `head` has what it wanted.
  if (error.code === 'EPIPE') process.exit(0);
  process.exit(reportError(withPath(error, 'standard output'), new CommandContext(process)));
});
// Notes have no reader or no space; the work continues, and its exit code says how it ended.
process.stderr.on('error', () => {});

// Errors outside of any call: an error of a GPU, for example.
process.on('uncaughtException', (error) => process.exit(reportError(error, new CommandContext(process))));

collectEarly();
process.exitCode = await runCli(process.argv.slice(2), {
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  signals: process,
  exit: (code) => process.exit(code),
});
