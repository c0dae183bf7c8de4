import { maskUrlCredentials } from '@hermod/kernel'

/** How V8 begins a frame: `at name (file:line:column)` or `at file:line:column`. */
const FRAME_START = '    at '

/** Takes time in proportion to the text: what a stack says may be what a caller wrote. */
const PLACE = /^(.+):(\d+):\d+$/

/** Of a deeper stack those next to the error are told. */
const MOST_FRAMES = 100

/** Errors that led to each other are followed this far. */
const MOST_CAUSES = 4

/**
 * The stack of an error as Python tells it: the innermost frame last, then the error itself. Passwords of URLs are masked.
 *
 * @param last the error's own line, for example `ValueError: the size is below 0`.
 * @returns each entry ends with a line feed.
 */
export function pythonTraceback(error: unknown, last: string): readonly string[] {
  return traceback(error, last, 0).map(maskUrlCredentials)
}

function traceback(error: unknown, last: string, depth: number): string[] {
  const lines: string[] = []
  const cause = error instanceof Error ? error.cause : undefined
  if (cause instanceof Error && depth < MOST_CAUSES) {
    lines.push(...traceback(cause, `${cause.name}: ${cause.message}`, depth + 1))
    lines.push('\nThe above exception was the direct cause of the following exception:\n\n')
  }
  const frames = error instanceof Error && typeof error.stack === 'string' ? framesOf(error, error.stack) : []
  if (frames.length > 0) lines.push('Traceback (most recent call last):\n', ...frames)
  lines.push(`${last}\n`)
  return lines
}

function framesOf({ message }: Error, stack: string): string[] {
  const frames: string[] = []
  // Above them stands `Name: message`, of which a caller may have written a part, with lines like those of a stack.
  const start = stack.indexOf(': ') + 2
  const frameLines = stack.startsWith(message, start) ? stack.slice(start + message.length) : stack
  for (const line of frameLines.split('\n')) {
    const frame = frameOf(line)
    if (frame !== undefined && frames.push(frame) === MOST_FRAMES) break
  }
  return frames.toReversed()
}

function frameOf(line: string): string | undefined {
  if (!line.startsWith(FRAME_START)) return undefined
  const from = FRAME_START.length + (line.startsWith('async ', FRAME_START.length) ? 6 : 0)
  const open = line.endsWith(')') ? line.indexOf(' (', from) : -1
  const place = open < 0 ? line.slice(from) : line.slice(open + 2, -1)
  const [, file, number] = PLACE.exec(place.startsWith('file://') ? place.slice(7) : place) ?? []
  if (file === undefined) return undefined
  const name = open < 0 ? '<module>' : line.slice(from, open)
  return `  File "${file}", line ${number}, in ${name}\n`
}
