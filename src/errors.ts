/** Base class of every error that relflow throws on purpose. Any other error is a bug. */
export class RelflowError extends Error {
  /** Stable code for programs to test: `bad-option`, `bad-wiring`, `bad-input`… */
  readonly code: string;
  /** Values in the message. */
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, fields: Readonly<Record<string, unknown>> = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.fields = fields;
  }
}

/** Reports an option that is missing, unknown or out of range. Thrown when the pipeline is made, before any work. */
export class OptionError extends RelflowError {
  /**
   * @param where function or command that received the option, such as `match`
   * @param problem what was found and what was expected, such as `unknown vocabulary 'coco81', expected …`
   */
  constructor(where: string, problem: string, fields: Readonly<Record<string, unknown>> = {}) {
    super('bad-option', `${where}: ${problem}`, { where, ...fields });
  }
}

/** Reports stages that do not fit together. Thrown before any work. */
export class WiringError extends RelflowError {
  constructor(message: string, fields: Readonly<Record<string, unknown>> = {}) {
    super('bad-wiring', message, fields);
  }
}

/** Reports an input file that cannot be read or is not in the expected format. Ends the run; written output is kept. */
export class InputError extends RelflowError {
  /** @param at byte offset in the decompressed file, if known */
  constructor(file: string, problem: string, at?: number, options?: ErrorOptions) {
    super(
      'bad-input',
      at === undefined ? `${file}: ${problem}` : `${file}: ${problem} at byte ${at}`,
      { file, at },
      options,
    );
  }
}

/** Reports an output that cannot be written or does not belong to this run. Output written before is kept. */
export class OutputError extends RelflowError {
  constructor(path: string, problem: string, options?: ErrorOptions) {
    super('bad-output', `${path}: ${problem}`, { path }, options);
  }
}

/**
 * Reports a model's endpoint that accepts no more requests: credentials refused, credit, budget or time spent, or no
 * response. Ends the run; written output and every answer received are kept.
 */
export class EndpointError extends RelflowError {
  /** @param reason kebab-case code for programs to test: `credentials-refused`, `credit-spent`, `budget-spent`… */
  constructor(where: string, reason: string, problem: string, fields: Readonly<Record<string, unknown>> = {}) {
    super('bad-endpoint', `${where}: ${problem}`, { where, reason, ...fields });
  }
}

/**
 * Rejects one record. In a graph the record goes to the rejects with `reason`, and the run continues; in a plain RxJS
 * chain it is the error notification.
 */
export class RecordError extends RelflowError {
  /** Kebab-case code by which rejects are counted: `image-missing`, `no-captions`… */
  readonly reason: string;

  constructor(reason: string, message: string, fields: Readonly<Record<string, unknown>> = {}, options?: ErrorOptions) {
    super('bad-record', message, { reason, ...fields }, options);
    this.reason = reason;
  }
}
