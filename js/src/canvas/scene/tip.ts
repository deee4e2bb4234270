// Far out, hovering says what a tile is.
import { boxToScreen } from '../camera/camera';
import { boxOf } from '../layout/item';
import { viewOf } from '../objects';
import { h, icon } from './dom';
import type { Scene } from './scene';

const WIDTH = 256;
const HEIGHT = 70;

export class Tip {
  readonly root = h('div', { class: 'agor-pop agor-tip', hidden: true, 'aria-hidden': 'true' });
  readonly #scene: Scene;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  hide(): void {
    this.root.hidden = true;
  }

  show(id: string | undefined): void {
    const { detail, items, camera, size } = this.#scene;
    const item = id === undefined ? undefined : items.get(id);
    if (!item || detail !== 'tile' || !(viewOf(item.object).hasTip || item.element?.hasAttribute('data-unnamed'))) {
      this.hide();
      return;
    }
    const { mark, title, fact } = this.#scene.describe(item);
    this.root.replaceChildren(
      h(
        'div',
        { class: 'agor-row agor-g8' },
        h('span', { class: `agor-st agor-st-${mark}` }, icon(`st-${mark}`)),
        h('b', { class: 'agor-b agor-ell' }, title),
      ),
      h('p', { class: 'agor-t2' }, fact),
    );
    const at = boxToScreen(camera, boxOf(item));
    this.root.hidden = false;
    this.root.style.left = `${Math.max(8, Math.min(at.x, size.width - WIDTH))}px`;
    this.root.style.top = `${at.y + at.height + HEIGHT > size.height ? at.y - 66 : at.y + at.height + 8}px`;
  }
}
