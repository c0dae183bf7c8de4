import { maskUrlCredentials } from '@hermod/kernel'

/** `at name (file:line:column)` or `at file:line:column`, as V8 writes them. */
const FRAME = /^\s+at (?:async )?(?:(.*?) \()?(?:file:\/\/)?(.+?):(\d+):\d+\)?$/

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
  const frames = error instanceof Error && typeof error.stack === 'string' ? framesOf(error.stack) : []
  if (frames.length > 0) lines.push('Traceback (most recent call last):\n', ...frames)
  lines.push(`${last}\n`)
  return lines
}

function framesOf(stack: string): string[] {
  const frames: string[] = []
  for (const line of stack.split('\n')) {
    const [, name = '<module>', file, number] = FRAME.exec(line) ?? []
    if (file !== undefined) frames.unshift(`  File "${file}", line ${number}, in ${name}\n`)
  }
  return frames
}
