import { EventEmitter } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { styleText } from 'node:util';
import { hasColors } from './has-colors.js';
import { tableLines } from './table.js';
import { visibleLines, visibleText } from './visible-text.js';

/** A stream that commands print to; on a terminal, `isTTY` is true and `columns` is its width in characters. */
export type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** The streams and process features that the command line uses. */
export interface CommandIo {
  readonly stdin: Readable;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** Emits SIGINT and SIGTERM, as `process` does; omitted when nothing interrupts the command. */
  readonly signals?: Pick<EventEmitter, 'on' | 'off'>;
  /** Environment variables; default: those of the process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Ends the process when a repeated interrupt cannot wait; omitted when the process has other work. */
  readonly exit?: (code: number) => void;
}

/** How a line looks on a terminal. */
export type LineStyle = 'bold' | 'dim' | 'red' | 'yellow';

/**
 * One execution of the command line: where its commands print and with which code it ends. Everything that commands print passes
 * through here, so that control characters in captions, names of files and categories, and texts of servers are shown and never
 * obeyed.
 */
export class CommandContext {
  readonly #io: CommandIo;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: NodeJS.ProcessEnv;
  readonly signals: Pick<EventEmitter, 'on' | 'off'>;
  readonly exit: (code: number) => void;
  /** 0 is success, 1 an error, 2 wrong usage, 130 an interruption. */
  exitCode = 0;
  /** Whether notes and errors are lines of JSON, as `--progress json` asks for. */
  writesEvents = false;

  constructor(io: CommandIo) {
    const { stdout, stderr, env = process.env, signals = new EventEmitter(), exit = () => {} } = io;
    this.#io = io;
    this.stdout = stdout;
    this.stderr = stderr;
    this.env = env;
    this.signals = signals;
    this.exit = exit;
  }

  /** Standard input, opened by the first command that reads it. */
  get stdin(): Readable {
    return this.#io.stdin;
  }

  /** Writes lines to standard output. A line feed within one is data and is shown as `\n`. */
  print(...lines: readonly string[]): void {
    write(this.stdout, lines);
  }

  /** Writes lines to standard error. A line feed within one is data and is shown as `\n`. */
  printNote(...lines: readonly string[]): void {
    if (this.writesEvents) for (const message of lines) this.printEvent({ event: 'note', message });
    else write(this.stderr, lines);
  }

  /** Writes a line of JSON to standard error. */
  printEvent(event: object): void {
    write(this.stderr, [JSON.stringify(event)]);
  }

  /** Writes a line to standard output in a style, if the terminal has colors. */
  printStyled(style: LineStyle, line: string): void {
    this.stdout.write(`${this.#styled(this.stdout, style, visibleText(line))}\n`);
  }

  /** Writes to standard output a text whose line feeds were made by relflow, such as a drawing or indented JSON. */
  printText(text: string): void {
    this.print(...text.split('\n'));
  }

  /** Writes a line of fields to standard output, with a tab between them. */
  printColumns(...fields: readonly string[]): void {
    this.stdout.write(`${fields.map(visibleText).join('\t')}\n`);
  }

  /** Writes a table to standard output. */
  printTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
    const [first = '', ...rest] = tableLines(head, rows);
    this.printStyled('bold', first);
    this.print(...rest);
  }

  /** Writes an error message to standard error. Further lines of a message are indented, so that none looks like another one. */
  printError(message: string): void {
    if (this.writesEvents) {
      this.printEvent({ event: 'error', message });
      return;
    }
    const text = visibleLines(message.replace(/\n\s*/g, '\n  '));
    this.stderr.write(`${this.#styled(this.stderr, 'red', 'relflow:')} ${text}\n`);
  }

  #styled(stream: OutputStream, style: LineStyle, text: string): string {
    return hasColors(stream, this.env) ? styleText(style, text, { validateStream: false }) : text;
  }
}

function write(stream: OutputStream, lines: readonly string[]): void {
  if (lines.length > 0) stream.write(`${lines.map(visibleText).join('\n')}\n`);
}
