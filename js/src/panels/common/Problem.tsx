// What went wrong, at the place where a person acted.

export function Problem({ text }: { text: string | null }) {
  if (!text) return null;
  return (
    <div className="agor-fail-strip" role="alert">
      {text}
    </div>
  );
}
