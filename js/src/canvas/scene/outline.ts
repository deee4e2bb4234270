// The board for those who do not see it: every zone and card by name, in reading order, whether in view or not.

import { viewOf } from '../objects';
import { h } from './dom';
import type { Scene } from './scene';

export class Outline {
  readonly root = h('nav', { class: 'agor-hidden', 'aria-label': 'All cards' });
  readonly #scene: Scene;
  #said = '';

  constructor(scene: Scene, go: (id: string) => void) {
    this.#scene = scene;
    this.root.addEventListener('click', event => {
      const id = (event.target as HTMLElement).closest<HTMLElement>('[data-go]')?.dataset['go'];
      if (id) go(id);
      event.stopPropagation();
    });
  }

  draw(): void {
    const context = this.#scene.context();
    const rows: { id: string; name: string; isZone: boolean }[] = [];
    for (const id of this.#scene.layout.order()) {
      const item = this.#scene.items.get(id);
      if (item) rows.push({ id, name: viewOf(item.object).name(item.object, context), isZone: item.isContainer });
    }
    const said = rows.map(row => `${row.id}${row.name}`).join('\n');
    if (said === this.#said) return;
    this.#said = said;
    const members = this.#scene.layout.members();
    const inZone = new Set([...members.values()].flat());
    const lists: HTMLElement[] = [];
    let list = h('ul', null);
    let isLoose = false;
    for (const row of rows) {
      if (row.isZone) {
        list = h('ul', null);
        lists.push(h('section', { 'aria-label': row.name }, h('h4', null, row.name), list));
      } else {
        if (!inZone.has(row.id) && !isLoose) {
          isLoose = true;
          list = h('ul', null);
          lists.push(h('section', { 'aria-label': 'In no zone' }, list));
        }
        list.append(h('li', null, h('button', { type: 'button', tabindex: -1, 'data-go': row.id }, row.name)));
      }
    }
    this.root.replaceChildren(...lists);
  }
}
