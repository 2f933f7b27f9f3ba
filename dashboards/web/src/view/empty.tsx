// What stands where there is nothing: why, and what to do.

export function Empty({ title, how, command }: { title: string; how?: string | undefined; command?: string | undefined }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {how && <p>{how}</p>}
      {command && <pre tabIndex={0}>{command}</pre>}
    </div>
  );
}
