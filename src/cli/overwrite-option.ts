import { Option } from 'commander';

/** Makes the option `--overwrite` of a command that writes one file. */
export const overwriteOption = (): Option => new Option('--overwrite', 'replace the file if it exists');
