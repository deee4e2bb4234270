// What is true of one view only: its tool, its selection, what is open beside the board. Never sent, never kept (but the panel's width).
import type { Dialog, LocalState, Toast } from '../store/types.js';

export interface ToastEntry extends Toast {
  readonly id: number;
  readonly isBad: boolean;
  readonly again?: () => void;
}

export interface ViewState extends LocalState {
  readonly isInboxOpen: boolean;
  readonly panelWidth: number;
  readonly isFullScreen: boolean;
  readonly toasts: readonly ToastEntry[];
  /** Grows by one each time the prompt box shall take the focus; 0: it shall not. */
  readonly promptFocus: number;
  readonly dialog: Dialog | null;
}

export const PANEL_MIN = 360;
export const PANEL_MAX = 720;
const WIDTH_KEY = 'agor:panel-width';

export class ViewStore {
  readonly #listeners = new Set<() => void>();
  #state: ViewState;
  #toastId = 0;

  constructor(host: LocalState['host']) {
    const kept = Number(localStorage.getItem(WIDTH_KEY));
    this.#state = {
      tool: 'select',
      selection: new Set(),
      openSessionId: null,
      openDiffId: null,
      dialog: null,
      filter: '',
      only: 'all',
      host,
      isInboxOpen: false,
      panelWidth: kept >= PANEL_MIN && kept <= PANEL_MAX ? kept : 520,
      isFullScreen: false,
      toasts: [],
      promptFocus: 0,
    };
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };
  readonly getState = (): ViewState => this.#state;

  set(change: Partial<ViewState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }

  resizePanel(width: number): void {
    const panelWidth = Math.round(Math.min(PANEL_MAX, Math.max(PANEL_MIN, width)));
    localStorage.setItem(WIDTH_KEY, String(panelWidth));
    this.set({ panelWidth });
  }

  /** What can be undone is offered for eight seconds; a failure stays until it is closed. */
  toast(toast: Toast & { readonly isBad?: boolean; readonly again?: () => void }): void {
    const entry: ToastEntry = { ...toast, id: ++this.#toastId, isBad: toast.isBad ?? false };
    this.set({ toasts: [...this.#state.toasts, entry].slice(-4) });
    if (!entry.isBad) setTimeout(() => this.dismiss(entry.id), 8000);
  }

  dismiss(id: number): void {
    this.set({ toasts: this.#state.toasts.filter(toast => toast.id !== id) });
  }
}
