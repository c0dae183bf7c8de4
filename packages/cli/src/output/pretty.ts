import type { NotificationEvent } from '@hermod/openstack'
import { formatDuration } from '../duration.ts'
import { visibleText } from '../visible-text.ts'
import { cutToWidth, displayWidth } from './display-width.ts'
import { serviceLook, type Look, type Paint } from './paint.ts'
import { StartTimes } from './start-times.ts'

/** One cell of a line. What does not fit into the terminal is left out from the highest `dropRank` down. */
interface Cell {
  readonly text: string
  readonly width: number
  readonly look?: Look | undefined
  readonly dropRank?: number
}

const UNLIMITED = Infinity

/** Of a text of a stranger's making no more is looked at, or shown where the width has no limit. */
const LONGEST_TEXT = 4096

/**
 * One line for an event, for people: time (UTC), service, type, a mark for how it went, resource, project,
 * request, host, and how long it took where the start was seen. Texts of strangers have their control
 * characters written out.
 */
export class PrettyFormat {
  readonly #columns: () => number | undefined
  readonly #paint: Paint
  readonly #starts = new StartTimes()

  /** @param columns the width to stay within; undefined for no limit. */
  constructor(columns: () => number | undefined, paint: Paint) {
    this.#columns = columns
    this.#paint = paint
  }

  /** The line, with its line end. */
  line(event: NotificationEvent): string {
    const columns = this.#columns() ?? UNLIMITED
    let cells = this.#cells(event, columns)
    while (lineWidth(cells) > columns) {
      const ranks = cells.map((cell) => cell.dropRank ?? 0)
      const highest = Math.max(...ranks)
      if (highest === 0) break
      cells = cells.toSpliced(ranks.indexOf(highest), 1)
    }
    return `${this.#join(cells, columns)}\n`
  }

  #cells(event: NotificationEvent, columns: number): readonly Cell[] {
    const durationMs = this.#starts.durationMs(event)
    const mark = markOf(event)
    const service = shownText(event.service)
    const resourceWidth = clamp(Math.floor(columns * 0.2), 14, 30)
    return [
      { text: shownText(event.time.slice(11, 23)), width: 12, look: 'dim' },
      { text: service, width: 9, look: serviceLook(service) },
      { text: shownText(event.type), width: clamp(Math.floor(columns * 0.3), 24, 40), look: mark.typeLook },
      { text: mark.glyph, width: 1, look: mark.look },
      { text: resourceText(event, columns === UNLIMITED ? UNLIMITED : resourceWidth), width: resourceWidth },
      { text: labelled('proj', event.projectId), width: 13, dropRank: 2 },
      { text: shortId(event.requestId) || '-', width: 12, look: 'dim', dropRank: 1 },
      { text: shownText(event.host ?? '-'), width: 14, dropRank: 3 },
      { text: durationMs === undefined ? '' : formatDuration(durationMs), width: 0, look: 'green' },
    ]
  }

  #join(cells: readonly Cell[], columns: number): string {
    let line = ''
    let used = 0
    for (const { text, width, look } of cells) {
      if (text === '' && width === 0) continue
      const gap = used === 0 ? '' : GAP
      const shown = cutToWidth(text, columns - used - gap.length)
      const shownWidth = displayWidth(shown)
      const padding = Math.max(0, Math.min(width - shownWidth, columns - used - gap.length - shownWidth))
      line += gap + this.#paint(shown, look) + ' '.repeat(padding)
      used += gap.length + shownWidth + padding
      if (used + GAP.length >= columns) break
    }
    return line.trimEnd()
  }
}

const GAP = '  '

function lineWidth(cells: readonly Cell[]): number {
  const shown = cells.filter(({ text, width }) => text !== '' || width > 0)
  const last = shown.at(-1)
  return shown.reduce(
    (sum, cell) =>
      sum +
      GAP.length +
      (cell === last ? displayWidth(cell.text) : Math.max(cell.width, displayWidth(cell.text))),
    -GAP.length,
  )
}

interface Mark {
  readonly glyph: string
  readonly look: Look | undefined
  readonly typeLook: Look | undefined
}

function markOf({ phase, outcome, priority }: NotificationEvent): Mark {
  if (phase === 'error' || outcome === 'failure' || priority === 'error' || priority === 'critical')
    return { glyph: '✗', look: 'red', typeLook: 'red' }
  if (priority === 'warn' || priority === 'warning') return { glyph: '!', look: 'yellow', typeLook: 'yellow' }
  if (phase === 'end' || phase === 'success') return { glyph: '✓', look: 'green', typeLook: undefined }
  if (phase === 'start') return { glyph: '▸', look: 'dim', typeLook: undefined }
  return { glyph: phase === 'progress' ? '…' : '', look: 'dim', typeLook: undefined }
}

/** `web-1 178b0921`: of a long name the end goes, never the id. */
function resourceText({ resource }: NotificationEvent, width: number): string {
  const id = shortId(resource.id)
  const name = shownText(resource.name ?? '')
  const label = name === '' || name === id ? shownText(resource.type ?? '') : name
  if (label === '' || id === '') return label || id || '-'
  if (width === UNLIMITED) return `${label} ${id}`
  return `${cutToWidth(label, Math.max(4, width - displayWidth(id) - 1))} ${id}`
}

function labelled(label: string, id: string | null): string {
  return id === null ? '-' : `${label} ${shortId(id)}`
}

const UUID_START = /^(req-)?([0-9a-f]{8})(?:-[0-9a-f]{4}-|[0-9a-f]{24}$)/i

/** UUIDs by their first eight digits, anything else as it is; an empty text for none. */
function shortId(id: string | null): string {
  if (id === null) return ''
  const match = UUID_START.exec(id)
  return match === null ? shownText(id) : `${match[1] ?? ''}${match[2]}`
}

/** Safe for a terminal, and of a length that takes no time; `…` stands for the rest. */
function shownText(text: string): string {
  return visibleText(text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT - 1)}…` : text)
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value))
}
