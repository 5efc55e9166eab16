import { Option } from 'commander';
import { OptionError } from '../index.js';

const ABOUT = 'Redis or Valkey server with the queues: redis://[user:password@]host[:port][/n]';

/** Where the queues are; from the environment, too, since an address may hold a password. */
export function queueOption(): Option {
  return new Option('--queue <url>', ABOUT).env('RELFLOW_QUEUE').makeOptionMandatory();
}

/** The same where queues are a choice: nobody's runs go there since a variable is set. */
export function queueChoice(): Option {
  return new Option('--queue [url]', `leave the work to relflow worker; ${ABOUT} (default: what RELFLOW_QUEUE says)`);
}

/** The address that `queueChoice` was given. */
export function chosenQueue(given: string | true): string {
  const address = given === true ? process.env['RELFLOW_QUEUE'] : given;
  if (!address) throw new OptionError('run', '--queue without an address, and RELFLOW_QUEUE is not set');
  return address;
}
