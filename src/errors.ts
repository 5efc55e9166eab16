/** Everything that relflow throws on purpose derives from this class; anything else is a bug. */
export class RelflowError extends Error {
  /** Stable, for programs to test: `bad-option`, `bad-wiring`, `bad-input`… */
  readonly code: string;
  /** The values that the message was made of. */
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, fields: Readonly<Record<string, unknown>> = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.fields = fields;
  }
}

/** An option that is missing, unknown or out of range. Thrown when the pipeline is made, before any work. */
export class OptionError extends RelflowError {
  /**
   * @param where who was given the option, e.g. `match`
   * @param problem what is wrong and what was expected, e.g. `unknown vocabulary 'coco81', expected …`
   */
  constructor(where: string, problem: string, fields: Readonly<Record<string, unknown>> = {}) {
    super('bad-option', `${where}: ${problem}`, { where, ...fields });
  }
}

/** Stages that do not fit together. Thrown before any work. */
export class WiringError extends RelflowError {
  constructor(message: string, fields: Readonly<Record<string, unknown>> = {}) {
    super('bad-wiring', message, fields);
  }
}

/** An input file that can't be read as what it should be. Ends the run; what was written is kept. */
export class InputError extends RelflowError {
  /** @param at byte offset in the (decompressed) file, where one is known */
  constructor(file: string, problem: string, at?: number, options?: ErrorOptions) {
    super(
      'bad-input',
      at === undefined ? `${file}: ${problem}` : `${file}: ${problem} at byte ${at}`,
      { file, at },
      options,
    );
  }
}

/** An output that can't be written or does not belong to this run. What was written before is kept. */
export class OutputError extends RelflowError {
  constructor(path: string, problem: string, options?: ErrorOptions) {
    super('bad-output', `${path}: ${problem}`, { path }, options);
  }
}

/**
 * A model's endpoint that can't be asked any more: credentials refused, credit, budget or time spent, nobody answering.
 * Ends the run; what was written, and every answer that was paid for, is kept.
 */
export class EndpointError extends RelflowError {
  /** @param reason kebab-case, for programs to test: `credentials-refused`, `credit-spent`, `budget-spent`… */
  constructor(where: string, reason: string, problem: string, fields: Readonly<Record<string, unknown>> = {}) {
    super('bad-endpoint', `${where}: ${problem}`, { where, reason, ...fields });
  }
}

/**
 * One record that can't go on. Inside a pipeline the record goes to the rejects with `reason`, and the run goes on;
 * in a plain RxJS chain it is the error notification.
 */
export class RecordError extends RelflowError {
  /** Kebab-case and from a small set, since rejects are counted by it: `image-missing`, `no-captions`… */
  readonly reason: string;

  constructor(reason: string, message: string, fields: Readonly<Record<string, unknown>> = {}, options?: ErrorOptions) {
    super('bad-record', message, { reason, ...fields }, options);
    this.reason = reason;
  }
}
