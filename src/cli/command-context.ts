import { EventEmitter } from 'node:events';
import type { Readable, Writable } from 'node:stream';

/** A stream that commands print to; on a terminal, `isTTY` is true and `columns` is its width in characters. */
export type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** The streams and process features that the command line uses. */
export interface CommandIo {
  readonly stdin: Readable;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** Emits SIGINT and SIGTERM, as `process` does; omitted when nothing interrupts the command. */
  readonly signals?: Pick<EventEmitter, 'on' | 'off'>;
  /** Ends the process when a repeated interrupt cannot wait; omitted when the process has other work. */
  readonly exit?: (code: number) => void;
}

/** One execution of the command line: where its commands print and with which code it ends. */
export class CommandContext {
  readonly #io: CommandIo;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly signals: Pick<EventEmitter, 'on' | 'off'>;
  readonly exit: (code: number) => void;
  /** 0 is success, 1 an error, 2 wrong usage, 130 an interruption. */
  exitCode = 0;

  constructor(io: CommandIo) {
    const { stdout, stderr, signals = new EventEmitter(), exit = () => {} } = io;
    this.#io = io;
    this.stdout = stdout;
    this.stderr = stderr;
    this.signals = signals;
    this.exit = exit;
  }

  /** Standard input, opened by the first command that reads it. */
  get stdin(): Readable {
    return this.#io.stdin;
  }

  /** Writes a line to standard output. */
  print(text: string): void {
    this.stdout.write(`${text}\n`);
  }

  /** Writes a line to standard error. */
  printNote(text: string): void {
    this.stderr.write(`${text}\n`);
  }
}
