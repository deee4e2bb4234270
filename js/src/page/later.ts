// Loads later.js, which nobody needs before the canvas stands.
import { kit } from '../kit.js';
import type { Later } from '../panels/later.js';
import { agorGlobal, type PageConfig } from '../transport/page.js';

export function loadLater(page: PageConfig): Promise<Later> {
  agorGlobal().kit = kit;
  return import(address(import.meta.url, page)) as Promise<Later>;
}

/** Beside canvas.js, with the same version; where that came over the comm, from the server. */
function address(own: string, page: PageConfig): string {
  const base = own.startsWith('http') ? own : `${page.baseUrl}agor/static/canvas.js?v=${page.bundle}`;
  const { search } = new URL(base);
  return new URL(`later.js${search}`, base).href;
}
