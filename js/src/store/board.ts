// The board's Y document, read with care and written in single transactions. Layout only: nothing here makes anything run.
import * as Y from 'yjs';

import type { BoardObject, Problem } from '../protocol/generated';
import { makeId } from './ids';
import { MAX_OBJECTS, readObject, unreadableField } from './objects';
import type { BoardDoc, BoardView, Changes, Room } from './types';

const plain = (value: unknown): unknown => (value instanceof Y.AbstractType ? value.toJSON() : value);

const same = (a: BoardObject, b: BoardObject): boolean => JSON.stringify(a) === JSON.stringify(b) && unreadableField(a) === unreadableField(b);

/** Opens the document of a room. Several may be open on one document. */
export const openBoard = (room: Room): BoardDoc => new Board(room);

class Board implements BoardDoc {
  readonly isWritable: boolean;
  readonly awareness;
  readonly objects: Y.Map<unknown>;
  readonly #doc: Y.Doc;
  readonly #meta: Y.Map<unknown>;
  readonly #origin = {};
  readonly #undo: Y.UndoManager;
  readonly #listeners = new Set<() => void>();
  readonly #stop: () => void;
  #valid = new Map<string, BoardObject>();
  #skipped = new Map<string, string>();
  #tooMany = 0;
  #isSynced = false;
  #view: BoardView;

  constructor(room: Room) {
    this.#doc = room.doc;
    this.isWritable = room.isWritable;
    this.awareness = room.awareness;
    this.#meta = room.doc.getMap('meta');
    this.objects = room.doc.getMap('objects');
    this.#undo = new Y.UndoManager([this.objects, this.#meta], { trackedOrigins: new Set([this.#origin]), captureTimeout: 0 });
    this.#readAll();
    this.#view = this.#make();

    const onObjects = (events: readonly Y.YEvent<Y.AbstractType<unknown>>[]): void => {
      for (const event of events) {
        if (event.target === this.objects) for (const key of event.keys.keys()) this.#read(key);
        else if (typeof event.path[0] === 'string') this.#read(event.path[0]);
      }
      if (this.#tooMany > 0) this.#readAll();
      this.#emit();
    };
    const onMeta = (): void => this.#emit();
    const onStack = (): void => this.#notify();
    this.objects.observeDeep(onObjects);
    this.#meta.observe(onMeta);
    this.#undo.on('stack-item-added', onStack);
    this.#undo.on('stack-item-popped', onStack);
    this.#stop = () => {
      this.objects.unobserveDeep(onObjects);
      this.#meta.unobserve(onMeta);
      this.#undo.destroy();
      this.#listeners.clear();
    };
  }

  getView = (): BoardView => this.#view;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  setSynced(): void {
    if (this.#isSynced) return;
    this.#isSynced = true;
    this.#emit();
  }

  setTitle(title: string): void {
    this.#write(() => this.#meta.set('title', title.slice(0, 200)));
  }

  add(object: BoardObject): string {
    const id = makeId('object');
    this.#write(() => this.objects.set(id, new Y.Map(Object.entries(object))));
    return id;
  }

  addAll(objects: readonly BoardObject[]): string[] {
    const made = objects.map(object => [makeId('object'), object] as const);
    this.#write(() => {
      for (const [id, object] of made) this.objects.set(id, new Y.Map(Object.entries(object)));
    });
    return made.map(([id]) => id);
  }

  change(changes: Changes): void {
    this.#write(() => this.#merge(changes));
  }

  putBack(changes: Changes): void {
    if (this.isWritable) this.#doc.transact(() => this.#merge(changes), null);
  }

  #merge(changes: Changes): void {
    for (const [id, fields] of Object.entries(changes)) {
      const target = this.objects.get(id);
      if (!this.#valid.has(id)) continue;
      // Something else than our own code wrote a plain object here: make it a map, so that two people can change it at once.
      const map: Y.Map<unknown> = target instanceof Y.Map ? (target as Y.Map<unknown>) : new Y.Map<unknown>(Object.entries(target as object));
      for (const [name, value] of Object.entries(fields)) if (value !== undefined && map.get(name) !== value) map.set(name, value);
      if (target !== map) this.objects.set(id, map);
    }
  }

  remove(ids: readonly string[]): void {
    this.#write(() => {
      for (const id of ids) this.objects.delete(id);
    });
  }

  undo(): void {
    if (this.isWritable) this.#undo.undo();
  }

  redo(): void {
    if (this.isWritable) this.#undo.redo();
  }

  get canUndo(): boolean {
    return this.isWritable && this.#undo.undoStack.length > 0;
  }

  get canRedo(): boolean {
    return this.isWritable && this.#undo.redoStack.length > 0;
  }

  destroy(): void {
    this.#stop();
  }

  #write(job: () => void): void {
    if (this.isWritable) this.#doc.transact(job, this.#origin);
  }

  #readAll(): void {
    this.#tooMany = 0;
    const seen = new Set<string>();
    for (const id of this.objects.keys()) {
      if (seen.size >= MAX_OBJECTS) {
        this.#tooMany = this.objects.size - MAX_OBJECTS;
        break;
      }
      seen.add(id);
      this.#read(id);
    }
    for (const id of this.#valid.keys()) if (!seen.has(id)) this.#valid.delete(id);
    for (const id of this.#skipped.keys()) if (!seen.has(id)) this.#skipped.delete(id);
  }

  #read(id: string): void {
    if (!this.objects.has(id)) {
      this.#valid.delete(id);
      this.#skipped.delete(id);
      return;
    }
    const object = readObject(plain(this.objects.get(id)));
    if (typeof object === 'string') {
      this.#valid.delete(id);
      this.#skipped.set(id, object);
      return;
    }
    this.#skipped.delete(id);
    const before = this.#valid.get(id);
    if (before && same(before, object)) return;
    if (!before && this.#valid.size >= MAX_OBJECTS) this.#tooMany = this.objects.size - MAX_OBJECTS;
    else this.#valid.set(id, object);
  }

  #make(): BoardView {
    const problems: Problem[] = [];
    for (const [id, why] of this.#skipped) {
      if (problems.length >= 100) break;
      problems.push({ objectId: id.slice(0, 60), text: `Left out: ${why}.` });
    }
    if (this.#skipped.size > problems.length) problems.push({ objectId: null, text: `${this.#skipped.size - problems.length} more were left out.` });
    if (this.#tooMany > 0)
      problems.push({ objectId: null, text: `The board holds ${MAX_OBJECTS + this.#tooMany} objects; ${this.#tooMany} are not shown.` });
    return {
      isSynced: this.#isSynced,
      meta: { title: this.#said('title', 200), description: this.#said('description', 2000) },
      objects: new Map(this.#valid),
      problems,
    };
  }

  #said(name: string, limit: number): string {
    const value = this.#meta.get(name);
    return typeof value === 'string' ? value.slice(0, limit) : '';
  }

  #emit(): void {
    this.#view = this.#make();
    this.#notify();
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
