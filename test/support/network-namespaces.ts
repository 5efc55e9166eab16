import { execFileSync } from 'node:child_process';

const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'pipe' });

/** Two network namespaces that simulate machines: each reaches this machine over its own link. */
export class NetworkNamespaces {
  readonly #names: readonly string[];
  readonly #links: readonly string[];
  readonly #bridge: string;
  /** Address of this machine in both namespaces. */
  readonly host: string;

  private constructor(names: readonly string[], links: readonly string[], bridge: string, host: string) {
    this.#names = names;
    this.#links = links;
    this.#bridge = bridge;
    this.host = host;
  }

  /** Makes the namespaces, or returns null when the system or the user does not allow it. */
  static create(): NetworkNamespaces | null {
    const id = String(process.pid % 10_000);
    const names = [`relflow${id}a`, `relflow${id}b`];
    const links = [`rf${id}a`, `rf${id}b`];
    const bridge = `rf${id}`;
    const subnet = `10.213.${process.pid % 250}`;
    const made = new NetworkNamespaces(names, links, bridge, `${subnet}.1`);
    try {
      ip('link', 'add', bridge, 'type', 'bridge');
      ip('addr', 'add', `${subnet}.1/24`, 'dev', bridge);
      ip('link', 'set', bridge, 'up');
      for (const [index, name] of names.entries()) {
        const link = links[index]!;
        ip('netns', 'add', name);
        ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
        ip('link', 'set', link, 'master', bridge, 'up');
        ip('-n', name, 'addr', 'add', `${subnet}.${index + 2}/24`, 'dev', 'eth0');
        ip('-n', name, 'link', 'set', 'eth0', 'up');
        ip('-n', name, 'link', 'set', 'lo', 'up');
      }
      return made;
    } catch {
      made.remove();
      return null;
    }
  }

  /** Returns the command that runs another one in a namespace. */
  wrapper(index: number): readonly string[] {
    return ['ip', 'netns', 'exec', this.#names[index]!];
  }

  /** Disconnects or reconnects a namespace. */
  cut(index: number, isCut: boolean): void {
    ip('link', 'set', this.#links[index]!, isCut ? 'down' : 'up');
  }

  remove(): void {
    for (const args of [...this.#names.map((name) => ['netns', 'del', name]), ['link', 'del', this.#bridge]]) {
      try {
        ip(...args);
      } catch {
        // It does not exist.
      }
    }
  }
}
