import { visibleText } from './visible-text.ts'
import type { CliIo } from './cli-io.ts'

/**
 * Asks the user whether to do something.
 *
 * @param question ends in a question mark.
 * @returns whether the answer was yes. Without an answer it was not.
 */
export async function consents(
  io: Pick<CliIo, 'ask'>,
  question: string,
  signal: AbortSignal,
): Promise<boolean> {
  const answer = await io.ask?.(`hermod: ${visibleText(question)} [y/N] `, signal)
  return /^\s*y(?:es)?\s*$/i.test(answer ?? '')
}
