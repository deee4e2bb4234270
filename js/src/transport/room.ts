// The board's room in jupyter-collaboration (or jupyter-server-documents): the Y document and who looks at it.
import * as decoding from 'lib0/decoding';
import { WebsocketProvider } from 'y-websocket';
import { Doc, Map as YMap } from 'yjs';

import type { Board, Person, RoomInfo } from '../protocol/generated.js';
import type { Http } from './http.js';

export interface RoomLink {
  readonly doc: Doc;
  /** The room's name; a board that was taken away and made again has another. `null`: there are no rooms. */
  readonly name: string | null;
  readonly awareness: WebsocketProvider['awareness'] | null;
  readonly isWritable: boolean;
  /** Why the room cannot be joined or written, for a person. */
  readonly reason: string | null;
  readonly synced: Promise<void>;
  reconnect(): void;
  close(): void;
}

/** In jupyter-collaboration, message 2 is not y-protocols' "auth" but its own JSON. */
const RAW = 2;
/** The server does not know the room's session any more: it was restarted. */
const UNKNOWN_SESSION = 1003;

export async function joinRoom(http: Http, path: string, person: Person): Promise<RoomLink> {
  const ask = () => http.get<RoomInfo>('board/room', { query: { path } });
  const info = await ask();
  return info.kind === 'none' || info.room === null ? readFile(http, path, info) : join(http, info, ask, person);
}

function join(http: Http, info: RoomInfo, ask: () => Promise<RoomInfo>, person: Person): RoomLink {
  const doc = new Doc();
  const withToken = (params: Record<string, string>) => (http.tokenIfNeeded ? { ...params, token: http.tokenIfNeeded } : params);
  const provider = new WebsocketProvider(http.socketUrl('api/collaboration/room'), info.room ?? '', doc, {
    connect: false,
    disableBc: true,
    params: withToken(info.params),
    maxBackoffTime: 5000,
    shouldReconnect: event => event.code !== UNKNOWN_SESSION,
  });
  provider.messageHandlers[RAW] = (_encoder, decoder) => void decoding.readVarString(decoder);

  const { awareness } = provider;
  sendOnlyOwn(provider);
  awareness.setLocalStateField('user', person);
  // A server that keeps no awareness tells a newcomer nothing of who is here, so everybody says it again.
  const welcome = ({ added }: { added: number[] }, origin: unknown) => {
    if (origin === provider && added.some(id => id !== doc.clientID)) awareness.setLocalState(awareness.getLocalState());
  };
  awareness.on('change', welcome);

  let isClosed = false;
  const joinAgain = async (): Promise<void> => {
    if (isClosed) return;
    try {
      const next = await ask();
      provider.params = withToken(next.params);
      provider.connect();
    } catch {
      setTimeout(() => void joinAgain(), 2000);
    }
  };
  provider.on('closed', ({ code }) => {
    if (code === UNKNOWN_SESSION) void joinAgain();
  });
  const synced = new Promise<void>(resolve => provider.once('sync', () => resolve()));
  provider.connect();
  return {
    doc,
    name: info.room,
    awareness,
    isWritable: info.writable,
    reason: info.writable ? null : info.reason,
    synced,
    reconnect: () => {
      if (!provider.wsconnected) {
        provider.disconnect();
        provider.connect();
      }
    },
    close: () => {
      isClosed = true;
      awareness.off('change', welcome);
      provider.destroy();
      doc.destroy();
    },
  };
}

/** y-websocket repeats what others said; the server drops that as a foreign name, and it costs a message per cursor and client. */
function sendOnlyOwn(provider: WebsocketProvider): void {
  type Changes = { added: number[]; updated: number[]; removed: number[] };
  const { awareness, doc } = provider;
  const send = provider._awarenessUpdateHandler as (changes: Changes, origin: unknown) => void;
  awareness.off('update', send);
  const own = (ids: number[]) => ids.filter(id => id === doc.clientID);
  awareness.on('update', (changes: Changes, origin: unknown) => {
    const mine = { added: own(changes.added), updated: own(changes.updated), removed: own(changes.removed) };
    if (mine.added.length + mine.updated.length + mine.removed.length) send(mine, origin);
  });
}

/** Without a room the file is shown as it is. */
async function readFile(http: Http, path: string, info: RoomInfo): Promise<RoomLink> {
  const board = await http.get<Board>('board', { query: { path } });
  const doc = new Doc();
  doc.transact(() => {
    const meta = doc.getMap('meta');
    const objects = doc.getMap('objects');
    for (const [name, value] of Object.entries(board.meta)) meta.set(name, value);
    for (const [id, object] of Object.entries(board.objects)) objects.set(id, new YMap(Object.entries(object)));
  });
  return {
    doc,
    name: null,
    awareness: null,
    isWritable: false,
    reason: info.reason,
    synced: Promise.resolve(),
    reconnect: () => undefined,
    close: () => doc.destroy(),
  };
}
