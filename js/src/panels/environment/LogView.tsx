// What a service writes, as it writes it. Only the lines in view are in the page.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';

import { environments } from '../../session/requests.js';
import { dialogTexts } from '../../texts';
import { size } from '../../texts/counts.js';
import { IconButton } from '../common/Icon.js';
import { Problem } from '../common/Problem.js';
import { useApp, useCommand } from '../context.js';
import { parseAnsi } from '../transcript/ansi.js';
import { append, EMPTY, find, type Log, type LogLine } from './log.js';

const words = dialogTexts.environment;
const LINE_PX = 17;
const OVERSCAN = 10;
/** What comes faster than this is shown together. */
const PACE_MS = 100;
const AGAIN_MS = 2000;

interface Props {
  worktreeId: string;
  service: string;
  onClose: () => void;
}

export function LogView({ worktreeId, service, onClose }: Props) {
  const { log, isReady, skipped, problem } = useLog(worktreeId, service);
  const lines = useMemo<readonly LogLine[]>(
    () => (log.rest ? [...log.lines, { number: log.count, text: log.style + log.rest, plain: log.rest }] : log.lines),
    [log],
  );
  const [query, setQuery] = useState('');
  const [follows, setFollows] = useState(true);
  const [chosen, setChosen] = useState<number | null>(null);
  const hits = useMemo(() => find(lines, query), [lines, query]);
  const at = hits.findIndex(one => lines[one]?.number === chosen);
  const box = useRef<HTMLDivElement>(null);
  const { from, to, onScroll } = useWindow(box, lines, follows, setFollows);
  const go = (step: number) => {
    const next = hits[(at < 0 ? (step > 0 ? 0 : -1) : at + step + hits.length) % hits.length] ?? hits.at(-1);
    if (next === undefined || !box.current) return;
    setFollows(false);
    setChosen(lines[next]?.number ?? null);
    box.current.scrollTop = Math.max(0, next * LINE_PX - box.current.clientHeight / 2);
  };
  return (
    <section className="agor-log" aria-label={words.log(service)} data-log={service}>
      <div className="agor-log-bar">
        <input
          className="agor-input agor-grow"
          type="search"
          aria-label={words.search}
          placeholder={words.search}
          value={query}
          onChange={event => {
            setQuery(event.target.value);
            setChosen(null);
          }}
          onKeyDown={event => {
            if (event.key !== 'Enter') return;
            event.preventDefault();
            go(event.shiftKey ? -1 : 1);
          }}
        />
        {query && (
          <>
            <span className="agor-xs agor-t3 agor-nowrap" role="status">
              {words.hits(at + 1, hits.length)}
            </span>
            <IconButton icon="send" label={words.previous} size={14} isDisabled={!hits.length} onClick={() => go(-1)} />
            <IconButton icon="down" label={words.next} size={14} isDisabled={!hits.length} onClick={() => go(1)} />
          </>
        )}
        <label className="agor-log-follow">
          <input type="checkbox" checked={follows} onChange={event => setFollows(event.target.checked)} />
          {words.follow}
        </label>
        <DownloadButton worktreeId={worktreeId} service={service} />
        <IconButton icon="close" label={words.closeLog(service)} size={14} onClick={onClose} />
      </div>
      {skipped > 0 && <p className="agor-advice">{words.lost(size(skipped))}</p>}
      <div ref={box} className="agor-term agor-log-lines" role="log" aria-live="off" aria-label={words.log(service)} tabIndex={0} onScroll={onScroll}>
        {!lines.length && <span className="agor-t3">{isReady ? words.logEmpty : words.logLoading}</span>}
        <div style={{ height: lines.length * LINE_PX, position: 'relative' }}>
          <div style={{ transform: `translateY(${from * LINE_PX}px)` }}>
            {lines.slice(from, to).map(line => (
              <Line key={line.number} line={line} query={query} isChosen={line.number === chosen} />
            ))}
          </div>
        </div>
      </div>
      <Problem text={problem} />
    </section>
  );
}

