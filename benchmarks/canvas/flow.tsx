// The same scene on @xyflow/react, with only what is in view rendered, as its own documentation advises.
import flowCss from '@xyflow/react/dist/style.css';
import { ReactFlow, useNodesState } from '@xyflow/react';
import type { Node, ReactFlowInstance } from '@xyflow/react';
import { memo } from 'react';
import { createRoot } from 'react-dom/client';

import type { Card } from '../../js/src/protocol/generated';
import { contentOf } from '../../js/src/store/cards';
import type { CardContent, Row } from '../../js/src/store/cards';
import { colorOf } from '../../js/src/store/presence';
import cardCss from '../../js/src/styles/card.css';
import canvasCss from '../../js/src/styles/canvas.css';
import tokensCss from '../../js/src/styles/tokens.css';
import { painted, world } from './scene';

const style = document.createElement('style');
style.textContent = `html, body { margin: 0; height: 100% } #app { position: fixed; inset: 0 } ${flowCss}${tokensCss}${canvasCss}${cardCss}`;
document.head.append(style);

type CardNode = Node<{ content: CardContent }, 'card'>;

function Rows({ rows }: { readonly rows: readonly Row[] }): JSX.Element {
  return (
    <>
      {rows.map(row => (
        <li key={row.id}>
          <div className="agor-s">
            <span className="agor-agent" />
            <span className="agor-n agor-ell">{row.title}</span>
            <span className="agor-w">{row.when}</span>
          </div>
          {row.line && <span className="agor-s-l">{row.line}</span>}
          {row.children.length > 0 && (
            <ul>
              <Rows rows={row.children} />
            </ul>
          )}
        </li>
      ))}
    </>
  );
}

const CardView = memo(({ data: { content } }: { readonly data: { content: CardContent } }) => (
  <article className="agor-card">
    <header className="agor-card-h">
      <h3 className="agor-card-t">{content.title}</h3>
    </header>
    <div className="agor-card-m">
      <code className="agor-ell">{content.branch}</code>
    </div>
    <div className="agor-card-p">
      {content.pills.map(pill => (
        <span className="agor-pill" key={pill.text}>
          {pill.text}
        </span>
      ))}
    </div>
    <ul className="agor-tree">
      <Rows rows={content.rows} />
    </ul>
    {content.strip && <div className="agor-info">{content.strip.title}</div>}
    <footer className="agor-card-f">
      <div className="agor-figures">
        <span>{content.foot?.text}</span>
      </div>
    </footer>
  </article>
));

const types = { card: CardView };
const begin = performance.now();
const state = world.state();
const context = { state, now: Date.now(), readers: new Map(), isUnfolded: false };
const first: CardNode[] = Object.entries(world.objects).map(([id, object]) => ({
  id,
  type: 'card',
  position: { x: object.x, y: object.y },
  data: { content: contentOf(object as Card, context, colorOf) },
  width: 272,
  height: 200,
}));
let flow: ReactFlowInstance<CardNode> | null = null;

function App(): JSX.Element {
  const [nodes, , onNodesChange] = useNodesState(first);
  return (
    <ReactFlow
      nodes={nodes}
      onNodesChange={onNodesChange}
      nodeTypes={types}
      onlyRenderVisibleElements
      minZoom={0.03}
      defaultViewport={{ x: 20, y: 20, zoom: 0.5 }}
      onInit={made => (flow = made)}
      proOptions={{ hideAttribution: true }}
    />
  );
}

const root = document.getElementById('app');
if (root) {
  root.className = 'agor agor-canvas';
  createRoot(root).render(<App />);
}
painted(begin, () => document.querySelectorAll('.react-flow__node').length > 20);

window.look = (x, y, zoom) => void flow?.setViewport({ x, y, zoom });
window.where = () => {
  const cards: Record<string, { x: number; y: number }> = {};
  for (const node of flow?.getNodes() ?? []) cards[node.id] = node.position;
  return { view: flow?.getViewport() ?? { x: 0, y: 0, zoom: 0 }, cards, shown: document.querySelectorAll('.react-flow__node').length };
};
