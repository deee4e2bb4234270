// The styles of what later.js draws.
import { styleElement } from './element.js';
import panels from './panels.css';

/** They stand before those of the canvas, which win. */
export function injectLaterStyles(): void {
  if (document.getElementById('agor-styles-later')) return;
  document.getElementById('agor-styles')?.after(styleElement('agor-styles-later', [panels]));
}
