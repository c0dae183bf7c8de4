import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the checkout. */
export const repository: string = fileURLToPath(new URL('../..', import.meta.url))

/** The text of a file of the checkout. */
export const read = (path: string): string => readFileSync(join(repository, path), 'utf8')

/** Every document that is written by hand, by its path. */
export function documents(): readonly string[] {
  const markdown = (folder: string): string[] =>
    readdirSync(join(repository, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name))
  const packages = readdirSync(join(repository, 'packages')).map((name) => join('packages', name))
  return ['.', 'docs', 'bench', ...packages].flatMap(markdown)
}

/** The fenced blocks of a language, without the fences. */
export function blocks(text: string, language: string): readonly string[] {
  const fences = text.matchAll(/^```(\w*)\n(.*?)^```$/gms)
  return Array.from(fences, ([, found, block]) =>
    found === language ? (block as string) : undefined,
  ).filter((block) => block !== undefined)
}

/** The rows of the table whose first heading is this one, cell by cell, without the headings. */
export function table(text: string, heading: string): readonly (readonly string[])[] {
  const lines = text.split('\n')
  const start = lines.findIndex((line) => line.startsWith('|') && cells(line)[0] === heading)
  if (start < 0) throw new TypeError(`there is no table with the heading '${heading}'`)
  const end = lines.findIndex((line, at) => at > start && !line.startsWith('|'))
  return lines.slice(start + 2, end < 0 ? undefined : end).map(cells)
}

function cells(line: string): string[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim())
}

/** What stands in backquotes in a cell. */
export const quoted = (cell: string): readonly string[] =>
  Array.from(cell.matchAll(/`([^`]+)`/g), ([, name]) => name as string)
