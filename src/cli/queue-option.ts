import { Option } from 'commander';
import { OptionError } from '../index.js';

const ABOUT = 'Redis or Valkey server of the queues: redis://[user:password@]host[:port][/n]';

/** Makes the mandatory option `--queue`. RELFLOW_QUEUE sets it too, since an address may contain a password. */
export function queueOption(): Option {
  return new Option('--queue <url>', ABOUT).env('RELFLOW_QUEUE').makeOptionMandatory();
}

/** Makes the optional variant of `--queue`: setting RELFLOW_QUEUE alone never queues a run. */
export function queueChoice(): Option {
  return new Option('--queue [url]', `queue the run for relflow worker; ${ABOUT} (default: RELFLOW_QUEUE)`);
}

/** Returns the address of `queueChoice`'s option. */
export function chosenQueue(given: string | true): string {
  const address = given === true ? process.env['RELFLOW_QUEUE'] : given;
  if (!address)
    throw new OptionError('run', '--queue has no address and RELFLOW_QUEUE is not set; give --queue redis://host:port');
  return address;
}
