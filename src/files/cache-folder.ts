import envPaths from 'env-paths';

/** Folder of what relflow can make again: `RELFLOW_CACHE`, else the user's folder for caches. */
export const cacheFolder = (): string => process.env['RELFLOW_CACHE'] || envPaths('relflow', { suffix: '' }).cache;
