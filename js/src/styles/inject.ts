// Styles are elements in the page's head, put there once.
import canvas from './canvas.css';
import card from './card.css';
import { styleElement } from './element.js';
import frame from './frame.css';
import tokens from './tokens.css';

/** What a board needs from the start. */
export function injectStyles(): void {
  if (document.getElementById('agor-styles')) return;
  document.head.append(styleElement('agor-styles', [tokens, frame]), styleElement('agor-styles-canvas', [canvas, card]));
}
