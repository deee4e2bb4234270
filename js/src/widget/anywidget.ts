// The part of anywidget's front-end model that is used here.
export interface AnyModel {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  send(content: unknown): void;
  on(event: string, callback: (message: { agor?: string }, buffers: DataView[]) => void): void;
  off(event: string, callback: (message: { agor?: string }, buffers: DataView[]) => void): void;
}

export type Experimental = unknown;
