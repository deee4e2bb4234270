// Where this page's Jupyter server is, and what every view in the page shares.
import type * as Yjs from 'yjs';

export interface PageConfig {
  baseUrl: string;
  token: string;
  bundle: string;
  theme: string;
}

/** JupyterLab, Notebook 7 and nbclassic all leave their settings in the page. `null` where no Jupyter server serves it. */
export function pageConfig(): PageConfig | null {
  const element = document.getElementById('jupyter-config-data');
  if (element?.textContent) {
    const config = JSON.parse(element.textContent) as Record<string, unknown>;
    const read = (name: string) => (typeof config[name] === 'string' ? config[name] : '');
    return {
      baseUrl: new URL(read('baseUrl') || '/', location.origin).href,
      token: read('token'),
      bundle: read('agorBundle'),
      theme: read('appName'),
    };
  }
  const { baseUrl, jupyterApiToken } = document.body?.dataset ?? {};
  return baseUrl ? { baseUrl: new URL(baseUrl, location.origin).href, token: jupyterApiToken ?? '', bundle: '', theme: '' } : null;
}

export function cookie(name: string): string | undefined {
  return document.cookie.match(`(?:^|; )${name}=([^;]*)`)?.[1];
}

/** One per page, whichever host came first: the module instances by hash, the connections by board. */
export interface AgorGlobal {
  modules: Record<string, Promise<unknown>>;
  shared: Map<string, unknown>;
  /** JupyterLab's own yjs, left by the labextension. */
  Y?: typeof Yjs;
  /** What canvas.js hands to later.js. */
  kit?: Readonly<Record<string, unknown>>;
  /** Times the bundle was evaluated in this page; a test asserts 1. */
  evaluations?: number;
}

declare global {
  // eslint-disable-next-line no-var
  var __agor: AgorGlobal | undefined;
}

export function agorGlobal(): AgorGlobal {
  return (globalThis.__agor ??= { modules: {}, shared: new Map() });
}
