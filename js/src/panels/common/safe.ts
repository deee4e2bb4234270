// What an agent, a repository or a colleague wrote is shown, never obeyed.
export { visible } from '../../store/visible.js';

const SCHEMES = new Set(['http:', 'https:', 'mailto:']);

/** The address if a click on it is harmless, else `null`. Relative addresses would point into Jupyter, so they are refused. */
export function safeHref(address: string): string | null {
  try {
    const url = new URL(address.trim());
    return SCHEMES.has(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}
