import type { HTMLAttributes } from 'preact';
import { type Address, linkOf } from './address.js';
import { goTo } from './navigation.js';

/** A link within the page; with a modifier key the browser opens it, as it does any other. */
export function PageLink({
  to,
  ...others
}: { readonly to: Address } & Omit<HTMLAttributes<HTMLAnchorElement>, 'role'>) {
  return (
    <a
      {...others}
      href={linkOf(to)}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        goTo(to);
      }}
    />
  );
}