function Line({ line, query, isChosen }: { line: LogLine; query: string; isChosen: boolean }) {
  const isHit = query !== '' && line.plain.toLowerCase().includes(query.toLowerCase());
  return (
    <div className="agor-log-line" data-hit={isHit || undefined} data-chosen={isChosen || undefined}>
      {parseAnsi(line.text).map((piece, index) => (
        <span key={index} className={piece.className || undefined}>
          {piece.text}
        </span>
      ))}
    </div>
  );
}

/** Which lines are in view. The end stays in view while it is followed; else what is read stays where it is. */
function useWindow(box: React.RefObject<HTMLDivElement>, lines: readonly LogLine[], follows: boolean, setFollows: (does: boolean) => void) {
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(320);
  const first = useRef(lines[0]?.number ?? 0);
  // Where it was put by this, not by a person.
  const put = useRef(-1);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const gone = (lines[0]?.number ?? 0) - first.current;
    first.current = lines[0]?.number ?? 0;
    if (follows) element.scrollTop = element.scrollHeight;
    else if (gone > 0) element.scrollTop -= gone * LINE_PX;
    put.current = element.scrollTop;
    setTop(element.scrollTop);
    if (element.clientHeight) setHeight(element.clientHeight);
  }, [box, lines, follows]);
  const from = Math.max(0, Math.floor(top / LINE_PX) - OVERSCAN);
  return {
    from,
    to: Math.min(lines.length, from + Math.ceil(height / LINE_PX) + 2 * OVERSCAN),
    onScroll: (event: React.UIEvent<HTMLDivElement>) => {
      const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
      setTop(scrollTop);
      if (Math.abs(scrollTop - put.current) < 1) return;
      put.current = -1;
      setFollows(scrollHeight - scrollTop - clientHeight < LINE_PX);
    },
  };
}

interface Read {
  readonly log: Log;
  readonly isReady: boolean;
  /** Bytes that were not kept long enough. */
  readonly skipped: number;
  readonly problem: string | null;
}

/** From its end on, for as long as it is shown. */
function useLog(worktreeId: string, service: string): Read {
  const { client } = useApp();
  const [read, setRead] = useState<Read>({ log: EMPTY, isReady: false, skipped: 0, problem: null });
  useEffect(() => {
    const stop = new AbortController();
    void follow(client, worktreeId, service, stop.signal, change => !stop.signal.aborted && setRead(change));
    return () => stop.abort();
  }, [client, worktreeId, service]);
  return read;
}

async function follow(
  client: Parameters<typeof environments.log>[0],
  worktreeId: string,
  service: string,
  signal: AbortSignal,
  set: (change: (before: Read) => Read) => void,
): Promise<void> {
  let after: number | null = null;
  while (!signal.aborted) {
    try {
      const { text, next, skipped } = await environments.log(client, worktreeId, service, after, signal);
      const isAnew = after !== null && next < after;
      const lost = after === null ? 0 : skipped;
      after = next;
      set(before => ({
        log: text ? append(isAnew ? EMPTY : before.log, text) : before.log,
        isReady: true,
        skipped: before.skipped + lost,
        problem: null,
      }));
      await pause(PACE_MS, signal);
    } catch {
      if (signal.aborted) return;
      set(before => ({ ...before, problem: words.logProblem }));
      await pause(AGAIN_MS, signal);
    }
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });

function DownloadButton({ worktreeId, service }: { worktreeId: string; service: string }) {
  const { client, commands } = useApp();
  const { run, isRunning } = useCommand();
  const download = () =>
    void run(async () => {
      try {
        const { text } = await environments.wholeLog(client, worktreeId, service);
        const link = document.createElement('a');
        link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
        link.download = `${service}.log`;
        link.click();
        URL.revokeObjectURL(link.href);
      } catch (error) {
        commands.toast({ text: error instanceof Error ? error.message : String(error) });
      }
    });
  return <IconButton icon="download" label={words.download} size={14} isDisabled={isRunning} onClick={download} />;
}
