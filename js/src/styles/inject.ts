// All styles are one element in the page's head, put there once.
import canvas from './canvas.css';
import card from './card.css';
import panels from './panels.css';
import tokens from './tokens.css';

export function injectStyles(): void {
  if (document.getElementById('agor-styles')) return;
  const style = document.createElement('style');
  style.id = 'agor-styles';
  style.textContent = [tokens, panels, canvas, card].join('\n');
  document.head.append(style);
}
