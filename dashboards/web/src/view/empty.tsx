// What stands where there is nothing: why, and what to do.

interface Props {
  title: string;
  how?: string | undefined;
  command?: string | undefined;
  /** There is nothing else on the page. */
  isAll?: boolean;
}

export function Empty({ title, how, command, isAll = false }: Props) {
  return (
    <div class="empty">
      {isAll ? <h1 class="empty-title">{title}</h1> : <p class="empty-title">{title}</p>}
      {how && <p>{how}</p>}
      {command && <pre tabIndex={0}>{command}</pre>}
    </div>
  );
}
