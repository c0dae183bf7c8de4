/** Names that differ in more than this share of their letters are not what was meant. */
const FURTHEST_SHARE = 0.4

/** The one of `names` that `text` was most likely meant for; undefined when none is near. */
export function nearestName(text: string, names: readonly string[]): string | undefined {
  const plain = text.toLowerCase().slice(0, 64)
  let best: { name: string; distance: number } | undefined
  for (const name of names) {
    const distance = editDistance(plain, name.toLowerCase())
    if (distance <= name.length * FURTHEST_SHARE && distance < (best?.distance ?? Infinity))
      best = { name, distance }
  }
  return best?.name
}

/** How many letters must be put in, taken out or changed to make one of the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let above = 0; above < from.length; above++) {
    const next = [above + 1]
    for (let column = 1; column <= to.length; column++) {
      const changed = (row[column - 1] ?? 0) + (to[column - 1] === from[above] ? 0 : 1)
      next.push(Math.min(changed, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
