// Writing in place: the name of a zone, the text of a note. The field lies over the thing, at a size that can be read.
import { boxToScreen } from '../camera/camera';
import { h } from '../scene/dom';
import type { Scene } from '../scene/scene';
import type { Change, TextEdit } from '../types';

export interface Edit {
  readonly id: string;
  /** Names the field for the style sheet. */
  readonly kind: string;
  readonly of: TextEdit;
  readonly commit: (change: Change) => void;
  readonly close: () => void;
}

const LEAST_WIDTH = 200;
const LEAST_HEIGHT = 60;
const EDGE = 8;
/** Headings and points take a little more than plain lines. */
const SLACK = 12;
/** A note does not grow further by itself. */
const MOST_GROWN = 640;

export class Editor {
  readonly #scene: Scene;
  readonly #layer: HTMLElement;
  #field: HTMLInputElement | HTMLTextAreaElement | null = null;
  #edit: Edit | null = null;
  #needed: number | null = null;

  constructor(scene: Scene, layer: HTMLElement) {
    this.#scene = scene;
    this.#layer = layer;
  }

  get isOpen(): boolean {
    return this.#edit !== null;
  }

  open(edit: Edit): void {
    this.close(true);
    const { isLine, label, limit, placeholder } = edit.of;
    const field = h(isLine ? 'input' : 'textarea', {
      class: `agor-edit agor-edit-${edit.kind}`,
      'aria-label': label,
      maxlength: limit,
      spellcheck: 'false',
      placeholder,
    }) as HTMLInputElement | HTMLTextAreaElement;
    field.value = edit.of.text;
    field.addEventListener('keydown', event => {
      const key = event as KeyboardEvent;
      key.stopPropagation();
      // What was written in a note is kept; undo takes it back. A name that was not confirmed stays as it was.
      if (key.key === 'Escape') this.close(!isLine);
      else if (key.key === 'Enter' && (isLine || key.ctrlKey || key.metaKey)) {
        key.preventDefault();
        this.close(true);
      }
    });
    field.addEventListener('blur', () => this.close(true));
    field.addEventListener('input', () => this.refresh());
    this.#field = field;
    this.#edit = edit;
    this.#needed = null;
    this.#scene.flag(edit.id, 'editing', 'yes');
    this.#layer.append(field);
    this.#layer.dataset['writing'] = edit.kind;
    this.refresh();
    field.focus({ preventScroll: true });
    field.select();
  }

  close(keeps: boolean): void {
    const edit = this.#edit;
    const field = this.#field;
    if (!edit || !field) return;
    this.#edit = null;
    this.#field = null;
    this.#scene.flag(edit.id, 'editing', null);
    const text = field.value;
    field.remove();
    delete this.#layer.dataset['writing'];
    if (keeps && text !== edit.of.text) edit.commit(edit.of.change(text, this.#needed));
    edit.close();
  }

  /** Follows the camera. The field of a note grows with its text as far as there is room. */
  refresh(): void {
    const box = this.#edit && this.#scene.layout.boxOf(this.#edit.id);
    if (!this.#field || !this.#edit || !box) return;
    const { camera, size } = this.#scene;
    const seen = boxToScreen(camera, box);
    const { style } = this.#field;
    if (this.#edit.of.isLine) {
      style.left = `${Math.round(seen.x + 8)}px`;
      style.top = `${Math.round(seen.y + (camera.zoom < 0.5 ? -30 : 6))}px`;
      style.width = `${Math.max(120, Math.round(seen.width - 60))}px`;
      return;
    }
    const width = Math.max(LEAST_WIDTH, Math.round(seen.width));
    const height = Math.max(LEAST_HEIGHT, Math.round(seen.height));
    // A field that is wider than its note stays within the view.
    const left = Math.max(seen.x + seen.width - width, Math.min(seen.x, size.width - width - EDGE));
    style.left = `${Math.round(left)}px`;
    style.top = `${Math.round(seen.y)}px`;
    style.width = `${width}px`;
    style.fontSize = `${Math.max(12, Math.min(13, 13 * camera.zoom))}px`;
    style.height = `${height}px`;
    const needed = this.#field.scrollHeight;
    this.#needed = needed > height ? Math.min(MOST_GROWN, Math.round((needed + SLACK) / camera.zoom)) : null;
    if (needed > height) style.height = `${Math.max(height, Math.min(needed, Math.round(size.height - seen.y - EDGE)))}px`;
  }
}
