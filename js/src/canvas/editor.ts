// Writing in place: the name of a zone, the text of a note. The field lies over the thing, at a size that can be read.
import { boxToScreen } from './camera';
import { h } from './dom';
import type { Scene } from './scene';

export interface Edit {
  readonly id: string;
  readonly text: string;
  readonly kind: 'zone' | 'note';
  readonly commit: (text: string) => void;
  readonly close: () => void;
}

export class Editor {
  readonly #scene: Scene;
  readonly #layer: HTMLElement;
  #field: HTMLInputElement | HTMLTextAreaElement | null = null;
  #edit: Edit | null = null;

  constructor(scene: Scene, layer: HTMLElement) {
    this.#scene = scene;
    this.#layer = layer;
  }

  get isOpen(): boolean {
    return this.#edit !== null;
  }

  open(edit: Edit): void {
    this.close(true);
    const isZone = edit.kind === 'zone';
    const field = h(isZone ? 'input' : 'textarea', {
      class: `agor-edit agor-edit-${edit.kind}`,
      'aria-label': isZone ? 'Name of the zone' : 'Text of the note',
      maxlength: isZone ? 200 : 20_000,
      spellcheck: 'false',
      placeholder: isZone ? 'Name' : 'Write. “- [ ] ” makes a box to tick',
    }) as HTMLInputElement | HTMLTextAreaElement;
    field.value = edit.text;
    field.addEventListener('keydown', event => {
      const key = event as KeyboardEvent;
      key.stopPropagation();
      // What was written in a note is kept; undo takes it back. A name that was not confirmed stays as it was.
      if (key.key === 'Escape') this.close(!isZone);
      else if (key.key === 'Enter' && (isZone || key.ctrlKey || key.metaKey)) {
        key.preventDefault();
        this.close(true);
      }
    });
    field.addEventListener('blur', () => this.close(true));
    this.#field = field;
    this.#edit = edit;
    this.#scene.flag(edit.id, 'editing', 'yes');
    this.#layer.append(field);
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
    if (keeps && text !== edit.text) edit.commit(text);
    edit.close();
  }

  /** Follows the camera. */
  refresh(): void {
    const box = this.#edit && this.#scene.boxOf(this.#edit.id);
    if (!this.#field || !this.#edit || !box) return;
    const { zoom } = this.#scene.camera;
    const seen = boxToScreen(this.#scene.camera, box);
    const { style } = this.#field;
    style.left = `${Math.round(seen.x + (this.#edit.kind === 'zone' ? 8 : 0))}px`;
    style.top = `${Math.round(seen.y + (this.#edit.kind === 'zone' ? (zoom < 0.5 ? -30 : 6) : 0))}px`;
    style.width = `${Math.max(120, Math.round(seen.width - (this.#edit.kind === 'zone' ? 60 : 0)))}px`;
    if (this.#edit.kind === 'note') {
      style.height = `${Math.max(60, Math.round(seen.height))}px`;
      style.fontSize = `${Math.max(12, Math.min(13, 13 * zoom))}px`;
    }
  }
}
