import { targetText, type TargetArgument } from '../target-argument.ts'
import { visibleText } from '../visible-text.ts'
import { displayWidth } from './display-width.ts'
import { outcomeOfError } from './rpc-outcome.ts'

/** What became of one ping. */
export interface PingAnswer {
  readonly target: TargetArgument
  /** From 1. */
  readonly round: number
  readonly tookMs: number
  /**
   * `not-pingable`: the server answers, but has no such method. `silent`: no answer in time. `absent`: no queue of
   * this target is there.
   */
  readonly kind: 'pong' | 'not-pingable' | 'failed' | 'silent' | 'absent'
  /** Why it is no `pong`. */
  readonly error?: unknown
}

const WORDS: Readonly<Record<PingAnswer['kind'], string>> = {
  pong: 'pong',
  'not-pingable': 'answers, but knows no ping',
  failed: 'failed',
  silent: 'no answer',
  absent: 'nobody there',
}

const LONGEST_MESSAGE = 200

/** One line for people. @param width of the longest target. */
export function pingLine(answer: PingAnswer, width: number): string {
  const name = visibleText(targetText(answer.target))
  const padding = ' '.repeat(Math.max(0, width - displayWidth(name)))
  const reason = answer.kind === 'failed' ? `: ${visibleText(messageOf(answer.error))}` : ''
  return `${name}${padding}  ${answer.tookMs.toFixed(1).padStart(8)} ms  ${WORDS[answer.kind]}${reason}\n`
}

/** The same for programs. */
export function pingRecord({ target, round, tookMs, kind, error }: PingAnswer): object {
  const facts = { topic: target.topic, server: target.server ?? null, round, ms: Number(tookMs.toFixed(3)) }
  return kind === 'pong' ? { ok: true, kind, ...facts } : { ...outcomeOfError(error), kind, ...facts }
}

function messageOf(error: unknown): string {
  return (error as Error).message.slice(0, LONGEST_MESSAGE)
}
