/** What is checked of a package in package-lock.json. */
export interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly link?: boolean;
}

/** The parts of package.json and NOTICE that package-lock.json is compared with. */
export interface DependencyRules {
  /** `allowScripts` of package.json: the packages that are known to have an install script, which is never run. */
  readonly allowScripts: Readonly<Record<string, boolean>>;
  /** The text of NOTICE. */
  readonly notice: string;
}

/** Licenses that require no more than to keep their text, which every package brings along. */
const PERMISSIVE = new Set(['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'ISC', 'MIT']);

/**
 * Licenses of libraries that are installed separately and linked or loaded at run time, also those in a package's own words;
 * NOTICE must name each such package.
 */
const NAMED_IN_NOTICE = new Set(['LGPL-3.0-or-later', 'SEE LICENSE IN LICENSE.txt']);

/** Licenses of packages that are only used to develop relflow, and of which nothing is distributed with it. */
const DEVELOPMENT = new Set(['CC BY-SA 4.0', 'PSF-2.0', 'Python-2.0', 'WTFPL']);

/** Packages for development that state the MIT license in their texts, but not where npm reads it. */
const MIT_IN_TEXT = new Set(['busboy', 'dicer', 'humanize-number', 'only', 'streamsearch']);

const REGISTRY = 'https://registry.npmjs.org/';

/**
 * Returns what is wrong with the dependencies of a lock file: install scripts that are new, licenses that are not on the
 * lists, and packages that do not come from the registry or have no checksum. Packages are listed in the order of the file.
 */
export function dependencyProblems(
  packages: Readonly<Record<string, LockedPackage>>,
  { allowScripts, notice }: DependencyRules,
): string[] {
  const problems: string[] = [];
  const withScript = new Set<string>();
  for (const [path, { version, license, resolved, integrity, hasInstallScript, dev = false }] of Object.entries(
    packages,
  )) {
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    // The package of the repository itself.
    if (path === '') continue;
    const problem = (text: string) => problems.push(`${name}@${version}: ${text}`);
    if (hasInstallScript) {
      withScript.add(name);
      if (allowScripts[name] !== false)
        problem('has an install script; if relflow works without it, add it to allowScripts of package.json as false');
    }
    if (integrity === undefined) problem('has no integrity in package-lock.json, expected a checksum');
    if (resolved !== undefined && !resolved.startsWith(REGISTRY))
      problem(`is resolved from ${resolved}, expected the npm registry`);
    const stated = license ?? (dev && MIT_IN_TEXT.has(name) ? 'MIT' : undefined);
    for (const found of badLicenses(stated, dev, () => notice.includes(noticeName(name))))
      problem(
        found === null
          ? 'names no license'
          : NAMED_IN_NOTICE.has(found)
            ? `has the license ${found}, which requires that NOTICE names ${noticeName(name)}`
            : `has the license ${found}, which is not on the list of scripts/dependency-problems.ts`,
      );
  }
  for (const name of Object.keys(allowScripts))
    if (!withScript.has(name)) problems.push(`${name}: is in allowScripts of package.json but has no install script`);
  return problems;
}

/** Returns the licenses of an SPDX expression that are not acceptable; null for a missing one. `AND` needs all, `OR` one. */
function badLicenses(license: string | undefined, dev: boolean, isNamed: () => boolean): (string | null)[] {
  if (license === undefined) return [null];
  const accepts = (name: string) =>
    PERMISSIVE.has(name) || (dev && DEVELOPMENT.has(name)) || (NAMED_IN_NOTICE.has(name) && isNamed());
  return license
    .replace(/[()]/g, '')
    .split(' AND ')
    .flatMap((part) => {
      const choices = part.split(' OR ').map((name) => name.trim());
      return choices.some(accepts) ? [] : choices.slice(0, 1);
    });
}

/** The packages of one library for many platforms share one entry in NOTICE: sharp's `@img/sharp-libvips-linux-x64`. */
const noticeName = (name: string): string => /^@img\/sharp-(?:libvips|wasm32|win32)/.exec(name)?.[0] ?? name;
